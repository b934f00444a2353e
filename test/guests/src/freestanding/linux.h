/* System calls of 32-bit PowerPC Linux: number in r0, arguments from r3; `sc` sets CR0.SO on error. */
#define SYS_exit 1
#define SYS_write 4
#define SYS_kill 37
#define SYS_getpid 20
#define SYS_mmap 90

/* Loads a 32-bit constant or address. */
.macro load register, value
  lis \register, (\value)@ha
  addi \register, \register, (\value)@l
.endm

.macro system_call number
  li 0, \number
  sc
.endm

.macro exit status
  li 3, \status
  system_call SYS_exit
.endm

/* Writes the bytes between two labels to standard output. */
.macro print from, to
  li 3, 1
  load 4, \from
  li 5, \to - \from
  system_call SYS_write
.endm

.globl _start
.type _start, @function
