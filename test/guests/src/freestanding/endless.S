/* Loops for ever, for tests of interruption. */
#include "linux.h"
_start:
  b _start
