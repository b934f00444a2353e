/* Conway's game of life with Gosper's glider gun: `life [GENERATIONS [MILLISECONDS]]`. No C library. */
#include "bare.h"

#define COLUMNS 78
#define ROWS 44

static const char *const gun[] = {
  "........................O...........",
  "......................O.O...........",
  "............OO......OO............OO",
  "...........O...O....OO............OO",
  "OO........O.....O...OO..............",
  "OO........O...O.OO....O.O...........",
  "..........O.....O.......O...........",
  "...........O...O....................",
  "............OO......................",
};

static uint8_t cells[ROWS][COLUMNS], next[ROWS][COLUMNS];

static int neighbours(int y, int x) {
  int count = 0;
  for (int dy = -1; dy <= 1; dy++) {
    for (int dx = -1; dx <= 1; dx++) {
      int ny = y + dy, nx = x + dx;
      if ((dy || dx) && ny >= 0 && ny < ROWS && nx >= 0 && nx < COLUMNS) count += cells[ny][nx];
    }
  }
  return count;
}

static void step(void) {
  for (int y = 0; y < ROWS; y++) {
    for (int x = 0; x < COLUMNS; x++) {
      int count = neighbours(y, x);
      next[y][x] = count == 3 || (count == 2 && cells[y][x]);
    }
  }
  memcpy(cells, next, sizeof cells);
}

/* Two rows of cells to a line of text, by the half blocks of Unicode. */
static void draw(void) {
  static const char *const blocks[] = { " ", "\u2580", "\u2584", "\u2588" };
  print("\x1b[H");
  for (int y = 0; y < ROWS; y += 2) {
    for (int x = 0; x < COLUMNS; x++) print(blocks[cells[y][x] | cells[y + 1][x] << 1]);
    put('\n');
  }
  flush();
}

static int main(int argc, char **argv) {
  int generations = number_or(argc > 1 ? argv[1] : NULL, 300);
  int pause = number_or(argc > 2 ? argv[2] : NULL, 40);
  for (int y = 0; y < 9; y++) {
    for (int x = 0; gun[y][x]; x++) cells[y + 2][x + 2] = gun[y][x] == 'O';
  }
  print("\x1b[2J\x1b[?25l");
  for (int generation = 0; generation < generations; generation++) {
    draw();
    step();
    sleep_milliseconds(pause);
  }
  print("\x1b[?25h");
  return 0;
}
