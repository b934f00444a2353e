/*
 * A program for debuggers, for all guests, without a C library. The first argument's first letter says how it goes on:
 * nothing: to its end; "f": to a fault; "s": without end, until somebody sets `running` to 0.
 */
typedef unsigned long word;

#if defined(__x86_64__)
enum { WRITE = 1, SIGACTION = 13, GETPID = 39, EXIT = 60, KILL = 62 };
#elif defined(__i386__)
enum { EXIT = 1, WRITE = 4, GETPID = 20, KILL = 37, SIGACTION = 174 };
#else
enum { EXIT = 1, WRITE = 4, GETPID = 20, KILL = 37, SIGACTION = 173 };
#endif

static long call(long number, long a, long b, long c, long d) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
#elif defined(__i386__)
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
  return result;
#else
  register long r0 __asm__("r0") = number;
  register long r3 __asm__("r3") = a;
  register long r4 __asm__("r4") = b;
  register long r5 __asm__("r5") = c;
  register long r6 __asm__("r6") = d;
  __asm__ volatile("sc" : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6) : : "cr0", "ctr", "memory");
  return r3;
#endif
}

struct point {
  int x;
  double y;
  const char *name;
  short tail[3];
};

enum { SIGUSR1 = 10 };
struct action {
  void (*handler)(int);
  word flags;
  void (*restorer)(void);
  word mask[2];
};

static volatile int counter;
static volatile long long total;
static volatile int running = 1;
static struct point origin = { 7, 2.5, "origin", { 1, -2, 3 } };
static volatile float ratio = 0.75f;

static int square(int n) {
  int result = n * n;
  return result;
}

static double scale(struct point *p, double factor) {
  double scaled = p->y * factor;
  p->y = scaled;
  return scaled;
}

static int inner(int depth) {
  if (depth == 0) return square(5);
  int below = inner(depth - 1);
  return below + depth;
}

static void count(int n) {
  for (int i = 0; i < n; i++) {
    counter += i;
    total += square(i);
  }
}

static void handle(int signal) {
  counter = 1000 + signal;
}

/* Where a handler returns to, which debuggers know by its name and place; elsewhere that is the kernel's business. */
#if defined(__x86_64__)
enum { RESTORER = 0x04000000 };
__asm__("nop\n __restore_rt: mov $15, %rax\n syscall");
void restore(void) __asm__("__restore_rt");
#else
enum { RESTORER = 0 };
static void restore(void) {}
#endif

static void spin(void) {
  while (running)
    total++;
}

static int fail(int *place) {
  int before = *place;
  return before + 1;
}

static int lead(int n) {
  int *place = (int *)(word)(n - n);
  int result = fail(place);
  return result + n;
}

__attribute__((used)) void start(const word *stack) {
  char letter = stack[0] > 1 ? *(const char *)stack[2] : 0;
  int sum = inner(3);
  double product = scale(&origin, 4.0);
  count(100);
  struct action action = { handle, RESTORER, restore, { 0, 0 } };
  call(SIGACTION, SIGUSR1, (long)&action, 0, 8);
  call(KILL, call(GETPID, 0, 0, 0, 0), SIGUSR1, 0, 0);
  call(WRITE, 1, (long)"counted\n", 8, 0);
  if (letter == 's') spin();
  if (letter == 'f') sum = lead(sum);
  call(EXIT, product == 10.0 && ratio == 0.75f ? sum + 11 : 1, 0, 0, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n hlt");
#elif defined(__i386__)
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %esp, %eax\n and $-16, %esp\n sub $12, %esp\n push %eax\n call start\n hlt");
#else
__asm__(".globl _start\n_start: mr 3, 1\n li 0, 0\n stwu 1, -16(1)\n stw 0, 0(1)\n bl start\n trap");
#endif
