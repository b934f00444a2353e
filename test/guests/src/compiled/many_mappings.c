/* More mappings than Stele protects on the host: what is accessible must stay so, and what is not must fault. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

enum { page = 4096, pages = 36000 };

static sigjmp_buf back;
static int faults;

static void handle(int signal) {
  faults += signal == SIGSEGV;
  siglongjmp(back, 1);
}

static int reads(volatile char *place) {
  if (sigsetjmp(back, 1)) return 0;
  (void)*place;
  return 1;
}

static int writes(volatile char *place) {
  if (sigsetjmp(back, 1)) return 0;
  *place = 1;
  return 1;
}

int main(void) {
  int tries = 0, read = 0, written = 0;
  struct sigaction action = { .sa_handler = handle };
  sigaction(SIGSEGV, &action, NULL);
  char *base = mmap(NULL, (size_t)pages * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < pages; i++) {
    /* Inaccessible, read-only, inaccessible, writable... */
    if (i % 2 == 1) mprotect(base + i * page, page, i % 4 == 1 ? PROT_READ : PROT_READ | PROT_WRITE);
    if (i % 100 > 7) continue;
    tries++;
    read += reads(base + i * page);
    written += writes(base + i * page + 5);
  }
  for (int i = 0; i < pages; i += 37) {
    tries++;
    read += reads(base + i * page);
    written += writes(base + i * page + 5);
  }
  printf("%d tries, %d reads, %d writes, %d faults\n", tries, read, written, faults);
  return 0;
}
