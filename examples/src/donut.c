/* A torus turning in the terminal: `donut [FRAMES [MILLISECONDS]]`. No C library, no trigonometric functions. */
#include "bare.h"

#define COLUMNS 78
#define ROWS 23

/* A point on the unit circle, turned by small steps instead of computed from an angle. */
struct rotor {
  float cosine, sine;
};

/* Turns by the rotor `by`, and pulls the length back to 1 (one step of Newton's method for 1 / sqrt). */
static void turn(struct rotor *rotor, struct rotor by) {
  float cosine = rotor->cosine * by.cosine - rotor->sine * by.sine;
  float sine = rotor->sine * by.cosine + rotor->cosine * by.sine;
  float correction = (3 - (cosine * cosine + sine * sine)) / 2;
  rotor->cosine = cosine * correction;
  rotor->sine = sine * correction;
}

static void draw(struct rotor a, struct rotor b) {
  static const struct rotor around = { 0.99755f, 0.07f }, along = { 0.9998f, 0.02f };
  static const char shades[] = ".,-~:;=!*#$@";
  static float depth[ROWS][COLUMNS];
  static char picture[ROWS][COLUMNS];
  memset(depth, 0, sizeof depth);
  memset(picture, ' ', sizeof picture);
  struct rotor tube = { 1, 0 };
  for (int i = 0; i < 90; i++, turn(&tube, around)) {
    struct rotor ring = { 1, 0 };
    for (int j = 0; j < 314; j++, turn(&ring, along)) {
      float from_center = tube.cosine + 2;
      float near = 1 / (ring.sine * from_center * a.sine + tube.sine * a.cosine + 5);
      float height = ring.sine * from_center * a.cosine - tube.sine * a.sine;
      int x = (int)(COLUMNS / 2 + 32 * near * (ring.cosine * from_center * b.cosine - height * b.sine));
      int y = (int)(ROWS / 2 + 16 * near * (ring.cosine * from_center * b.sine + height * b.cosine));
      float light = (tube.sine * a.sine - ring.sine * tube.cosine * a.cosine) * b.cosine -
                    ring.sine * tube.cosine * a.sine - tube.sine * a.cosine - ring.cosine * tube.cosine * b.sine;
      if (x < 0 || x >= COLUMNS || y < 0 || y >= ROWS || near <= depth[y][x]) continue;
      depth[y][x] = near;
      picture[y][x] = shades[light > 0 ? (int)(light * 8) : 0];
    }
  }
  print("\x1b[H");
  for (int y = 0; y < ROWS; y++) {
    for (int x = 0; x < COLUMNS; x++) put(picture[y][x]);
    put('\n');
  }
  flush();
}

static int main(int argc, char **argv) {
  static const struct rotor step_a = { 0.99755f, 0.07f }, step_b = { 0.9994f, 0.035f };
  struct rotor a = { 1, 0 }, b = { 1, 0 };
  int frames = number_or(argc > 1 ? argv[1] : NULL, 200);
  int pause = number_or(argc > 2 ? argv[2] : NULL, 30);
  print("\x1b[2J\x1b[?25l");
  for (int frame = 0; frame < frames; frame++) {
    draw(a, b);
    turn(&a, step_a), turn(&b, step_b);
    sleep_milliseconds(pause);
  }
  print("\x1b[?25h");
  return 0;
}
