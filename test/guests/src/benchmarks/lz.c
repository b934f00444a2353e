/* An LZ77 compressor with hash chains, and its decompressor, over text-like data. */
#include "benchmarks.h"

#include <stdio.h>
#include <string.h>

#define SIZE (256 * 1024)
#define HASH_BITS 14
#define CHAIN 16
#define LONGEST 255
#define SHORTEST 4

static uint8_t original[SIZE], packed[SIZE * 2], unpacked[SIZE];
static int32_t heads[1 << HASH_BITS], previous[SIZE];

static void fill(uint8_t *bytes, size_t size, uint32_t *seed) {
  size_t at = 0;
  while (at < size) {
    uint32_t random = next_random(seed);
    if (at > 1024 && (random & 3) != 0) {
      size_t length = 4 + (random >> 8) % 40, distance = 1 + (random >> 14) % 1000;
      for (; length > 0 && at < size; length--, at++) bytes[at] = bytes[at - distance];
    } else {
      for (size_t length = 1 + (random >> 8) % 12; length > 0 && at < size; length--, at++) {
        bytes[at] = (uint8_t)('a' + next_random(seed) % 26);
      }
    }
  }
}

static uint32_t hash_at(const uint8_t *bytes) {
  uint32_t word = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  return word * 2654435761u >> (32 - HASH_BITS);
}

/* A match is 1..255 (its length), a distance of two bytes; literals are 0, their count, themselves. */
static size_t compress_bytes(const uint8_t *in, size_t size, uint8_t *out) {
  size_t written = 0, literals = 0, at = 0;
  for (size_t i = 0; i < 1 << HASH_BITS; i++) heads[i] = -1;
  while (at < size) {
    size_t best = 0, distance = 0;
    if (at + SHORTEST <= size) {
      uint32_t hash = hash_at(in + at);
      int32_t candidate = heads[hash];
      for (int tries = CHAIN; candidate >= 0 && at - (size_t)candidate < 65536 && tries > 0; tries--) {
        size_t length = 0, limit = size - at < LONGEST ? size - at : LONGEST;
        while (length < limit && in[(size_t)candidate + length] == in[at + length]) length++;
        if (length > best) best = length, distance = at - (size_t)candidate;
        candidate = previous[candidate];
      }
      previous[at] = heads[hash];
      heads[hash] = (int32_t)at;
    }
    if (best < SHORTEST) {
      literals++, at++;
      if (literals < 255 && at < size) continue;
    }
    if (literals > 0) {
      out[written++] = 0;
      out[written++] = (uint8_t)literals;
      memcpy(out + written, in + at - literals, literals);
      written += literals;
      literals = 0;
    }
    if (best >= SHORTEST) {
      out[written++] = (uint8_t)best;
      out[written++] = (uint8_t)(distance >> 8);
      out[written++] = (uint8_t)distance;
      at += best;
    }
  }
  return written;
}

static size_t decompress_bytes(const uint8_t *in, size_t size, uint8_t *out) {
  size_t at = 0, written = 0;
  while (at < size) {
    size_t length = in[at++];
    if (length == 0) {
      length = in[at++];
      memcpy(out + written, in + at, length);
      at += length, written += length;
    } else {
      size_t distance = (size_t)in[at] << 8 | in[at + 1];
      at += 2;
      for (; length > 0; length--, written++) out[written] = out[written - distance];
    }
  }
  return written;
}

void run_lz(double scale) {
  uint32_t seed = 3, checksum = 0;
  for (uint32_t round = repetitions(160, scale); round > 0; round--) {
    fill(original, SIZE, &seed);
    size_t size = compress_bytes(original, SIZE, packed);
    size_t back = decompress_bytes(packed, size, unpacked);
    if (back != SIZE || memcmp(original, unpacked, SIZE) != 0) puts("lz: unpacked differs from original");
    checksum = fold(checksum, (uint32_t)size);
    for (size_t i = 0; i < size; i += 97) checksum = fold(checksum, packed[i]);
  }
  printf("lz: %08x\n", (unsigned)checksum);
}
