/* Prints its arguments, a line each, and exits with their number. Looks only at the initial stack. */
#include "linux.h"
_start:
  lwz 31, 0(1)
  addi 30, 1, 4
  mr 29, 31
next:
  lwz 4, 0(30)
  addi 5, 4, -1
0:
  lbzu 6, 1(5)
  cmpwi 6, 0
  bne 0b
  subf 5, 4, 5
  li 3, 1
  system_call SYS_write
  print newline, end
  addi 30, 30, 4
  addic. 29, 29, -1
  bne next
  mr 3, 31
  system_call SYS_exit

.section .rodata
newline: .ascii "\n"
end:
