/* Executes `trap`: SIGTRAP. */
#include "linux.h"
_start:
  trap
  exit 0
