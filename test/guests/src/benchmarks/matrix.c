/* Products of matrices of doubles. */
#include "benchmarks.h"

#include <stdio.h>

#define N 200

static double a[N][N], b[N][N], c[N][N];

static void multiply(void) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
      c[i][j] = sum;
    }
  }
}

void run_matrix(double scale) {
  uint32_t seed = 5;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      a[i][j] = next_random(&seed) / 4294967296.0 / N;
      b[i][j] = next_random(&seed) / 4294967296.0;
    }
  }
  double trace = 0;
  for (uint32_t round = repetitions(50, scale); round > 0; round--) {
    multiply();
    for (int i = 0; i < N; i++) trace += c[i][i];
    for (int i = 0; i < N; i++) b[i][i] += c[i][N - 1 - i] / (1 + round);
  }
  printf("matrix: %.8g\n", trace);
}
