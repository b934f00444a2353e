/* The sun and its four giant planets, by symplectic integration; prints their energy. */
#include "benchmarks.h"

#include <math.h>
#include <stdio.h>

#define BODIES 5
#define DAYS 365.24
#define SOLAR_MASS (4 * 9.869604401089358)

struct body {
  double position[3], velocity[3], mass;
};

static const struct body start[BODIES] = {
  { { 0, 0, 0 }, { 0, 0, 0 }, SOLAR_MASS },
  { { 4.84143144246472090, -1.16032004402742839, -0.103622044471123109 },
    { 0.00166007664274403694 * DAYS, 0.00769901118419740425 * DAYS, -0.0000690460016972063023 * DAYS },
    0.000954791938424326609 * SOLAR_MASS },
  { { 8.34336671824457987, 4.12479856412430479, -0.403523417114321381 },
    { -0.00276742510726411021 * DAYS, 0.00499852801234917238 * DAYS, 0.0000230417297573763929 * DAYS },
    0.000285885980666130812 * SOLAR_MASS },
  { { 12.8943695621391310, -15.1111514016986312, -0.223307578892655734 },
    { 0.00296460137564761618 * DAYS, 0.00237847173959480950 * DAYS, -0.0000296589568540237556 * DAYS },
    0.0000436624404335156298 * SOLAR_MASS },
  { { 15.3796971148509165, -25.9193146099879641, 0.179258772950371181 },
    { 0.00268067772490389322 * DAYS, 0.00162824170038242295 * DAYS, -0.0000951592254519715870 * DAYS },
    0.0000515138902046611451 * SOLAR_MASS },
};

static void advance(struct body *bodies, double step) {
  for (int i = 0; i < BODIES; i++) {
    for (int j = i + 1; j < BODIES; j++) {
      double dx = bodies[i].position[0] - bodies[j].position[0];
      double dy = bodies[i].position[1] - bodies[j].position[1];
      double dz = bodies[i].position[2] - bodies[j].position[2];
      double squared = dx * dx + dy * dy + dz * dz;
      double magnitude = step / (squared * sqrt(squared));
      double pull_i = bodies[j].mass * magnitude, pull_j = bodies[i].mass * magnitude;
      bodies[i].velocity[0] -= dx * pull_i, bodies[j].velocity[0] += dx * pull_j;
      bodies[i].velocity[1] -= dy * pull_i, bodies[j].velocity[1] += dy * pull_j;
      bodies[i].velocity[2] -= dz * pull_i, bodies[j].velocity[2] += dz * pull_j;
    }
  }
  for (int i = 0; i < BODIES; i++) {
    for (int k = 0; k < 3; k++) bodies[i].position[k] += step * bodies[i].velocity[k];
  }
}

static double energy(const struct body *bodies) {
  double sum = 0;
  for (int i = 0; i < BODIES; i++) {
    const double *v = bodies[i].velocity;
    sum += 0.5 * bodies[i].mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int j = i + 1; j < BODIES; j++) {
      double squared = 0;
      for (int k = 0; k < 3; k++) {
        double d = bodies[i].position[k] - bodies[j].position[k];
        squared += d * d;
      }
      sum -= bodies[i].mass * bodies[j].mass / sqrt(squared);
    }
  }
  return sum;
}

void run_nbody(double scale) {
  struct body bodies[BODIES];
  for (int i = 0; i < BODIES; i++) bodies[i] = start[i];
  for (int k = 0; k < 3; k++) {
    double momentum = 0;
    for (int i = 0; i < BODIES; i++) momentum += bodies[i].velocity[k] * bodies[i].mass;
    bodies[0].velocity[k] = -momentum / SOLAR_MASS;
  }
  printf("nbody: energy %.9f\n", energy(bodies));
  for (uint32_t step = repetitions(5000000, scale); step > 0; step--) advance(bodies, 0.01);
  printf("nbody: energy %.8f\n", energy(bodies));
}
