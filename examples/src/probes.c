/*
 * Measures what the machine below takes for one of each: `probes [MILLISECONDS [PROBE [TURNS]]]`. No C library.
 *
 * Each probe is a loop whose turns are doubled until they take MILLISECONDS (2), then repeated until they become no
 * faster for some time: so short a run has a chance not to be interrupted. A line has the probe's name, turns, what they
 * computed, and nanoseconds of the fastest run. With TURNS these are run once. PROBE may be "all".
 */
#include "bare.h"

#define PAGE 4096u
#define MOST_PAGES 16384u
#define FORBIDDEN ((char *)16)

#if defined(__powerpc__)
enum { SYS_getppid = 64, SYS_brk = 45, SYS_madvise = 205, SYS_clock_gettime = 246, SYS_rt_sigaction = 173 };

static long system_call4(long number, long a, long b, long c, long d) {
  register long r6 __asm__("r6") = d;
  register long r0 __asm__("r0") = number;
  register long r3 __asm__("r3") = a;
  register long r4 __asm__("r4") = b;
  register long r5 __asm__("r5") = c;
  __asm__ volatile("sc; bns+ 0f; neg 3, 3; 0:"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6)
                   :
                   : "memory", "cr0", "ctr", "r7", "r8", "r9", "r10", "r11", "r12");
  return r3;
}

/* The kernel has a trampoline of its own. */
#define RESTORER 0
#define restorer NULL
#define LOAD "lwz 9, 0(%0)"
#define LOADED "r9"
/* uc_regs, and the 32nd of the registers. */
static unsigned long *interrupted(char *context) { return *(unsigned long **)(context + 48) + 32; }

#else

#define RESTORER 0x04000000
#define LOADED "cc"
void restorer(void);

#if defined(__x86_64__)
enum { SYS_getppid = 110, SYS_brk = 12, SYS_madvise = 28, SYS_clock_gettime = 228, SYS_rt_sigaction = 13 };

static long system_call4(long number, long a, long b, long c, long d) {
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "memory", "rcx", "r11");
  return result;
}

__asm__(".globl restorer\nrestorer:\n  mov $15, %eax\n  syscall\n");
#define LOAD "testb $1, (%0)"
static unsigned long *interrupted(char *context) { return (unsigned long *)(context + 40) + 16; }

#else
enum { SYS_getppid = 64, SYS_brk = 45, SYS_madvise = 219, SYS_clock_gettime = 265, SYS_rt_sigaction = 174 };

static long system_call4(long number, long a, long b, long c, long d) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
  return result;
}

__asm__(".globl restorer\nrestorer:\n  mov $173, %eax\n  int $0x80\n");
#define LOAD "testb $1, (%0)"
static unsigned long *interrupted(char *context) { return (unsigned long *)(context + 20) + 14; }
#endif
#endif

/* Keeps the compiler from knowing a value. */
#define HIDE(value) __asm__ volatile("" : "+r"(value))

static uint64_t now(void) {
  struct {
    long seconds, nanoseconds;
  } time;
  system_call(SYS_clock_gettime, 1, (long)&time, 0);
  return (uint64_t)time.seconds * 1000000000 + (uint64_t)time.nanoseconds;
}

/* What the clock itself takes, and what the probe has taken. */
static uint64_t clock_cost, spent;

static void stop(uint64_t start) {
  uint64_t taken = now() - start;
  if (taken > clock_cost) spent += taken - clock_cost;
}

static uint32_t system_calls(uint32_t turns) {
  uint32_t parent = (uint32_t)system_call(SYS_getppid, 0, 0, 0), different = 0;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) different += (uint32_t)system_call(SYS_getppid, 0, 0, 0) != parent;
  stop(start);
  return different;
}

