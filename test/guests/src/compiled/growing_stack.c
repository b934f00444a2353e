/* A stack that grows beyond what is mapped at the start, in a hot loop that has more to keep than the stack pointer. */
#include <alloca.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static unsigned fill(unsigned pages, unsigned seed) {
  unsigned sum = seed, product = 1, last = 0;
  for (unsigned page = 0; page < pages; page++) {
    volatile unsigned char *block = alloca(4096);
    block[0] = (unsigned char)(page + seed);
    block[4000] = (unsigned char)last;
    sum += block[0] * 3 + block[4000];
    product = product * 16777619u ^ sum;
    last = block[0] ^ product;
  }
  return sum ^ product;
}

int main(void) {
  struct rlimit limit = {.rlim_cur = 64 << 20, .rlim_max = RLIM_INFINITY};
  unsigned result = 0;
  getrlimit(RLIMIT_STACK, &limit);
  limit.rlim_cur = 64 << 20;
  if (setrlimit(RLIMIT_STACK, &limit) != 0) return 1;
  /* Hot before it grows: what grows it is translated code. */
  for (unsigned round = 0; round < 40; round++) result = result * 31 + fill(100, round);
  for (unsigned pages = 500; pages <= 8000; pages += 1500) result = result * 31 + fill(pages, pages);
  printf("%08x\n", result);
  return 0;
}
