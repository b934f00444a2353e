/* The sieve of Eratosthenes over a byte per odd number: strided stores. */
#include "benchmarks.h"

#include <stdio.h>
#include <string.h>

#define LIMIT 2000000

void run_sieve(double scale) {
  static uint8_t composite[LIMIT / 2];
  uint32_t count = 0, last = 0, checksum = 0;
  for (uint32_t round = repetitions(90, scale); round > 0; round--) {
    memset(composite, 0, sizeof composite);
    count = 1;
    for (uint32_t i = 1; i < LIMIT / 2; i++) {
      if (composite[i]) continue;
      uint32_t prime = 2 * i + 1;
      count++, last = prime;
      if (prime < 1415) {
        for (uint32_t j = prime * prime / 2; j < LIMIT / 2; j += prime) composite[j] = 1;
      }
    }
    checksum = fold(checksum, last ^ round);
  }
  printf("sieve: %u primes below %u, the last %u, %08x\n", (unsigned)count, LIMIT, (unsigned)last, (unsigned)checksum);
}
