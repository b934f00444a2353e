/*
 * i386 and x86-64 programs without a C library; the first argument chooses one. Each ends with an exit status or the
 * signal of an exception.
 */
typedef unsigned long word;

#ifdef __x86_64__
enum { READ = 0, WRITE = 1, MMAP = 9, EXIT = 60, ARCH_PRCTL = 158, UNKNOWN = 999 };
#define MAP_OFFSET_UNIT 1
#else
enum { READ = 3, WRITE = 4, MMAP = 192, EXIT = 1, SET_THREAD_AREA = 243, UNKNOWN = 999 };
#endif

static long call(long number, long a, long b, long c, long d, long e, long f) {
  long result;
#ifdef __x86_64__
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
#else
  /* The sixth argument goes to ebp, by way of the stack. */
  long last[2] = { number, f };
  (void)d, (void)e;
  __asm__ volatile("pushl %%ebp; movl 4(%%eax), %%ebp; movl (%%eax), %%eax; int $0x80; popl %%ebp"
                   : "=a"(result)
                   : "a"(last), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
                   : "memory");
#endif
  return result;
}

static void finish(int status) {
  for (;;) call(EXIT, status, 0, 0, 0, 0, 0);
}

static void print(const char *text) {
  long length = 0;
  while (text[length] != 0) length++;
  call(WRITE, 1, (long)text, length, 0, 0, 0);
}

/* A number in hexadecimal, behind its name. */
static void show(const char *name, word value) {
  char digits[2 * sizeof value + 2];
  char *start = digits + sizeof digits - 1;
  *start = 0;
  *--start = '\n';
  do *--start = "0123456789abcdef"[value & 15];
  while ((value >>= 4) != 0);
  print(name), print(" "), print(start);
}

static void *map(word length, int protection) {
  return (void *)call(MMAP, 0, (long)length, protection, 0x22, -1, 0);
}

static int same(const char *a, const char *b) {
  while (*a != 0 && *a == *b) a++, b++;
  return *a == *b;
}

static __attribute__((noinline)) unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static __attribute__((noinline)) int overflow(volatile char *caller) {
  volatile char room[4096];
  room[0] = caller[0];
  return overflow(room) + room[0];
}

/* A loop that is rewritten while it runs: `mov eax, n; ret`. */
static void rewrite(void) {
  volatile unsigned char *code = map(4096, 7);
  word sum = 0;
  for (unsigned i = 0; i < 300; i++) {
    code[0] = 0xb8, code[1] = i & 255, code[2] = i >> 8, code[3] = 0, code[4] = 0, code[5] = 0xc3;
    sum += ((unsigned (*)(void))code)();
  }
  show("sum", sum);
}

/* Thread-local data by a segment register. */
static void segments(void) {
  static word data[4] = { 1, 2, 3, 4 };
  word value;
#ifdef __x86_64__
  show("set", call(ARCH_PRCTL, 0x1002, (long)data, 0, 0, 0, 0));
  __asm__ volatile("movq %%fs:16, %0" : "=r"(value));
  show("loaded", value);
  __asm__ volatile("movq %0, %%fs:8" : : "r"(9l) : "memory");
  show("stored", ((volatile word *)data)[1]);
  word base;
  show("get", call(ARCH_PRCTL, 0x1003, (long)&base, 0, 0, 0, 0));
  show("same", ((volatile word *)&base)[0] == (word)data);
#else
  unsigned descriptor[4] = { -1u, (unsigned)data, 0xfffff, 0x51 };
  show("set", call(SET_THREAD_AREA, (long)descriptor, 0, 0, 0, 0, 0));
  unsigned selector = ((volatile unsigned *)descriptor)[0] * 8 + 3;
  __asm__ volatile("movw %w1, %%gs; movl %%gs:8, %0" : "=r"(value) : "r"(selector));
  show("loaded", value);
  __asm__ volatile("movl %0, %%gs:4" : : "r"(9) : "memory");
  show("stored", ((volatile word *)data)[1]);
  __asm__ volatile("movw %%gs, %w0" : "=r"(value));
  show("selector", value & 0xffff);
#endif
}

