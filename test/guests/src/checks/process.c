/* Arguments, environment, exit, identity, limits, what the kernel says of itself. */
#include "checks.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

int check_arguments(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("%d: [%s]\n", i, argv[i]);
  SHOW(argv[argc] == NULL);
  return argc;
}

int check_environment(int argc, char **argv) {
  extern char **environ;
  (void)argc, (void)argv;
  const char *greeting = getenv("GREETING");
  printf("GREETING = %s\n", greeting ? greeting : "(not set)");
  SHOW(setenv("ADDED", "one", 0));
  SHOW(setenv("ADDED", "two", 0));
  printf("ADDED = %s\n", getenv("ADDED"));
  SHOW(setenv("ADDED", "three", 1));
  SHOW(putenv("PUT=a=b"));
  printf("ADDED = %s, PUT = %s\n", getenv("ADDED"), getenv("PUT"));
  SHOW(unsetenv("ADDED"));
  SHOW(getenv("ADDED") == NULL);
  SHOW(clearenv());
  SHOW(environ == NULL || *environ == NULL);
  return 0;
}

static void at_exit_first(void) { puts("registered first, runs last"); }
static void at_exit_second(void) { puts("registered second, runs first"); }
static void on_exit_status(int status, void *text) { printf("on_exit: %d, %s\n", status, (char *)text); }

int check_at_exit(int argc, char **argv) {
  (void)argc, (void)argv;
  atexit(at_exit_first);
  on_exit(on_exit_status, "with an argument");
  atexit(at_exit_second);
  printf("no newline before the end");
  exit(0x1234);
}

int check_quick_exit(int argc, char **argv) {
  (void)argc, (void)argv;
  atexit(at_exit_first);
  printf("lost: never flushed");
  _exit(7);
}

int check_abort(int argc, char **argv) {
  (void)argc, (void)argv;
  puts("before abort");
  fflush(stdout);
  abort();
}

int check_getopt(int argc, char **argv) {
  static const struct option options[] = {
    { "verbose", no_argument, NULL, 'v' }, { "output", required_argument, NULL, 'o' },
    { "level", optional_argument, NULL, 'l' }, { NULL, 0, NULL, 0 },
  };
  int option;
  while ((option = getopt_long(argc, argv, "vo:l::", options, NULL)) != -1) {
    printf("%c %s\n", option, optarg ? optarg : "-");
  }
  for (; optind < argc; optind++) printf("operand %s\n", argv[optind]);
  return 0;
}

int check_identity(int argc, char **argv) {
  (void)argc, (void)argv;
  SHOW(getpid() > 0);
  SHOW(getppid() > 0);
  SHOW(getpid() == getpid());
  SHOW(getuid() == geteuid());
  SHOW(getgid() == getegid());
  SHOW(getpgrp() > 0);
  SHOW(getsid(0) >= 0);
  SHOW(getpgid(0) == getpgrp());
  SHOW(gettid() == getpid());
  gid_t groups[128];
  SHOW(getgroups(128, groups) >= 0);
  uid_t real, effective, saved;
  SHOW(getresuid(&real, &effective, &saved));
  SHOW(real == getuid() && saved == geteuid());
  struct utsname names;
  SHOW(uname(&names));
  printf("%s %s\n", names.sysname, names.machine);
  SHOW(strlen(names.release) > 2 && isdigit((unsigned char)names.release[0]));
  SHOW(getpagesize());
  SHOW(sysconf(_SC_PAGESIZE));
  SHOW(sysconf(_SC_CLK_TCK));
  SHOW(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
  SHOW(getauxval(AT_PAGESZ));
  SHOW(getauxval(AT_UID) == getuid());
  SHOW(getauxval(AT_RANDOM) != 0);
  SHOW(getauxval(AT_SECURE));
  char host[256];
  SHOW(gethostname(host, sizeof host));
  SHOW(strcmp(host, names.nodename) == 0);
  SHOW(sched_yield());
  return 0;
}

int check_limits(int argc, char **argv) {
  (void)argc, (void)argv;
  struct rlimit limit;
  SHOW(getrlimit(RLIMIT_STACK, &limit));
  SHOW(limit.rlim_cur >= 65536);
  SHOW(getrlimit(RLIMIT_NOFILE, &limit));
  SHOW(limit.rlim_cur >= 16 && limit.rlim_cur <= limit.rlim_max);
  SHOW_CALL(getrlimit(999, &limit));
  limit.rlim_cur = 64;
  SHOW(setrlimit(RLIMIT_NOFILE, &limit));
  SHOW(getrlimit(RLIMIT_NOFILE, &limit));
  SHOW(limit.rlim_cur);
  struct rusage usage;
  SHOW(getrusage(RUSAGE_SELF, &usage));
  SHOW(usage.ru_utime.tv_sec < 1000 && usage.ru_utime.tv_usec < 1000000);
  SHOW(getrusage(RUSAGE_CHILDREN, &usage));
  SHOW_CALL(getrusage(42, &usage));
  struct sysinfo info;
  SHOW(sysinfo(&info));
  SHOW(info.totalram > 0 && info.mem_unit > 0 && info.uptime > 0 && info.procs > 0);
  errno = 0;
  SHOW(getpriority(PRIO_PROCESS, 0) >= -20 && errno == 0);
  unsigned char bytes[64] = { 0 };
  SHOW(getrandom(bytes, sizeof bytes, 0));
  int other = 0;
  for (size_t i = 0; i < sizeof bytes; i++) other += bytes[i] != 0;
  SHOW(other > 32);
  SHOW(getentropy(bytes, 16));
  SHOW_CALL(getrandom(bytes, 4, 0x1000));
  return 0;
}

static long long sum(const char *kinds, ...) {
  va_list arguments, again;
  long long total = 0;
  va_start(arguments, kinds);
  va_copy(again, arguments);
  for (const char *kind = kinds; *kind; kind++) {
    switch (*kind) {
      case 'i': total += va_arg(arguments, int); break;
      case 'l': total += va_arg(arguments, long long); break;
      case 'd': total += (long long)va_arg(arguments, double); break;
      case 's': total += (long long)strlen(va_arg(arguments, char *)); break;
    }
  }
  va_end(arguments);
  if (*kinds == 'i') total += 1000 * va_arg(again, int);
  va_end(again);
  return total;
}

static int wrapped(char *text, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, size, format, arguments);
  va_end(arguments);
  return length;
}

int check_varargs(int argc, char **argv) {
  char text[64];
  (void)argc, (void)argv;
  printf("%lld\n", sum("iii", 1, 2, 3));
  printf("%lld\n", sum("lil", 1LL << 40, 5, -7LL));
  printf("%lld\n", sum("iiiiiiiiii", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  printf("%lld\n", sum("ddddddddddi", 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11));
  printf("%lld\n", sum("idlsidlsidls", 1, 2.5, 3LL, "four", 5, 6.5, 7LL, "eight", 9, 10.5, 11LL, "twelve"));
  printf("%d %s\n", wrapped(text, sizeof text, "%d-%s-%.2f-%lld", 1, "two", 3.0, 4LL), text);
  printf("%d %s\n", wrapped(text, 8, "%s", "cut short here"), text);
  return 0;
}
