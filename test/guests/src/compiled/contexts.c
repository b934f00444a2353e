/*
 * Coroutines by makecontext and swapcontext. The C library's code for them makes the linker put an
 * executable global offset table into the data segment, which so becomes writable and executable.
 */
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

static ucontext_t main_context, generator;
static volatile int produced;

static void produce(int low, int high) {
  for (int i = low; i <= high; i++) {
    produced = i;
    swapcontext(&generator, &main_context);
  }
  produced = -1;
}

int main(void) {
  printf("getcontext returned %d\n", getcontext(&generator));
  generator.uc_stack.ss_sp = malloc(65536);
  generator.uc_stack.ss_size = 65536;
  generator.uc_link = &main_context;
  makecontext(&generator, (void (*)(void))produce, 2, 3, 6);
  do {
    swapcontext(&main_context, &generator);
    printf("produced %d\n", produced);
  } while (produced != -1);
  return 0;
}
