/* Functions inside functions, whose addresses are those of code that is written to the stack when it is needed. */
#include <stdio.h>

static int sum_over(int (*function)(int), int count) {
  int sum = 0;
  for (int i = 0; i < count; i++) sum += function(i);
  return sum;
}

int main(void) {
  int total = 0;
  for (int factor = 0; factor < 50; factor++) {
    int multiply(int x) { return x * factor + total % 3; }
    total += sum_over(multiply, 20);
  }
  printf("%d\n", total);
  return 0;
}
