/* Signals that programs send, block, wait for and handle; timers that send them. */
#include "checks.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t handled, nested, deepest;

static void count_handler(int number) {
  handled++;
  (void)number;
}

static void info_handler(int number, siginfo_t *info, void *context) {
  handled++;
  printf("handler: %s, code %d, from self %d, value %d, context %d\n", signal_name(number), info->si_code,
         info->si_pid == getpid() && info->si_uid == getuid(), info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
         context != NULL);
}

static void nested_handler(int number) {
  nested++;
  if (nested > deepest) deepest = nested;
  if (number == SIGUSR1) raise(SIGUSR2);
  if (number == SIGUSR2 && handled++ < 3) raise(SIGUSR1);
  nested--;
}

static void install(int number, void (*handler)(int), int flags) {
  struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, NULL) != 0) printf("sigaction(%s): %s\n", signal_name(number), error_name(errno));
}

static void install_info(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, NULL) != 0) printf("sigaction(%s): %s\n", signal_name(number), error_name(errno));
}

int check_signals(int argc, char **argv) {
  struct sigaction old;
  sigset_t set, pending;
  (void)argc, (void)argv;
  signal(SIGUSR1, count_handler);
  SHOW(raise(SIGUSR1));
  SHOW(kill(getpid(), SIGUSR1));
  SHOW(handled);
  install_info(SIGUSR1, info_handler, 0);
  SHOW(sigaction(SIGUSR1, NULL, &old));
  SHOW(old.sa_sigaction == info_handler);
  SHOW((old.sa_flags & SA_SIGINFO) != 0);
  SHOW(kill(getpid(), SIGUSR1));
  SHOW(raise(SIGUSR1));
  SHOW(sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 1234 }));

  sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGUSR2);
  SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
  handled = 0;
  raise(SIGUSR1), raise(SIGUSR1);
  SHOW(handled);
  SHOW(sigpending(&pending));
  SHOW(sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGUSR2) == 0);
  SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
  SHOW(handled);

  install(SIGUSR1, nested_handler, SA_NODEFER), install(SIGUSR2, nested_handler, SA_NODEFER);
  handled = 0;
  raise(SIGUSR1);
  SHOW(deepest);
  handled = deepest = 0;
  install(SIGUSR1, nested_handler, 0), install(SIGUSR2, nested_handler, 0);
  raise(SIGUSR1);
  SHOW(deepest);

  install(SIGUSR1, count_handler, SA_RESETHAND);
  raise(SIGUSR1);
  SHOW(sigaction(SIGUSR1, NULL, &old));
  SHOW(old.sa_handler == SIG_DFL);
  signal(SIGUSR2, SIG_IGN);
  SHOW(raise(SIGUSR2));
  SHOW(raise(SIGCHLD));
  SHOW(raise(SIGWINCH));
  SHOW_CALL(kill(getpid(), 999));
  SHOW(kill(getpid(), 0));
  SHOW_CALL(kill(0x3ffffffe, 0));
  SHOW_CALL(sigaction(SIGKILL, &old, NULL));
  SHOW_CALL(sigaction(SIGSTOP, &old, NULL));

  install(SIGRTMIN, count_handler, 0);
  sigemptyset(&set), sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  handled = 0;
  raise(SIGRTMIN), raise(SIGRTMIN), raise(SIGRTMIN);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  SHOW(handled);
  return 0;
}

