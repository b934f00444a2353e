/* The area of the Mandelbrot set by counting points on a grid. */
#include "benchmarks.h"

#include <stdio.h>

#define COLUMNS 300
#define ROWS 200
#define LIMIT 200

static int escapes_after(double re, double im) {
  double x = 0, y = 0;
  for (int i = 0; i < LIMIT; i++) {
    double xx = x * x, yy = y * y;
    if (xx + yy > 4) return i;
    y = 2 * x * y + im;
    x = xx - yy + re;
  }
  return LIMIT;
}

void run_mandelbrot(double scale) {
  uint32_t inside = 0, rounds = repetitions(40, scale);
  for (uint32_t round = 0; round < rounds; round++) {
    double shift = (double)round / rounds / ROWS;
    for (int row = 0; row < ROWS; row++) {
      for (int column = 0; column < COLUMNS; column++) {
        double re = -2 + 3.0 * column / COLUMNS + shift, im = -1.25 + 2.5 * row / ROWS;
        inside += escapes_after(re, im) == LIMIT;
      }
    }
  }
  /* Three digits: rounding differs with fused multiply-add, and orbits at the border are chaotic. */
  printf("mandelbrot: area %.2f\n", 3.0 * 2.5 * inside / ((double)rounds * COLUMNS * ROWS));
}
