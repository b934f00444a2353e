/* Executes 4 instructions 2 million times (a loop of known length, for counters of instructions). */
#include "linux.h"
_start:
  lis 9, 2000000 >> 16
  ori 9, 9, 2000000 & 0xffff
  mtctr 9
  li 3, 0
loop:
  addi 3, 3, 7
  xori 3, 3, 0x55
  rotlwi 3, 3, 3
  bdnz loop
  clrlwi 3, 3, 24
  system_call SYS_exit
