/* Jumps to an address where nothing is mapped: SIGSEGV with the pc there. */
#include "linux.h"
_start:
  lis 12, 0x1234
  ori 12, 12, 0x5678
  mtctr 12
  bctr
