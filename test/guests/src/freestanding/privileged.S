/* Executes an instruction that only the kernel may execute: SIGILL. */
#include "linux.h"
_start:
  mfmsr 3
  exit 0
