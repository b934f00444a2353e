/* One program for all checks: `checks NAME [ARGUMENTS]`; without a name it lists them. */
#include "checks.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct check checks[] = {
#define CHECK(name) { #name, check_##name },
#include "checks.def"
#undef CHECK
};

const char *error_name(int error) {
  const char *name = strerrorname_np(error);
  return name ? name : "unknown error";
}

const char *signal_name(int number) {
  const char *name = sigabbrev_np(number);
  return name ? name : "unknown signal";
}

void show_call(const char *text, long result) {
  if (result == -1) {
    printf("%s = -1 %s\n", text, error_name(errno));
  } else {
    printf("%s = %ld\n", text, result);
  }
}

int main(int argc, char **argv) {
  size_t count = sizeof checks / sizeof checks[0];
  if (argc < 2) {
    for (size_t i = 0; i < count; i++) puts(checks[i].name);
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    if (strcmp(argv[1], checks[i].name) == 0) return checks[i].run(argc - 1, argv + 1);
  }
  fprintf(stderr, "checks: no check named %s\n", argv[1]);
  return 125;
}
