/* Loads from address 0: SIGSEGV. */
#include "linux.h"
_start:
  li 9, 0
  lwz 3, 0(9)
  exit 0
