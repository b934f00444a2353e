/* Work on text: tokens, word counts, searching, case, formatting and number conversion. */
#include "benchmarks.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
  "stone", "tablet", "inscription", "guest", "host", "block", "region", "translate", "engine", "memory",
  "page",  "signal", "register",    "carry", "link", "count", "branch", "condition", "float",  "word",
};
#define WORDS (sizeof words / sizeof words[0])

static size_t write_text(char *text, size_t size, uint32_t *seed) {
  size_t length = 0;
  while (length + 64 < size) {
    uint32_t random = next_random(seed);
    const char *word = words[random % WORDS];
    if (random & 0x100) {
      length += (size_t)snprintf(text + length, size - length, "%s ", word);
    } else {
      length += (size_t)snprintf(text + length, size - length, "%s-%u,\n", word, (unsigned)(random >> 20));
    }
  }
  text[length] = 0;
  return length;
}

static uint32_t count_letters(const char *text) {
  uint32_t counts[26] = { 0 }, checksum = 0;
  for (; *text; text++) {
    if (isalpha((unsigned char)*text)) counts[toupper((unsigned char)*text) - 'A']++;
  }
  for (int i = 0; i < 26; i++) checksum = fold(checksum, counts[i]);
  return checksum;
}

static uint32_t count_words(char *text) {
  uint32_t counts[WORDS] = { 0 }, numbers = 0, checksum = 0;
  for (char *token = strtok(text, " ,\n"); token; token = strtok(NULL, " ,\n")) {
    char *dash = strchr(token, '-');
    if (dash) {
      *dash = 0;
      numbers += (uint32_t)strtoul(dash + 1, NULL, 10);
    }
    for (size_t i = 0; i < WORDS; i++) {
      if (strcmp(token, words[i]) == 0) counts[i]++;
    }
  }
  for (size_t i = 0; i < WORDS; i++) checksum = fold(checksum, counts[i]);
  return fold(checksum, numbers);
}

static uint32_t find_all(const char *text, const char *needle) {
  uint32_t found = 0;
  for (const char *at = strstr(text, needle); at; at = strstr(at + 1, needle)) found++;
  return found;
}

static void reverse(char *text, size_t length) {
  for (size_t i = 0, j = length; i < j--; i++) {
    char c = text[i];
    text[i] = text[j], text[j] = c;
  }
}

void run_strings(double scale) {
  static char text[65536], copy[65536];
  uint32_t seed = 7, checksum = 0;
  for (uint32_t round = repetitions(150, scale); round > 0; round--) {
    size_t length = write_text(text, sizeof text, &seed);
    checksum = fold(checksum, count_letters(text));
    checksum = fold(checksum, find_all(text, words[round % WORDS]));
    memcpy(copy, text, length + 1);
    reverse(copy, length);
    checksum = fold(checksum, (uint32_t)strlen(copy) + (uint8_t)copy[length / 2]);
    reverse(copy, length);
    if (memcmp(copy, text, length) != 0) puts("strings: reversed twice, not the same");
    checksum = fold(checksum, count_words(copy));
  }
  printf("strings: %08x\n", (unsigned)checksum);
}
