/*
 * Benchmarks in portable C: each does a fixed amount of work for a scale and returns a checksum
 * that does not depend on byte order, word size or fused multiply-add.
 */
#ifndef BENCHMARKS_H
#define BENCHMARKS_H

#include <stddef.h>
#include <stdint.h>

struct benchmark {
  const char *name;
  /* At scale 1, native code takes about half a second. Prints its checksum. */
  void (*run)(double scale);
};

/* The number of repetitions for a scale: at least one. */
static inline uint32_t repetitions(double count, double scale) {
  double scaled = count * scale;
  return scaled < 1 ? 1 : (uint32_t)scaled;
}

/* A small generator of pseudo-random numbers (xorshift32); the state must not be 0. */
static inline uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

/* Folds a word into a checksum (one step of FNV-1a on whole words). */
static inline uint32_t fold(uint32_t checksum, uint32_t word) { return (checksum ^ word) * 16777619u; }

void run_sha256(double scale);
void run_sieve(double scale);
void run_queens(double scale);
void run_bytecode(double scale);
void run_strings(double scale);
void run_lz(double scale);
void run_sort(double scale);
void run_hash(double scale);
void run_matrix(double scale);
void run_nbody(double scale);
void run_mandelbrot(double scale);
void run_recursion(double scale);
void run_chase(double scale);
void run_mix(double scale);

#endif
