/* Stores to its own code, which is not writable: SIGSEGV. */
#include "linux.h"
_start:
  load 9, _start
  stw 9, 0(9)
  exit 0
