/* The heap and mappings. */
#include "checks.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static uint32_t random_state = 1;

static uint32_t next(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

int check_heap(int argc, char **argv) {
  (void)argc, (void)argv;
  enum { SLOTS = 512 };
  static struct {
    unsigned char *bytes;
    size_t size;
    unsigned char fill;
  } slots[SLOTS];
  int damaged = 0;
  for (int round = 0; round < 40000; round++) {
    int i = (int)(next() % SLOTS);
    for (size_t k = 0; k < slots[i].size; k += 37) damaged += slots[i].bytes[k] != slots[i].fill;
    size_t size = next() % (round % 100 == 0 ? 300000 : 2000);
    switch (next() % 4) {
      case 0:
        free(slots[i].bytes);
        slots[i].bytes = NULL;
        size = 0;
        break;
      case 1:
        free(slots[i].bytes);
        slots[i].bytes = calloc(size + 1, 1);
        for (size_t k = 0; k <= size; k += 29) damaged += slots[i].bytes[k] != 0;
        break;
      case 2: {
        size_t kept = size < slots[i].size ? size : slots[i].size;
        slots[i].bytes = realloc(slots[i].bytes, size + 1);
        for (size_t k = 0; k < kept; k += 31) damaged += slots[i].bytes[k] != slots[i].fill;
        break;
      }
      default:
        free(slots[i].bytes);
        slots[i].bytes = memalign(64, size + 1);
        damaged += ((uintptr_t)slots[i].bytes & 63) != 0;
    }
    slots[i].size = size;
    slots[i].fill = (unsigned char)round;
    if (size) memset(slots[i].bytes, slots[i].fill, size);
  }
  SHOW(damaged);
  for (int i = 0; i < SLOTS; i++) free(slots[i].bytes);
  volatile size_t many = 1;
  SHOW(malloc(SIZE_MAX - many) == NULL && errno == ENOMEM);
  SHOW(calloc(many << 20, 1 << 20) == NULL);
  void *aligned = NULL;
  SHOW(posix_memalign(&aligned, 4096, 100));
  SHOW(((uintptr_t)aligned & 4095) == 0);
  free(aligned);
  char *start = sbrk(0);
  SHOW(start != (void *)-1);
  SHOW(sbrk(10000) == start);
  memset(start, 1, 10000);
  SHOW((char *)sbrk(0) - start);
  SHOW(brk(start));
  SHOW((char *)sbrk(0) - start);
  char *large = malloc(64 << 20);
  for (size_t at = 0; at < 64 << 20; at += 1 << 20) large[at] = (char)at;
  SHOW(large != NULL);
  free(large);
  return 0;
}

int check_mapping(int argc, char **argv) {
  (void)argc, (void)argv;
  char *pages = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SHOW(pages != MAP_FAILED);
  SHOW(((uintptr_t)pages & (PAGE - 1)) == 0);
  int zeros = 1;
  for (int i = 0; i < 8 * PAGE; i++) zeros &= pages[i] == 0;
  SHOW(zeros);
  for (int i = 0; i < 8; i++) pages[i * PAGE] = (char)(i + 1);
  SHOW(munmap(pages + 2 * PAGE, PAGE));
  SHOW_CALL(write(1, pages + 2 * PAGE, 1));
  SHOW_CALL(madvise(pages + 2 * PAGE, PAGE, MADV_NORMAL));
  SHOW(mmap(pages + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
       pages + 2 * PAGE);
  SHOW(pages[2 * PAGE]);
  SHOW(pages[3 * PAGE]);
  SHOW(mprotect(pages, PAGE, PROT_READ));
  int ends[2];
  SHOW(pipe(ends));
  SHOW(write(ends[1], "abc", 3));
  SHOW_CALL(read(ends[0], pages, 3));
  SHOW(mprotect(pages, PAGE, PROT_READ | PROT_WRITE));
  SHOW(read(ends[0], pages, 3));
  SHOW(mprotect(pages, PAGE, PROT_NONE));
  SHOW_CALL(write(ends[1], pages, 3));
  SHOW(mprotect(pages, PAGE, PROT_READ | PROT_WRITE));
  SHOW(memcmp(pages, "abc", 3));
  SHOW_CALL(mprotect(pages + 1, PAGE, PROT_READ));
  SHOW_CALL(munmap(pages + 1, PAGE));
  SHOW_CALL(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  SHOW_CALL(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
  SHOW_CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
  SHOW(munmap(pages + 7 * PAGE, PAGE));
  SHOW_CALL(mprotect(pages + 6 * PAGE, 2 * PAGE, PROT_READ));

  char *region = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(region, "moved along");
  char *grown = mremap(region, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
  SHOW(grown != MAP_FAILED);
  printf("%s\n", grown);
  grown[63 * PAGE] = 1;
  SHOW(mremap(grown, 64 * PAGE, PAGE, 0) == grown);
  SHOW_CALL(write(ends[1], grown + PAGE, 1));
  SHOW_CALL(mremap(grown, PAGE, 0, 0));
  SHOW(madvise(grown, PAGE, MADV_DONTNEED));
  SHOW(grown[0]);
  SHOW(munmap(grown, PAGE));
  SHOW(munmap(grown, PAGE));
  return 0;
}

int check_mapped_files(int argc, char **argv) {
  (void)argc, (void)argv;
  int file = open("mapped.bin", O_RDWR | O_CREAT | O_TRUNC, 0600);
  char block[PAGE];
  for (int i = 0; i < 3; i++) {
    memset(block, 'a' + i, sizeof block);
    SHOW(write(file, block, sizeof block));
  }
  SHOW(write(file, "tail", 4));
  char *private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  SHOW(private != MAP_FAILED);
  SHOW(private[0] == 'a' && private[PAGE] == 'b' && private[2 * PAGE + 5] == 'c');
  SHOW(memcmp(private + 3 * PAGE, "tail\0\0\0", 7));
  private[0] = 'X';
  SHOW(pread(file, block, 1, 0) == 1 && block[0] == 'a');
  char *second = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, PAGE);
  SHOW(second[0] == 'b' && second[PAGE - 1] == 'b');
  SHOW_CALL(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 100));
  char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  SHOW(shared != MAP_FAILED);
  memcpy(shared, "shared", 6);
  SHOW(msync(shared, PAGE, MS_SYNC));
  SHOW(pread(file, block, 6, 0) == 6 && memcmp(block, "shared", 6) == 0);
  SHOW(munmap(shared, PAGE));
  SHOW(munmap(private, 4 * PAGE));
  SHOW(close(file));
  SHOW(second[1] == 'b');
  SHOW(unlink("mapped.bin"));
  return 0;
}

/* Makes instructions just written visible to instruction fetch, as the architecture asks (gcc's __clear_cache does nothing here). */
static void synchronize_code(const void *code) {
#ifdef __PPC__
  __asm__ volatile("dcbst 0, %0; sync; icbi 0, %0; sync; isync" : : "r"(code) : "memory");
#else
  (void)code;
#endif
}

/* Instructions written to memory and run, rewritten and run again. */
int check_code_writing(int argc, char **argv) {
  (void)argc, (void)argv;
#ifdef __PPC__
  uint32_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int (*function)(void) = (int (*)(void))code;
  int wrong = 0;
  for (int i = 0; i < 500; i++) {
    code[0] = 0x38600000u | (uint32_t)i; /* li r3, i */
    code[1] = 0x4e800020u;               /* blr */
    synchronize_code(code);
    for (int k = 0; k < 3; k++) wrong += function() != i;
  }
  SHOW(wrong);
  SHOW(munmap(code, PAGE));
  code = mmap(code, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  code[0] = 0x38600000u | 77;
  code[1] = 0x4e800020u;
  synchronize_code(code);
  SHOW(mprotect(code, PAGE, PROT_READ | PROT_EXEC));
  SHOW(((int (*)(void))code)());
#endif
  return 0;
}
