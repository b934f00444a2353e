/* Jumps to instructions on a page mapped readable and writable, not executable: SIGSEGV. */
#include "linux.h"
_start:
  li 3, 0
  li 4, 4096
  li 5, 3          /* PROT_READ | PROT_WRITE */
  li 6, 0x22       /* MAP_PRIVATE | MAP_ANONYMOUS */
  li 7, -1
  li 8, 0
  system_call SYS_mmap
  load 9, 0x4e800020 /* blr */
  stw 9, 0(3)
  dcbst 0, 3
  sync
  icbi 0, 3
  isync
  mtctr 3
  bctrl
  exit 0
