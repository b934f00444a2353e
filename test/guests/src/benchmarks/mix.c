/*
 * A mix as in embedded benchmarks: list insertion and reversal, products of small integer matrices,
 * a state machine over text, and a CRC over the results.
 */
#include "benchmarks.h"

#include <stdio.h>

#define ITEMS 64
#define N 12

struct item {
  struct item *next;
  int16_t key, data;
};

static uint16_t crc16(uint16_t crc, uint16_t value) {
  for (int bit = 0; bit < 16; bit++) {
    uint16_t low = (crc ^ value) & 1;
    crc >>= 1, value >>= 1;
    if (low) crc ^= 0xa001;
  }
  return crc;
}

static struct item *insert_sorted(struct item *list, struct item *added) {
  struct item **link = &list;
  while (*link && (*link)->key < added->key) link = &(*link)->next;
  added->next = *link;
  *link = added;
  return list;
}

static struct item *reverse(struct item *list) {
  struct item *reversed = NULL;
  while (list) {
    struct item *next = list->next;
    list->next = reversed, reversed = list, list = next;
  }
  return reversed;
}

static uint16_t lists(uint32_t *seed) {
  static struct item items[ITEMS];
  struct item *list = NULL;
  uint16_t crc = 0;
  for (int i = 0; i < ITEMS; i++) {
    items[i].key = (int16_t)(next_random(seed) & 0x3ff);
    items[i].data = (int16_t)i;
    list = insert_sorted(list, &items[i]);
  }
  list = reverse(list);
  for (struct item *at = list; at; at = at->next) crc = crc16(crc, (uint16_t)(at->data ^ at->key));
  return crc;
}

static uint16_t matrices(uint32_t *seed) {
  static int16_t a[N][N], b[N][N];
  uint16_t crc = 0;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) a[i][j] = (int16_t)(next_random(seed) >> 20), b[i][j] = (int16_t)(i - j);
  }
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      int32_t sum = 0;
      for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
      crc = crc16(crc, (uint16_t)(sum >> 2));
    }
  }
  return crc;
}

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static enum state step(enum state state, char c) {
  int digit = c >= '0' && c <= '9';
  switch (state) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN: return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case POINT: return digit ? FRACTION : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit ? SCIENTIFIC : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC: return digit ? SCIENTIFIC : INVALID;
    default: return INVALID;
  }
}

static uint16_t numbers(uint32_t *seed) {
  static const char *const samples[] = { "5012", "-874", "+122", "35.54400", ".1234500", "-110.700", "+0.64400",
                                         "5.500e+3", "-.123e-2", "-87e+832", "+0.6e-12", "T0.3e-1F", "-T.T++Tq",
                                         "1T3.4e4z", "34.0e-T^", "e" };
  uint32_t final[STATES] = { 0 };
  uint16_t crc = 0;
  for (int i = 0; i < 48; i++) {
    enum state state = START;
    for (const char *at = samples[next_random(seed) >> 28]; *at && state != INVALID; at++) state = step(state, *at);
    final[state]++;
  }
  for (int i = 0; i < STATES; i++) crc = crc16(crc, (uint16_t)final[i]);
  return crc;
}

void run_mix(double scale) {
  uint32_t seed = 17;
  uint16_t crc = 0;
  for (uint32_t round = repetitions(50000, scale); round > 0; round--) {
    crc = crc16(crc, lists(&seed));
    crc = crc16(crc, matrices(&seed));
    crc = crc16(crc, numbers(&seed));
  }
  printf("mix: %04x\n", (unsigned)crc);
}
