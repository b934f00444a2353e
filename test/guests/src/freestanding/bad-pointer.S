/* write(1, 1, 5): EFAULT (14) becomes the exit status. */
#include "linux.h"
_start:
  li 3, 1
  li 4, 1
  li 5, 5
  system_call SYS_write
  bns 0f
  system_call SYS_exit
0:
  exit 1
