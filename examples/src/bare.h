/* What programs without a C library need: an entry, system calls, buffered output, numbers. Linux on 32-bit PowerPC, x86-64, i386. */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__powerpc__)

enum { SYS_exit = 1, SYS_write = 4, SYS_nanosleep = 162 };

static long system_call(long number, long a, long b, long c) {
  register long r0 __asm__("r0") = number;
  register long r3 __asm__("r3") = a;
  register long r4 __asm__("r4") = b;
  register long r5 __asm__("r5") = c;
  __asm__ volatile("sc; bns+ 0f; neg 3, 3; 0:"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5)
                   :
                   : "memory", "cr0", "ctr", "r6", "r7", "r8", "r9", "r10", "r11", "r12");
  return r3;
}

/* At entry r1 points to argc, followed by the arguments. */
__asm__(".globl _start\n_start:\n  mr 3, 1\n  li 0, 0\n  stwu 1, -32(1)\n  stw 0, 0(1)\n  bl start\n");

#elif defined(__x86_64__)

enum { SYS_exit = 60, SYS_write = 1, SYS_nanosleep = 35 };

static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "memory", "rcx", "r11");
  return result;
}

/* At entry rsp points to argc, followed by the arguments. */
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call start\n");

#elif defined(__i386__)

enum { SYS_exit = 1, SYS_write = 4, SYS_nanosleep = 162 };

static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
  return result;
}

/* At entry esp points to argc, followed by the arguments. */
__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %esp, %eax\n  and $-16, %esp\n  sub $12, %esp\n  push %eax\n  call start\n");

#endif

static char output[8192];
static size_t pending;

static void flush(void) {
  for (size_t done = 0; done < pending;) {
    long written = system_call(SYS_write, 1, (long)(output + done), (long)(pending - done));
    if (written <= 0) system_call(SYS_exit, 1, 0, 0);
    done += (size_t)written;
  }
  pending = 0;
}

static void put(char c) {
  if (pending == sizeof output) flush();
  output[pending++] = c;
}

static inline void print(const char *text) {
  while (*text) put(*text++);
}

static inline void sleep_milliseconds(long milliseconds) {
  struct {
    long seconds, nanoseconds;
  } time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
  system_call(SYS_nanosleep, (long)&time, 0, 0);
}

/* The number that a text starts with, or what to assume without one. */
static inline int number_or(const char *text, int otherwise) {
  int value = 0;
  if (!text || *text < '0' || *text > '9') return otherwise;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (*text - '0');
  return value;
}

/* The compiler may call these for copies and initializations; it must not find their own loops to be such. */
void *memset(void *to, int byte, size_t length) {
  for (char *at = to; length > 0; length--) *at++ = (char)byte;
  return to;
}

void *memcpy(void *to, const void *from, size_t length) {
  const char *source = from;
  for (char *at = to; length > 0; length--) *at++ = *source++;
  return to;
}

static int main(int argc, char **argv);

__attribute__((used, noreturn)) static void start(long *stack) {
  int status = main((int)stack[0], (char **)(stack + 1));
  flush();
  for (;;) system_call(SYS_exit, status, 0, 0);
}

#endif
