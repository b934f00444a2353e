/* The Mandelbrot set in characters: `mandelbrot [COLUMNS [ROWS [ITERATIONS]]]`. No C library. */
#include "bare.h"

static int main(int argc, char **argv) {
  static const char shades[] = " .:-=+*#%@";
  int columns = number_or(argc > 1 ? argv[1] : NULL, 78), rows = number_or(argc > 2 ? argv[2] : NULL, 31);
  int limit = number_or(argc > 3 ? argv[3] : NULL, 255);
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++) {
      double re = -2.2 + 3.2 * column / columns, im = -1.25 + 2.5 * (row + 0.5) / rows, x = 0, y = 0;
      int i = 0;
      for (; i < limit && x * x + y * y < 4; i++) {
        double next = x * x - y * y + re;
        y = 2 * x * y + im;
        x = next;
      }
      put(shades[i == limit ? 9 : i / 2 % 9]);
    }
    put('\n');
  }
  return 0;
}
