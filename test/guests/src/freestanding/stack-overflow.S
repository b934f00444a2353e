/* Calls itself until the stack is used up: SIGSEGV. */
#include "linux.h"
_start:
  stwu 1, -1024(1)
  bl _start
