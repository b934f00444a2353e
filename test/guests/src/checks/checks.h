/*
 * Checks of behaviour: ordinary C as users write it. Each prints what it sees to standard output, in
 * a form that depends neither on the time nor on the machine.
 */
#ifndef CHECKS_H
#define CHECKS_H

struct check {
  const char *name;
  /* Returns the exit status. */
  int (*run)(int argc, char **argv);
};

/* Prints an expression's source and its value as an int. */
#define SHOW(expression) printf("%s = %d\n", #expression, (int)(expression))

/* Prints an expression's source, whether it is -1, and errno's name then. */
#define SHOW_CALL(expression) show_call(#expression, (long)(expression))

void show_call(const char *text, long result);
const char *error_name(int error);
const char *signal_name(int number);

#define CHECK(name) int check_##name(int argc, char **argv);
#include "checks.def"
#undef CHECK

#endif
