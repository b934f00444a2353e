/* Executes a word that is no instruction: SIGILL. */
#include "linux.h"
_start:
  .long 0
  exit 0
