/*
 * A program that misbehaves as it is told to: `trouble crash`, `spin`, `hoard`, `flood`; and well: `work [UNITS]`,
 * `rest [MILLISECONDS]`. No C library.
 */
#include "bare.h"

#ifdef __x86_64__
enum { SYS_brk = 12 };
#else
enum { SYS_brk = 45 };
#endif

#define KIBIBYTE 1024l
#define PAGE 4096l

static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void print_number(unsigned long number) {
  char digits[24];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + number % 10);
  while (number /= 10);
  print(at);
}

/* Takes memory, 64 KiB at a time, and writes to every page, until there is none left. */
static int hoard(void) {
  long start = system_call(SYS_brk, 0, 0, 0);
  long end = start;
  for (;;) {
    long wanted = end + 64 * KIBIBYTE;
    if (system_call(SYS_brk, wanted, 0, 0) != wanted) break;
    for (; end < wanted; end += PAGE) *(volatile char *)end = 1;
  }
  print("no more than "), print_number((unsigned long)(end - start) / KIBIBYTE), print(" KiB\n");
  return 1;
}

/* A unit is a few million instructions; the result depends on all of them. */
static int work(int units) {
  uint32_t state = 1;
  for (int unit = 0; unit < units; unit++) {
    for (int i = 0; i < 1000000; i++) state ^= state << 13, state ^= state >> 17, state ^= state << 5;
  }
  print_number(state), print("\n");
  return 0;
}

static int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (same(what, "crash")) *(volatile int *)16 = 1;
  if (same(what, "spin")) {
    for (volatile unsigned turns = 0;; turns++) {}
  }
  if (same(what, "hoard")) return hoard();
  if (same(what, "flood")) {
    for (;;) print("more and more and more\n");
  }
  if (same(what, "work")) return work(number_or(argc > 2 ? argv[2] : NULL, 10));
  if (same(what, "rest")) return sleep_milliseconds(number_or(argc > 2 ? argv[2] : NULL, 1000)), 0;
  print("trouble crash | spin | hoard | flood | work [UNITS] | rest [MILLISECONDS]\n");
  return 2;
}
