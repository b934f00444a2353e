/*
 * Writes a function that returns 1, calls it, rewrites it to return 2 (with dcbst, sync, icbi, isync as
 * the architecture asks), calls it again, many times over: exits with 0 when each call saw its own code.
 */
#include "linux.h"
_start:
  li 3, 0
  li 4, 4096
  li 5, 7          /* PROT_READ | PROT_WRITE | PROT_EXEC */
  li 6, 0x22       /* MAP_PRIVATE | MAP_ANONYMOUS */
  li 7, -1
  li 8, 0
  system_call SYS_mmap
  mr 31, 3
  load 9, 0x4e800020 /* blr */
  stw 9, 4(31)
  li 30, 0
again:
  addi 30, 30, 1
  clrlwi 10, 30, 17
  oris 9, 10, 0x3860 /* li 3, count */
  stw 9, 0(31)
  dcbst 0, 31
  sync
  icbi 0, 31
  isync
  mtctr 31
  bctrl
  cmpw 3, 30
  bne failed
  cmpwi 30, 1000
  bne again
  exit 0
failed:
  exit 1
