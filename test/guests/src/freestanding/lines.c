/*
 * Built with DWARF line tables, for tests of source positions: calls down three functions, the last
 * of which dereferences a null pointer on the line marked below.
 */

static volatile int depth;

__attribute__((noinline)) static int dereference(const volatile int *pointer) {
  depth++;
  return *pointer; /* the faulting line */
}

__attribute__((noinline)) static int middle(int value) {
  const volatile int *pointer = value > 100 ? &depth : 0;
  return dereference(pointer) + value;
}

__attribute__((noreturn)) void _start(void) {
  int status = 0;
  for (int i = 0; i < 3; i++) status += middle(200 + i) & 1;
  status += middle(1);
  register int number __asm__("r0") = 1, result __asm__("r3") = status;
  for (;;) __asm__ volatile("sc" : "+r"(number), "+r"(result) : : "memory", "cr0");
}