/* The calls of i386 programs, which 64-bit programs can make, too. */
static void old_calls(void) {
  static const char text[] = "by int 0x80\n";
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(4), "b"(1), "c"(text), "d"(sizeof text - 1) : "memory");
  show("result", result);
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(6), "b"(77) : "memory");
  show("close", -result);
}

void run(word *stack) {
  int count = (int)stack[0];
  char **arguments = (char **)(stack + 1);
  const char *what = count > 1 ? arguments[1] : "hello";
  if (same(what, "hello")) print("hello, world\n");
  else if (same(what, "arguments")) {
    for (int i = 1; i < count; i++) print(arguments[i]), print("\n");
    show("aligned", ((word)stack & 15) == 0);
    word *vector = stack + count + 2;
    while (*vector++ != 0) {}
    for (; vector[0] != 0; vector += 2) {
      if (vector[0] == 15) print((char *)vector[1]), print("\n");
      if (vector[0] == 6) show("page", vector[1]);
    }
  } else if (same(what, "fibonacci")) show("fibonacci", fibonacci(24));
  else if (same(what, "rewrite")) rewrite();
  else if (same(what, "segments")) segments();
  else if (same(what, "old-calls")) old_calls();
  else if (same(what, "unknown-call")) show("error", -call(UNKNOWN, 0, 0, 0, 0, 0, 0));
  else if (same(what, "bad-pointer")) show("error", -call(WRITE, 1, 16, 1, 0, 0, 0));
  else if (same(what, "divide")) __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
  else if (same(what, "illegal")) __asm__ volatile("ud2");
  else if (same(what, "breakpoint")) __asm__ volatile("int3");
  else if (same(what, "privileged")) __asm__ volatile("hlt");
  else if (same(what, "interrupt")) __asm__ volatile("int $0x42");
  else if (same(what, "null-load")) __asm__ volatile("movl 16, %%eax" : : : "eax");
  else if (same(what, "null-store")) __asm__ volatile("movl %%eax, 16" : : : "memory");
  else if (same(what, "null-call")) __asm__ volatile("xorl %%eax, %%eax; call *%0" : : "a"(0l) : "memory");
  else if (same(what, "high-load")) __asm__ volatile("movl (%0), %%ecx" : : "r"((word)0xfffff000) : "ecx");
  else if (same(what, "execute-data")) ((void (*)(void))map(4096, 3))();
  else if (same(what, "store-to-text")) *(volatile char *)(word)run = 0;
  else if (same(what, "stack-overflow")) overflow((volatile char *)stack);
#ifdef __x86_64__
  else if (same(what, "wide-load")) __asm__ volatile("movl (%0), %%ecx" : : "r"(0x123412341234) : "ecx");
  else if (same(what, "wide-jump")) __asm__ volatile("jmp *%0" : : "r"(0x123412341234));
  else if (same(what, "not-canonical")) __asm__ volatile("movl (%0), %%ecx" : : "r"(0x8000123412341234) : "ecx");
#else
  else if (same(what, "overflow")) __asm__ volatile("movl $0x7fffffff, %%eax; incl %%eax; into" : : : "eax");
  else if (same(what, "bound")) {
    int limits[2] = { 1, 2 };
    __asm__ volatile("boundl %0, %1" : : "r"(7), "m"(limits));
  }
#endif
  finish(3);
}

#ifdef __x86_64__
__asm__(".globl _start\n_start: movq %rsp, %rdi; andq $-16, %rsp; call run; hlt");
#else
__asm__(".globl _start\n_start: movl %esp, %eax; andl $-16, %esp; subl $12, %esp; pushl %eax; call run; hlt");
#endif
