/* Arguments, environment, exit, identity, limits. */
#include "checks.h"

#include <stdio.h>

int check_arguments(int argc, char **argv) {
  for (int i = 0; i < argc; i++) printf("%d: [%s]\n", i, argv[i]);
  SHOW(argv[argc] == NULL);
  return argc;
}
