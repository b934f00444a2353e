/* setjmp and longjmp. */
#include "checks.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static jmp_buf target;

static void descend(int depth) {
  char space[128];
  snprintf(space, sizeof space, "%d", depth);
  if (depth == 0) longjmp(target, 5);
  descend(depth - 1);
  puts(space);
}

int check_jumps(int argc, char **argv) {
  (void)argc, (void)argv;
  volatile int count = 0;
  double volatile kept = 2.5;
  int value = setjmp(target);
  printf("setjmp returned %d, count %d, %g\n", value, count, kept);
  if (count < 3) {
    count++, kept *= 2;
    if (count == 3) longjmp(target, 0);
    descend(count * 10);
  }
  sigjmp_buf with_mask;
  sigset_t mask;
  sigemptyset(&mask), sigaddset(&mask, SIGUSR1);
  if (sigsetjmp(with_mask, 1) == 0) {
    sigprocmask(SIG_BLOCK, &mask, NULL);
    siglongjmp(with_mask, 1);
  }
  sigprocmask(SIG_BLOCK, NULL, &mask);
  SHOW(sigismember(&mask, SIGUSR1));
  return 0;
}
