/* One program for all benchmarks: `benchmarks NAME [SCALE]`; without a name it lists them. */
#include "benchmarks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct benchmark benchmarks[] = {
  { "sha256", run_sha256 },
  { "sieve", run_sieve },
  { "queens", run_queens },
  { "bytecode", run_bytecode },
  { "strings", run_strings },
  { "lz", run_lz },
  { "sort", run_sort },
  { "hash", run_hash },
  { "matrix", run_matrix },
  { "nbody", run_nbody },
  { "mandelbrot", run_mandelbrot },
  { "recursion", run_recursion },
  { "chase", run_chase },
  { "mix", run_mix },
};

int main(int argc, char **argv) {
  size_t count = sizeof benchmarks / sizeof benchmarks[0];
  if (argc < 2) {
    for (size_t i = 0; i < count; i++) puts(benchmarks[i].name);
    return 0;
  }
  double scale = argc > 2 ? atof(argv[2]) : 1;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(argv[1], benchmarks[i].name) == 0) {
      benchmarks[i].run(scale);
      return 0;
    }
  }
  fprintf(stderr, "benchmarks: no benchmark named %s\n", argv[1]);
  return 1;
}
