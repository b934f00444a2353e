/* Counts the ways to place n queens, by recursion over bit masks and, for smaller boards, over arrays. */
#include "benchmarks.h"

#include <stdio.h>
#include <stdlib.h>

static uint32_t place(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint32_t solutions = 0;
  for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    uint32_t queen = free & -free;
    solutions += place(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
  }
  return solutions;
}

static int is_safe(const int *rows, int column) {
  for (int i = 0; i < column; i++) {
    if (rows[i] == rows[column] || abs(rows[i] - rows[column]) == column - i) return 0;
  }
  return 1;
}

static uint32_t backtrack(int n) {
  int rows[16] = { 0 };
  uint32_t solutions = 0;
  int column = 0;
  rows[0] = -1;
  while (column >= 0) {
    if (++rows[column] == n) {
      column--;
    } else if (is_safe(rows, column)) {
      if (column == n - 1) {
        solutions++;
      } else {
        rows[++column] = -1;
      }
    }
  }
  return solutions;
}

void run_queens(double scale) {
  uint32_t masks = 0, arrays = 0;
  for (uint32_t round = repetitions(200, scale); round > 0; round--) {
    int n = 8 + (int)(round % 4);
    masks += place((1u << n) - 1, 0, 0, 0);
    arrays += backtrack(n - 1);
  }
  printf("queens: %u by masks, %u by arrays\n", (unsigned)masks, (unsigned)arrays);
}