/* Asks for memory, writes to each page, found to be zero first, and gives the memory back. */
static uint32_t touches(uint32_t turns) {
  uint32_t sum = 0;
  uintptr_t end = (uintptr_t)system_call(SYS_brk, 0, 0, 0), first = (end + PAGE - 1) & -(uintptr_t)PAGE;
  for (uint32_t left = turns; left > 0;) {
    uint32_t pages = left < MOST_PAGES ? left : MOST_PAGES;
    uint64_t start = now();
    if ((uintptr_t)system_call(SYS_brk, (long)(first + pages * PAGE), 0, 0) != first + pages * PAGE) return ~0u;
    /* Not with pages of 2 MiB, which fault once for 512. */
    system_call(SYS_madvise, (long)first, (long)(pages * PAGE), 15);
    for (uint32_t n = 0; n < pages; n++) {
      volatile uint32_t *word = (volatile uint32_t *)(first + n * PAGE);
      sum += *word + 1;
      *word = n;
    }
    stop(start);
    for (uint32_t n = 0; n < pages; n++) sum += *(volatile uint32_t *)(first + n * PAGE) != n;
    start = now();
    system_call(SYS_brk, (long)end, 0, 0);
    stop(start);
    left -= pages;
  }
  return sum;
}

extern char faulting[], behind[];
static volatile uint32_t caught;

static void handle(int number, char *information, char *context) {
  char *address = *(char **)(information + (sizeof(long) == 8 ? 16 : 12));
  unsigned long *pc = interrupted(context);
  if (number == 11 && address == FORBIDDEN && *pc == (unsigned long)faulting) caught++;
  *pc = (unsigned long)behind;
}

__attribute__((noinline)) static void fault(void) {
  __asm__ volatile(".globl faulting, behind\nfaulting: " LOAD "\nbehind:" : : "b"(FORBIDDEN) : LOADED, "memory");
}

/* A load that may not be, a handler that goes on behind it. */
static uint32_t signals(uint32_t turns) {
  struct {
    void (*handler)(int, char *, char *);
    unsigned long flags;
    void (*restore)(void);
    uint64_t mask;
  } action = { handle, 4 | RESTORER, restorer, 0 };
  system_call4(SYS_rt_sigaction, 11, (long)&action, 0, 8);
  caught = 0;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) fault();
  stop(start);
  return caught;
}

__attribute__((noinline, noclone)) static uint32_t leaf(uint32_t value) {
  HIDE(value);
  return value + 3;
}

static uint32_t calls(uint32_t turns) {
  uint32_t value = 0;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) value = leaf(value);
  stop(start);
  return value;
}

/* An interpreter of four instructions. */
static uint32_t indirect_branches(uint32_t turns) {
  static const uint8_t program[16] = { 0, 1, 2, 3, 1, 0, 3, 2, 0, 2, 1, 3, 3, 0, 1, 2 };
  static const void *const targets[] = { &&add, &&subtract, &&flip, &&shift };
  uint32_t value = 1, n = 0;
  uint64_t start = now();
dispatch:
  if (n == turns) goto done;
  goto *targets[program[n++ & 15]];
add:
  value += 5;
  goto dispatch;
subtract:
  value -= 3;
  goto dispatch;
flip:
  value ^= 0x55;
  goto dispatch;
shift:
  value = value << 1 | 1;
  goto dispatch;
done:
  stop(start);
  return value;
}

/* In this one and the next a processor can do two and three things at once, as in most programs. */
static uint32_t integers(uint32_t turns) {
  uint32_t value = 1, other = 2;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) {
    value ^= value << 13, other ^= other << 13;
    value ^= value >> 17, other ^= other >> 17;
    value ^= value << 5, other ^= other << 5;
  }
  stop(start);
  return value ^ other;
}

static uint32_t floats(uint32_t turns) {
  double x = 1, y = 2, z = 3, scale = 0.75, step = 1.5;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) {
    x = x * scale + step;
    y = y * scale + step;
    z = z * scale + step;
  }
  stop(start);
  return (uint32_t)(int32_t)((x + y + z) * 1000);
}

static uint32_t memory_accesses(uint32_t turns) {
  static uint32_t words[4096];
  uint32_t sum = 0, place = 0;
  for (uint32_t n = 0; n < 4096; n++) words[n] = n;
  uint64_t start = now();
  for (uint32_t n = 0; n < turns; n++) {
    sum += words[place];
    words[place] = sum;
    place = (place + 17) & 4095;
  }
  stop(start);
  return sum;
}

