/* Stores to address 8: SIGSEGV. */
#include "linux.h"
_start:
  li 9, 0
  stb 9, 8(9)
  exit 0