int check_signal_waiting(int argc, char **argv) {
  sigset_t set, old;
  siginfo_t info;
  (void)argc, (void)argv;
  install(SIGALRM, count_handler, 0);
  sigemptyset(&set), sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, &old);
  struct itimerval soon = { .it_value = { 0, 20000 } }, left;
  SHOW(setitimer(ITIMER_REAL, &soon, NULL));
  SHOW_CALL(sigsuspend(&old));
  SHOW(handled);
  SHOW(setitimer(ITIMER_REAL, &soon, NULL));
  SHOW(sigwaitinfo(&set, &info) == SIGALRM);
  SHOW(info.si_signo == SIGALRM);
  SHOW_CALL(sigtimedwait(&set, &info, &(struct timespec){ 0, 1000000 }));
  int number = 0;
  SHOW(setitimer(ITIMER_REAL, &soon, NULL));
  SHOW(sigwait(&set, &number));
  SHOW(number == SIGALRM);
  sigprocmask(SIG_SETMASK, &old, NULL);
  SHOW(handled);

  // Late enough that a busy machine gets to pause() first.
  soon.it_value.tv_usec = 200000;
  SHOW(setitimer(ITIMER_REAL, &soon, NULL));
  SHOW_CALL(pause());
  SHOW(alarm(100));
  SHOW(alarm(0));
  SHOW(alarm(1));
  struct timespec sleep = { 5, 0 }, rest = { 0, 0 };
  SHOW_CALL(nanosleep(&sleep, &rest));
  SHOW(rest.tv_sec >= 3 && rest.tv_sec < 5);
  SHOW(handled);

  soon.it_value.tv_usec = 5000, soon.it_interval.tv_usec = 5000;
  handled = 0;
  SHOW(setitimer(ITIMER_REAL, &soon, NULL));
  volatile uint32_t spins = 0;
  while (handled < 5) spins++;
  SHOW(handled >= 5);
  SHOW(getitimer(ITIMER_REAL, &left));
  SHOW(left.it_interval.tv_usec);
  soon.it_value.tv_usec = soon.it_interval.tv_usec = 0;
  SHOW(setitimer(ITIMER_REAL, &soon, &left));
  SHOW(left.it_interval.tv_usec);

  int ends[2];
  char byte;
  SHOW(pipe(ends));
  soon.it_value.tv_usec = 20000;
  setitimer(ITIMER_REAL, &soon, NULL);
  SHOW_CALL(read(ends[0], &byte, 1));
  install_info(SIGPIPE, info_handler, 0);
  close(ends[0]);
  SHOW_CALL(write(ends[1], "x", 1));
  return 0;
}

int check_timers(int argc, char **argv) {
  timer_t timer;
  (void)argc, (void)argv;
  install_info(SIGUSR1, info_handler, 0);
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77 };
  SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
  struct itimerspec when = { .it_value = { 0, 10000000 } }, left;
  SHOW(timer_settime(timer, 0, &when, NULL));
  while (handled < 1) nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
  SHOW(timer_gettime(timer, &left));
  SHOW(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
  SHOW(timer_getoverrun(timer));
  SHOW(timer_delete(timer));
  SHOW_CALL(timer_delete(timer));
  return 0;
}

static char *alternate;
static sigjmp_buf after;

static void stack_handler(int number) {
  char local;
  printf("%s on the alternate stack: %d\n", signal_name(number), &local >= alternate && &local < alternate + 65536);
}

static void overflow_handler(int number) {
  (void)number;
  siglongjmp(after, 1);
}

static int overflow(int depth) {
  volatile char space[4096];
  space[0] = (char)depth;
  return overflow(depth + 1) + space[0];
}

int check_alternate_stack(int argc, char **argv) {
  stack_t stack, old;
  (void)argc, (void)argv;
  SHOW(sigaltstack(NULL, &old));
  SHOW((old.ss_flags & SS_DISABLE) != 0);
  alternate = malloc(65536);
  stack.ss_sp = alternate, stack.ss_size = 65536, stack.ss_flags = 0;
  SHOW(sigaltstack(&stack, NULL));
  SHOW(sigaltstack(NULL, &old));
  SHOW(old.ss_sp == alternate && old.ss_size == 65536 && old.ss_flags == 0);
  install(SIGUSR1, stack_handler, SA_ONSTACK), install(SIGUSR2, stack_handler, 0);
  raise(SIGUSR1), raise(SIGUSR2);
  install(SIGSEGV, overflow_handler, SA_ONSTACK | SA_NODEFER);
  if (sigsetjmp(after, 1) == 0) {
    overflow(0);
  } else {
    puts("recovered from stack overflow");
  }
  stack.ss_size = 100;
  SHOW_CALL(sigaltstack(&stack, NULL));
  return 0;
}

/* The handler sees and changes the registers of the interrupted program. */
static void context_handler(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
#ifdef __PPC__
  ucontext_t *interrupted = context;
  interrupted->uc_mcontext.uc_regs->gregs[3] += 1000;
  interrupted->uc_mcontext.uc_regs->gregs[32] += 4; /* nip: past the trap */
  interrupted->uc_mcontext.uc_regs->fpregs.fpregs[1] *= 2;
#else
  (void)context;
#endif
}

int check_signal_context(int argc, char **argv) {
  (void)argc, (void)argv;
  install_info(SIGTRAP, context_handler, 0);
#ifdef __PPC__
  register int value __asm__("r3") = 23;
  register double real __asm__("fr1") = 1.25;
  __asm__ volatile("trap" : "+r"(value), "+d"(real));
  int result = value;
  double result_real = real;
  printf("%d %g\n", result, result_real);
#endif
  return 0;
}

/* Dies of the signal whose number is the argument. */
int check_default_action(int argc, char **argv) {
  int number = argc > 1 ? atoi(argv[1]) : SIGTERM;
  printf("raising %s\n", signal_name(number));
  fflush(stdout);
  raise(number);
  puts("still here");
  return 0;
}
