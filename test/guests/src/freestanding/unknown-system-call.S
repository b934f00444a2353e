/* A system call that does not exist: CR0.SO set and ENOSYS (38) in r3, which becomes the exit status. */
#include "linux.h"
_start:
  li 0, 9999
  sc
  bns 0f
  system_call SYS_exit
0:
  exit 1
