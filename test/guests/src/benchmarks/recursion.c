/* Calls and returns: Fibonacci numbers, Ackermann's and Takeuchi's functions, mutual recursion, calls through pointers. */
#include "benchmarks.h"

#include <stdio.h>

/* gcc would turn much of the recursion into loops and inlined copies. */
#define RECURSIVE __attribute__((noinline, optimize("no-optimize-sibling-calls")))

static RECURSIVE uint32_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static RECURSIVE uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static RECURSIVE int takeuchi(int x, int y, int z) {
  return y < x ? takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y)) : z;
}

static uint32_t male(uint32_t n);
static RECURSIVE uint32_t female(uint32_t n) { return n == 0 ? 1 : n - male(female(n - 1)); }
static RECURSIVE uint32_t male(uint32_t n) { return n == 0 ? 0 : n - female(male(n - 1)); }

static RECURSIVE uint32_t add_one(uint32_t x) { return x + 1; }
static RECURSIVE uint32_t double_it(uint32_t x) { return x + x; }
static RECURSIVE uint32_t mix_bits(uint32_t x) { return x ^ x >> 3; }

static uint32_t through_pointers(uint32_t count) {
  static uint32_t (*volatile const functions[])(uint32_t) = { add_one, double_it, mix_bits };
  uint32_t value = 1;
  for (uint32_t i = 0; i < count; i++) value = functions[(value >> 4) % 3](value) + i;
  return value;
}

void run_recursion(double scale) {
  uint32_t checksum = 0;
  for (uint32_t round = repetitions(35, scale); round > 0; round--) {
    checksum = fold(checksum, fibonacci(25 + round % 3));
    checksum = fold(checksum, ackermann(2, 200 + round % 4));
    checksum = fold(checksum, (uint32_t)takeuchi(14, 8 + (int)(round % 2), 0));
    checksum = fold(checksum, female(60 + round % 5));
    checksum = fold(checksum, through_pointers(200000));
  }
  printf("recursion: %08x\n", (unsigned)checksum);
}
