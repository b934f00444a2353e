/* string.h, ctype.h, conversion of numbers, sorting and searching. */
#include "checks.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIGN(x) (((x) > 0) - ((x) < 0))

int check_string(int argc, char **argv) {
  (void)argc, (void)argv;
  char text[64] = "hello", other[64];
  SHOW(strlen(text));
  SHOW(strnlen(text, 3));
  printf("%s\n", strcpy(other, text));
  printf("%s\n", strcat(other, " world"));
  printf("%s\n", strncat(other, "!!!", 1));
  printf("%s\n", strncpy(memset(other, 'x', 10), "ab", 5));
  SHOW(SIGN(strcmp("abc", "abd")));
  SHOW(SIGN(strcmp("abc", "ab")));
  SHOW(SIGN(strcmp("\xff", "a")));
  SHOW(SIGN(strncmp("abcdef", "abcxyz", 3)));
  SHOW(SIGN(strcasecmp("HeLLo", "hEllO")));
  SHOW(SIGN(memcmp("a\0b", "a\0c", 3)));
  SHOW(strchr(text, 'l') - text);
  SHOW(strrchr(text, 'l') - text);
  SHOW(strchr(text, 'z') == NULL);
  SHOW(strchrnul(text, 'z') - text);
  SHOW(strstr("the cat sat", "sat") != NULL);
  SHOW(strspn("aabbcc", "ab"));
  SHOW(strcspn("aabbcc", "c"));
  SHOW(*strpbrk("hello world", "ow"));
  SHOW((char *)memchr("abcdef", 'd', 6) == NULL);
  SHOW((char *)memmem("abcdef", 6, "cd", 2) != NULL);
  char tokens[] = "a,b,,c", *rest = tokens, *token;
  while ((token = strsep(&rest, ",")) != NULL) printf("<%s>", token);
  char words[] = " one two  three ";
  for (token = strtok(words, " "); token; token = strtok(NULL, " ")) printf("<%s>", token);
  puts("");
  strcpy(text, "0123456789abcdef");
  memmove(text + 3, text, 10);
  printf("%s\n", text);
  memmove(text, text + 3, 10);
  printf("%s\n", text);
  char *copy = strdup("duplicate"), *part = strndup("duplicate", 3);
  printf("%s %s\n", copy, part);
  free(copy), free(part);
  printf("%s; %s\n", strerror(EINVAL), strerror(12345));
  SHOW(strverscmp("file9", "file10") < 0);
  SHOW(ffs(0x50));
  return 0;
}

/* Every alignment of source and destination, with lengths around the words that libraries copy by. */
int check_string_alignment(int argc, char **argv) {
  (void)argc, (void)argv;
  static unsigned char from[128], to[128];
  uint32_t checksum = 0;
  int wrong = 0;
  for (int a = 0; a < 16; a++) {
    for (int b = 0; b < 16; b++) {
      for (int length = 0; length < 70; length += 1 + length / 9) {
        for (int i = 0; i < 128; i++) from[i] = (unsigned char)(i * 7 + a + 1) | 1, to[i] = 0;
        memcpy(to + b, from + a, (size_t)length);
        wrong += memcmp(to + b, from + a, (size_t)length) != 0 || to[b + length] != 0 || (b > 0 && to[b - 1] != 0);
        from[a + length] = 0;
        wrong += strlen((char *)from + a) != (size_t)length;
        wrong += strcmp((char *)from + a, (char *)to + b) != 0;
        wrong += memchr(from + a, 0, 70) != from + a + length;
        memset(to + b, 0x5a, (size_t)length);
        for (int i = 0; i < 128; i++) checksum = checksum * 31 + to[i];
        strcpy((char *)to + b, (char *)from + a);
        memmove(to + b + 5, to + b, (size_t)length);
        wrong += memcmp(to + b + 5, from + a, (size_t)length) != 0;
        if (length > 3) {
          to[b + 5 + length - 1] ^= 0x40;
          wrong += memcmp(to + b + 5, from + a, (size_t)length) == 0;
        }
      }
    }
  }
  SHOW(wrong);
  printf("%08x\n", (unsigned)checksum);
  return 0;
}

int check_ctype(int argc, char **argv) {
  (void)argc, (void)argv;
  for (int c = -1; c < 256; c++) {
    printf("%d:%d%d%d%d%d%d%d%d%d%d%d %d %d\n", c, !!isalpha(c), !!isdigit(c), !!isalnum(c), !!isspace(c), !!isupper(c),
           !!islower(c), !!ispunct(c), !!isprint(c), !!iscntrl(c), !!isxdigit(c), !!isgraph(c), toupper(c), tolower(c));
  }
  return 0;
}

