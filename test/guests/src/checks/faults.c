/* Faults: what a handler is told, and going on after them. */
#include "checks.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static sigjmp_buf recover;
static volatile int last_signal, last_code;
static char *volatile last_address;
static char *fixable;

static void leave(int number, siginfo_t *info, void *context) {
  (void)context;
  last_signal = number, last_code = info->si_code, last_address = info->si_addr;
  siglongjmp(recover, 1);
}

static void fix(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  last_code = info->si_code, last_address = info->si_addr;
  mprotect((char *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE);
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

/* Runs a statement that faults, and prints what the handler saw: the address relative to a base. */
#define FAULT(base, statement)                                                                                         \
  do {                                                                                                                 \
    if (sigsetjmp(recover, 1) == 0) {                                                                                  \
      statement;                                                                                                       \
      printf("%s: no fault\n", #statement);                                                                            \
    } else {                                                                                                           \
      printf("%s: %s, code %d, address %+ld\n", #statement, signal_name(last_signal), last_code,                       \
             (long)(last_address - (char *)(base)));                                                                   \
    }                                                                                                                  \
  } while (0)

int check_faults(int argc, char **argv) {
  (void)argc, (void)argv;
  handle(SIGSEGV, leave), handle(SIGBUS, leave);
  volatile char *null = NULL;
  char *pages = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(pages, 1, 8 * PAGE);
  munmap(pages + 2 * PAGE, PAGE);
  mprotect(pages + 4 * PAGE, PAGE, PROT_READ);
  mprotect(pages + 6 * PAGE, PAGE, PROT_NONE);
  volatile int sink = 0;
  volatile double real = 0;
  FAULT(NULL, sink = *null);
  FAULT(NULL, null[100] = 1);
  FAULT(NULL, sink = *(volatile int *)0x2000);
  FAULT(pages, sink = pages[2 * PAGE]);
  FAULT(pages, pages[2 * PAGE + 17] = 1);
  FAULT(pages, sink = *(volatile short *)(pages + 3 * PAGE - 2));
  FAULT(pages, real = *(volatile double *)(pages + 2 * PAGE + 8));
  FAULT(pages, *(volatile double *)(pages + 2 * PAGE + 16) = real);
  FAULT(pages, sink = pages[4 * PAGE]);
  FAULT(pages, pages[4 * PAGE + 3] = 1);
  FAULT(pages, sink = pages[6 * PAGE + 9]);
  FAULT(pages, pages[6 * PAGE + 9] = 1);
  FAULT(pages, memset(pages + 2 * PAGE - 8, 0, 16));
  SHOW(pages[2 * PAGE - 1]);
  FAULT(pages, sink = (int)strlen(pages + 2 * PAGE - 5));
  FAULT((char *)0x7f000000, ((void (*)(void))0x7f000000)());
  FAULT(NULL, ((void (*)(void))0)());
  FAULT(pages, ((void (*)(void))pages)());
  for (volatile int i = 0; i < 1000; i++) {
    if (sigsetjmp(recover, 1) == 0) sink = pages[2 * PAGE + i];
    else sink += last_address == pages + 2 * PAGE + i;
  }
  SHOW(sink >= 1);
  SHOW_CALL(write(1, (void *)1, 5));
  SHOW_CALL(write(1, pages + 2 * PAGE, 5));
  SHOW_CALL(read(0, pages + 4 * PAGE, 1));
  return 0;
}

int check_fault_fixing(int argc, char **argv) {
  (void)argc, (void)argv;
  handle(SIGSEGV, fix);
  fixable = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long sum = 0;
  int faults = 0;
  for (int i = 0; i < 64; i++) {
    last_address = NULL;
    fixable[i * PAGE + i] = (char)i;
    faults += last_address == fixable + i * PAGE + i;
    sum += fixable[i * PAGE + i];
  }
  SHOW(faults);
  SHOW(sum);
  mprotect(fixable, 64 * PAGE, PROT_READ);
  faults = 0;
  for (int i = 0; i < 64 * PAGE; i += 64) {
    last_address = NULL;
    fixable[i] += 3;
    faults += last_address == fixable + i;
  }
  SHOW(faults);
  mprotect(fixable, 64 * PAGE, PROT_NONE);
  uint32_t *words = (uint32_t *)fixable;
  uint32_t checksum = 0;
  for (int i = 0; i < 16 * PAGE; i++) checksum = checksum * 31 + words[i];
  printf("%08x\n", (unsigned)checksum);
  return 0;
}

int check_traps(int argc, char **argv) {
  (void)argc, (void)argv;
  handle(SIGILL, leave), handle(SIGTRAP, leave), handle(SIGFPE, leave);
#ifdef __PPC__
  extern char at_illegal[], at_trap[], at_privileged[], at_conditional[];
  FAULT(at_illegal, __asm__ volatile(".globl at_illegal\nat_illegal: .long 0"));
  FAULT(at_trap, __asm__ volatile(".globl at_trap\nat_trap: trap"));
  FAULT(at_privileged, __asm__ volatile(".globl at_privileged\nat_privileged: mfmsr 0" : : : "r0"));
  FAULT(at_conditional, __asm__ volatile(".globl at_conditional\nat_conditional: twlgei %0, 5" : : "r"(7)));
  FAULT(at_conditional, __asm__ volatile("twlgei %0, 5" : : "r"(3)));
#endif
  if (sigsetjmp(recover, 1) == 0) {
    raise(SIGFPE);
  } else {
    printf("raised %s, code %d\n", signal_name(last_signal), last_code);
  }
  return 0;
}
