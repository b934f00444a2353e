/*
 * Runs single instructions on the processor itself, for comparison with Stele (see native.ts).
 *
 * Reads cases from standard input and writes an outcome for each to standard output, as the structures below say. The
 * registers of a case are put in place by a signal handler: the runner executes ud2, the handler changes the context that
 * it returns to. The instruction lies in a page of int3, so it comes back with SIGTRAP, or with the signal that it raised.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000u
#define CODE_BYTES 0x80000u
#define WINDOW_BYTES 1024
#define WINDOW (0x20001000u - WINDOW_BYTES)
#define FLAGS 0xcd5u

struct input {
  uint64_t registers[16];
  uint64_t flags;
  uint8_t fx[512];
  uint8_t window[WINDOW_BYTES];
  uint8_t code[16];
  uint32_t offset;
  uint32_t unused;
};

struct outcome {
  uint64_t registers[16];
  uint64_t flags;
  uint64_t pc;
  uint64_t address;
  int32_t signal;
  int32_t code;
  uint8_t fx[512];
  uint8_t window[WINDOW_BYTES];
};

static struct input in;
static struct outcome out;
static uint8_t fx_in[512] __attribute__((aligned(16)));
static uint8_t fx_out[512] __attribute__((aligned(16)));
static volatile int running;
static mcontext_t back;

/* Indices of the general registers in the order of their encoding. */
#ifdef __x86_64__
#define COUNT 16
static const int order[COUNT] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                 REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
#define PC REG_RIP
#else
#define COUNT 8
static const int order[COUNT] = {REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI};
#define PC REG_EIP
#endif

static void handler(int number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (!running) {
    running = 1;
    memcpy(back.gregs, registers, sizeof back.gregs);
    for (int i = 0; i < COUNT; i++) registers[order[i]] = (greg_t)in.registers[i];
    registers[REG_EFL] = (registers[REG_EFL] & ~(greg_t)FLAGS) | (greg_t)(in.flags & FLAGS);
    registers[PC] = CODE + in.offset;
    return;
  }
  running = 0;
  for (int i = 0; i < COUNT; i++) out.registers[i] = sizeof(greg_t) == 8 ? (uint64_t)registers[order[i]] : (uint32_t)registers[order[i]];
  out.flags = registers[REG_EFL] & FLAGS;
  out.pc = sizeof(greg_t) == 8 ? (uint64_t)registers[PC] : (uint32_t)registers[PC];
  out.signal = number;
  out.code = info->si_code;
  out.address = (uintptr_t)info->si_addr;
  memcpy(registers, back.gregs, sizeof back.gregs);
  registers[PC] += 2; /* behind ud2 */
}

static void *map(void *address, size_t length, int protection, int flags, int file) {
  void *where = mmap(address, length, protection, flags, file, 0);
  if (where == MAP_FAILED) {
    perror("mmap");
    _exit(1);
  }
  return where;
}

/* Code that cases may run and read, but not write. Returns where it can be written. */
static uint8_t *map_code(void) {
  int file = memfd_create("code", 0);
  if (file < 0 || ftruncate(file, CODE_BYTES) != 0) {
    perror("memfd_create");
    _exit(1);
  }
  map((void *)(uintptr_t)CODE, CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, file);
  return map(NULL, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file);
}

int main(void) {
  static uint8_t stack[1 << 16];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&alternate, NULL);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int numbers[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGBUS};
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
  uint8_t *code = map_code();
  void *page = (void *)(uintptr_t)(WINDOW & ~4095u);
  uint8_t *data = map(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
  uint8_t *window = data + (WINDOW & 4095);
  memset(code, 0xcc, CODE_BYTES);
  /* The default state: everything masked. */
  __asm__ volatile("fninit; fxsave %0" : "=m"(fx_out));
  while (fread(&in, sizeof in, 1, stdin) == 1) {
    alarm(10);
    memcpy(fx_in, in.fx, sizeof fx_in);
    memset(data, 0, 4096);
    memcpy(window, in.window, WINDOW_BYTES);
    memcpy(code + in.offset, in.code, sizeof in.code);
    memset(&out, 0, sizeof out);
    __asm__ volatile("fxrstor %1; ud2; fxsave %0; fninit; ldmxcsr %2"
                     : "=m"(fx_out)
                     : "m"(fx_in), "m"(*(const uint32_t[]){0x1f80})
                     : "memory", "cc");
    memcpy(out.fx, fx_out, sizeof fx_out);
    memcpy(out.window, window, WINDOW_BYTES);
    memset(code + in.offset, 0xcc, sizeof in.code);
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