static const struct probe {
  const char *name;
  uint32_t (*run)(uint32_t turns);
} probes[] = {
  { "integer", integers },
  { "float", floats },
  { "memory", memory_accesses },
  { "call", calls },
  { "indirect-branch", indirect_branches },
  { "system-call", system_calls },
  { "page-touch", touches },
  { "signal", signals },
};

static void print_number(uint64_t number) {
  char digits[20];
  int count = 0;
  /* Division of 64 bits by subtraction: it would need the compiler's library. */
  uint32_t high = (uint32_t)(number >> 32), low = (uint32_t)number;
  do {
    uint32_t rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
      rest = rest << 1 | (bit >= 32 ? high >> (bit - 32) & 1 : low >> bit & 1);
      uint32_t one = rest >= 10;
      if (one) rest -= 10;
      if (bit >= 32) high = (high & ~(1u << (bit - 32))) | one << (bit - 32);
      else low = (low & ~(1u << bit)) | one << bit;
    }
    digits[count++] = (char)('0' + rest);
  } while (high | low);
  while (count > 0) put(digits[--count]);
}

struct measurement {
  uint32_t turns, result;
  uint64_t nanoseconds;
};

static uint64_t timed(const struct probe *probe, struct measurement *into) {
  spent = 0;
  into->result = probe->run(into->turns);
  return spent;
}

static void measure_clock(void) {
  for (int again = 0; again < 20; again++) {
    uint64_t start = now(), taken = now() - start;
    if (again == 0 || taken < clock_cost) clock_cost = taken;
  }
}

static int is_faster(const struct measurement *a, const struct measurement *b) {
  return a->nanoseconds * b->turns < b->nanoseconds * a->turns;
}

/* What takes long may be fast the next time: a translator's pause, or another program's turn, is no reason to stop. */
static void measure(const struct probe *probe, uint64_t enough, struct measurement *best) {
  struct measurement now_measured = { 16, 0, 0 };
  uint64_t total = 0;
  int repeated = 0;
  best->nanoseconds = ~0ull >> 32, best->turns = 0;
  while (repeated < 24 && total < 400 * enough) {
    now_measured.nanoseconds = timed(probe, &now_measured);
    total += now_measured.nanoseconds;
    int is_long = now_measured.nanoseconds >= enough / 4, was_faster = is_faster(&now_measured, best);
    if (best->turns == 0 || (is_long && was_faster)) {
      struct measurement tenth_off = *best;
      tenth_off.nanoseconds -= tenth_off.nanoseconds / 10;
      /* By a tenth or more: it may become faster still. */
      if (is_faster(&now_measured, &tenth_off)) repeated = 0;
      *best = now_measured;
    }
    if (now_measured.nanoseconds < enough && now_measured.turns < 0x20000000) {
      now_measured.turns *= 2;
      if (!is_long) best->turns = 0;
    } else {
      repeated++;
    }
  }
}

static int equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static int main(int argc, char **argv) {
  uint64_t enough = (uint64_t)(uint32_t)number_or(argc > 1 ? argv[1] : NULL, 2) * 1000000;
  uint32_t fixed = (uint32_t)number_or(argc > 3 ? argv[3] : NULL, 0);
  measure_clock();
  for (size_t n = 0; n < sizeof probes / sizeof *probes; n++) {
    const struct probe *probe = &probes[n];
    if (argc > 2 && !equal(argv[2], "all") && !equal(argv[2], probe->name)) continue;
    struct measurement measured = { fixed, 0, 0 };
    if (fixed) measured.nanoseconds = timed(probe, &measured);
    else measure(probe, enough, &measured);
    print(probe->name);
    put(' '), print_number(measured.turns);
    put(' '), print_number(measured.result);
    put(' '), print_number(measured.nanoseconds);
    put('\n');
    flush();
  }
  return 0;
}
