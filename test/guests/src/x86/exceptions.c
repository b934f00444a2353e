/*
 * What handlers see of exceptions: siginfo, the context with flags, trap number, error code and CR2, and where the frame
 * lies. Addresses that depend on where things are mapped are shown relative to them.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf next;
static char *page;
static const char *what;

/* RF is there after faults; the rest of the flags is what the program did. */
enum { SHOWN_FLAGS = 0x10000 | 0x400 | 0x200 | 0x100 | 2 };

static void show_address(const char *name, uintptr_t address) {
  uintptr_t base = (uintptr_t)page;
  if (address >= base && address < base + 8192) printf(" %s page+%lx", name, (unsigned long)(address - base));
  else printf(" %s %lx", name, (unsigned long)address);
}

static void handler(int number, siginfo_t *info, void *context) {
  ucontext_t *interrupted = context;
  greg_t *registers = interrupted->uc_mcontext.gregs;
#ifdef __x86_64__
  uintptr_t pc = (uintptr_t)registers[REG_RIP], cr2 = (uintptr_t)registers[REG_CR2];
  unsigned long selectors = (unsigned long)registers[REG_CSGSFS];
  long frame = (char *)interrupted->uc_mcontext.fpregs - (char *)context;
#else
  uintptr_t pc = (uintptr_t)registers[REG_EIP], cr2 = interrupted->uc_mcontext.cr2;
  unsigned long selectors = (unsigned long)(registers[REG_CS] | registers[REG_SS] << 8 | registers[REG_DS] << 16 | registers[REG_ES] << 24);
  long frame = (char *)interrupted->uc_mcontext.fpregs - (char *)context;
  printf("[esp %d] ", registers[REG_ESP] == registers[REG_UESP]);
#endif
  printf("%s: signal %d code %d", what, number, info->si_code);
  if (info->si_code > 0 && info->si_code != SI_KERNEL) {
    if ((uintptr_t)info->si_addr == pc) printf(" address pc");
    else show_address("address", (uintptr_t)info->si_addr);
  }
  printf(" trap %d error %lx", (int)registers[REG_TRAPNO], (unsigned long)registers[REG_ERR]);
  if (registers[REG_TRAPNO] == 14) show_address("cr2", cr2);
  printf(" flags %lx selectors %lx fpstate +%ld aligned %d\n", (unsigned long)registers[REG_EFL] & SHOWN_FLAGS, selectors, frame,
         ((uintptr_t)interrupted->uc_mcontext.fpregs & 15) == 0 || sizeof(void *) == 4);
  siglongjmp(next, 1);
}

#define TRY(name, code) \
  do { \
    what = name; \
    if (sigsetjmp(next, 1) == 0) { \
      code; \
      printf("%s: nothing\n", what); \
    } \
  } while (0)

/* A handler that changes what it returns to. */
static void changing(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  ucontext_t *interrupted = context;
  greg_t *registers = interrupted->uc_mcontext.gregs;
#ifdef __x86_64__
  registers[REG_RAX] += 1000;
  registers[REG_R15] *= 3;
  interrupted->uc_mcontext.fpregs->_xmm[3].element[0] += 5;
#else
  registers[REG_EAX] += 1000;
  interrupted->uc_mcontext.fpregs->_st[0].significand[3] ^= 0x4000;
#endif
  registers[REG_EFL] ^= 1;
}

int main(void) {
  struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
  for (int number = 1; number < 32; number++) sigaction(number, &action, NULL);
  page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[0] = 1;
  mprotect(page, 4096, PROT_READ);
  page[4096] = 1;
  mprotect(page + 4096, 4096, PROT_NONE);
  TRY("load from nowhere", __asm__ volatile("movl 16, %%eax" : : : "eax"));
  TRY("store to nowhere", __asm__ volatile("movl %%eax, 16" : : : "memory"));
  TRY("store to read-only memory", *(volatile char *)(page + 7) = 1);
  TRY("load from inaccessible memory", (void)*(volatile char *)(page + 4097));
  TRY("execution of data", ((void (*)(void))page)());
  TRY("call of nowhere", __asm__ volatile("call *%0" : : "r"(0x1234l) : "memory"));
  TRY("division by zero", __asm__ volatile("xorl %%ecx, %%ecx; movl $5, %%eax; cltd; idivl %%ecx" : : : "eax", "ecx", "edx"));
  TRY("quotient too large", __asm__ volatile("movl $1, %%ecx; movl $5, %%edx; divl %%ecx" : : : "eax", "ecx", "edx"));
  TRY("ud2", __asm__ volatile("ud2"));
  TRY("int3", __asm__ volatile("int3"));
  TRY("int $3", __asm__ volatile(".byte 0xcd, 3"));
  TRY("hlt", __asm__ volatile("hlt"));
  TRY("int $0x42", __asm__ volatile("int $0x42"));
  TRY("kill", raise(SIGUSR1));
  TRY("backwards", __asm__ volatile("std; movl 16, %%eax" : : : "eax"));
  __asm__ volatile("cld");
#ifdef __x86_64__
  TRY("canonical address", __asm__ volatile("movl (%0), %%eax" : : "r"(0x123412341234) : "eax"));
  TRY("address of the kernel", __asm__ volatile("movl (%0), %%eax" : : "r"(0xffff923412341234) : "eax"));
  TRY("address that is not canonical", __asm__ volatile("movl (%0), %%eax" : : "r"(0x8000123412341234) : "eax"));
  TRY("negative displacement", __asm__ volatile("movl -8(%0), %%eax" : : "r"(0l) : "eax"));
#else
  TRY("into", __asm__ volatile("movl $0x7fffffff, %%eax; incl %%eax; into" : : : "eax"));
  int limits[2] = { 1, 2 };
  TRY("bound", __asm__ volatile("boundl %0, %1" : : "r"(7), "m"(limits)));
#endif
  static char bytes[64] __attribute__((aligned(16)));
  TRY("misaligned vector", __asm__ volatile("movaps 1(%0), %%xmm0" : : "r"(bytes) : "xmm0"));
  unsigned short control = 0x360, usual = 0x37f;
  TRY("x87 division by zero", __asm__ volatile("fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(control)));
  __asm__ volatile("fnclex; fninit; fldcw %0" : : "m"(usual));
  unsigned unmasked = 0x1f80 & ~0x200, masked = 0x1f80;
  float zero = 0, one = 1;
  TRY("vector division by zero", __asm__ volatile("ldmxcsr %0; movss %2, %%xmm1; divss %1, %%xmm1" : : "m"(unmasked), "m"(zero), "m"(one) : "xmm1"));
  __asm__ volatile("ldmxcsr %0" : : "m"(masked));

  action.sa_sigaction = changing;
  sigaction(SIGTRAP, &action, NULL);
  long value = 23;
  unsigned char carry;
#ifdef __x86_64__
  register long last __asm__("r15") = 14;
  int lanes[4] = { 1, 2, 3, 4 };
  __asm__ volatile("movups %3, %%xmm3; clc; int3; setc %2; movups %%xmm3, %3" : "+a"(value), "+r"(last), "=r"(carry), "+m"(lanes) : : "xmm3");
  printf("%ld %ld %d %d %d\n", value, last, carry, lanes[0], lanes[3]);
#else
  double real = 1;
  __asm__ volatile("clc; int3; setc %1" : "+a"(value), "=q"(carry), "+t"(real));
  printf("%ld %d %g\n", value, carry, real);
#endif
  return 0;
}
