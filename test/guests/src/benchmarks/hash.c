/* Hash tables: open addressing with integer keys, and chains of allocated entries with text keys. */
#include "benchmarks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (1 << 17)
#define BUCKETS 8192

struct slot {
  uint32_t key, value;
};

struct entry {
  struct entry *next;
  uint32_t count;
  char key[16];
};

static struct slot slots[SLOTS];
static struct entry *buckets[BUCKETS];

static struct slot *find_slot(uint32_t key) {
  uint32_t at = key * 2654435761u >> 15;
  while (slots[at].key != 0 && slots[at].key != key) at = (at + 1) & (SLOTS - 1);
  return &slots[at];
}

static uint32_t integers(uint32_t round) {
  uint32_t seed = round, checksum = 0;
  memset(slots, 0, sizeof slots);
  for (int i = 0; i < 200000; i++) {
    uint32_t key = (next_random(&seed) >> 16) + 1;
    struct slot *slot = find_slot(key);
    slot->key = key;
    slot->value += (uint32_t)i;
  }
  for (uint32_t key = 1; key <= 65536; key++) checksum = fold(checksum, find_slot(key)->value);
  return checksum;
}

static uint32_t hash_text(const char *text) {
  uint32_t hash = 2166136261u;
  for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 16777619u;
  return hash;
}

static void count_text(const char *key) {
  struct entry **link = &buckets[hash_text(key) % BUCKETS];
  while (*link && strcmp((*link)->key, key) != 0) link = &(*link)->next;
  if (!*link) {
    *link = calloc(1, sizeof **link);
    strcpy((*link)->key, key);
  }
  (*link)->count++;
}

static uint32_t texts(uint32_t round) {
  uint32_t seed = round, checksum = 0;
  for (int i = 0; i < 50000; i++) {
    char key[16];
    uint32_t random = next_random(&seed) >> 18;
    int length = 0;
    for (; random != 0 || length < 3; random /= 26) key[length++] = (char)('a' + random % 26);
    key[length] = 0;
    count_text(key);
  }
  for (int i = 0; i < BUCKETS; i++) {
    while (buckets[i]) {
      struct entry *entry = buckets[i];
      checksum += entry->count * hash_text(entry->key);
      buckets[i] = entry->next;
      free(entry);
    }
  }
  return checksum;
}

void run_hash(double scale) {
  uint32_t checksum = 0;
  for (uint32_t round = repetitions(60, scale); round > 0; round--) {
    checksum = fold(checksum, integers(round));
    checksum = fold(checksum, texts(round));
  }
  printf("hash: %08x\n", (unsigned)checksum);
}
