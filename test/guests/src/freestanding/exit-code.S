/* Exits with 42. */
#include "linux.h"
_start:
  exit 42