int check_conversion(int argc, char **argv) {
  static const char *const integers[] = { "0", "42", "-42", "+7", "  99x", "0x1F", "017", "z", "", "2147483647", "2147483648",
                                          "-2147483648", "-2147483649", "99999999999999999999", "9223372036854775807",
                                          "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1e5" };
  static const char *const reals[] = { "0", "-0", "1", "1.5", "-2.5e3", "1e308", "1e309", "-1e400", "1e-308", "1e-320", "1e-400",
                                       "4.9e-324", "2.4e-324", "2.5e-324", "0x1.8p1", "0x1p-1074", "inf", "-INFINITY", "nan", "nan(123)",
                                       ".5", "5.", ".", "e5", "1e", "1e+", "  12.25abc", "0.1", "0.30000000000000004",
                                       "9007199254740993", "9007199254740992.5000000000000000000000000000000001",
                                       "179769313486231580793728971405301e276", "2.2250738585072011e-308", "3.4028236e38" };
  static const int bases[] = { 0, 10, 16, 36, 2 };
  (void)argc, (void)argv;
  for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
    const char *text = integers[i];
    char *end;
    printf("[%s] atoi %d atoll %lld", text, i < 9 ? atoi(text) : 0, atoll(text));
    for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++) {
      errno = 0;
      long value = strtol(text, &end, bases[b]);
      printf("; %d: %ld +%d %s", bases[b], value, (int)(end - text), errno ? error_name(errno) : "-");
    }
    errno = 0;
    printf("; ul %lu", strtoul(text, NULL, 10));
    printf("; ll %lld; ull %llu %s\n", strtoll(text, NULL, 10), strtoull(text, NULL, 10), errno ? error_name(errno) : "-");
  }
  for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
    char *end;
    errno = 0;
    double value = strtod(reals[i], &end);
    printf("[%s] %.17g %a +%d %s", reals[i], value, value, (int)(end - reals[i]), errno ? error_name(errno) : "-");
    errno = 0;
    float narrow = strtof(reals[i], NULL);
    printf("; %.9g %s\n", (double)narrow, errno ? error_name(errno) : "-");
  }
  SHOW(strtol("1", NULL, 99));
  printf("%jd %ju\n", strtoimax("-5", NULL, 10), strtoumax("5", NULL, 10));
  printf("%s\n", gcvt(3.14159, 4, (char[32]){ 0 }));
  return 0;
}

static int by_value(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b;
  return (x > y) - (x < y);
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

struct record {
  char name[12];
  double weight;
  short index;
};

static int by_weight(const void *a, const void *b, void *descending) {
  double x = ((const struct record *)a)->weight, y = ((const struct record *)b)->weight;
  int order = (x > y) - (x < y);
  return *(int *)descending ? -order : order;
}

static void print_node(const void *node, VISIT visit, int depth) {
  if (visit == postorder || visit == leaf) printf("%d@%d ", **(const int *const *)node, depth);
}

int check_sorting(int argc, char **argv) {
  (void)argc, (void)argv;
  static int values[1000];
  unsigned seed = 42;
  for (int i = 0; i < 1000; i++) values[i] = (int)((seed = seed * 1103515245u + 12345u) >> 8) % 5000;
  qsort(values, 1000, sizeof values[0], by_value);
  int ordered = 1;
  for (int i = 1; i < 1000; i++) ordered &= values[i - 1] <= values[i];
  SHOW(ordered);
  printf("%d %d %d\n", values[0], values[500], values[999]);
  int *found = bsearch(&values[321], values, 1000, sizeof values[0], by_value);
  SHOW(found && *found == values[321]);
  SHOW(bsearch(&(int){ -5 }, values, 1000, sizeof values[0], by_value) == NULL);
  const char *names[] = { "pear", "apple", "fig", "banana", "cherry", "date" };
  qsort(names, 6, sizeof names[0], by_text);
  for (int i = 0; i < 6; i++) printf("%s ", names[i]);
  struct record records[20];
  for (int i = 0; i < 20; i++) {
    snprintf(records[i].name, sizeof records[i].name, "record%d", i);
    records[i].weight = (i * 7919 % 20) / 3.0;
    records[i].index = (short)i;
  }
  qsort_r(records, 20, sizeof records[0], by_weight, &(int){ 1 });
  for (int i = 0; i < 20; i++) printf("\n%s %.3f %d", records[i].name, records[i].weight, records[i].index);
  puts("");
  void *tree = NULL;
  static int keys[] = { 5, 2, 8, 1, 9, 3, 7 };
  for (int i = 0; i < 7; i++) tsearch(&keys[i], &tree, by_value);
  SHOW(tfind(&(int){ 8 }, &tree, by_value) != NULL);
  SHOW(tfind(&(int){ 6 }, &tree, by_value) == NULL);
  twalk(tree, print_node);
  puts("");
  srand(1);
  for (int i = 0; i < 5; i++) printf("%d ", rand());
  srandom(2);
  for (int i = 0; i < 5; i++) printf("%ld ", random());
  srand48(3);
  for (int i = 0; i < 5; i++) printf("%ld ", lrand48());
  printf("%.6f", drand48());
  puts("");
  return 0;
}
