/* Prints a line and exits with 0. */
#include "linux.h"
_start:
  print text, end
  exit 0

.section .rodata
text: .ascii "hello, world\n"
end:
