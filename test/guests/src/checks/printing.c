/* stdio: formats, scanning, streams. */
#include "checks.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

int check_printf(int argc, char **argv) {
  (void)argc, (void)argv;
  printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%.4d] [%+.3d]\n", 42, 42, 42, 42, 42, 42, 42, 7);
  printf("[%i] [%u] [%o] [%x] [%X] [%#o] [%#x] [%#X]\n", -7, 4000000000u, 8, 0xbeef, 0xbeef, 8, 255, 255);
  printf("[%hhd] [%hd] [%ld] [%lld] [%zu] [%td] [%jd]\n", 300, 70000, LONG_MIN, LLONG_MIN, sizeof(int), (ptrdiff_t)-3,
         INTMAX_MAX);
  printf("[%llx] [%llu] [%#llo]\n", 0x123456789abcdefULL, ULLONG_MAX, 0777777777777ULL);
  printf("[%c] [%5c] [%-5c] [%s] [%10s] [%-10s] [%.2s] [%%]\n", 'a', 'b', 'c', "text", "right", "left", "cut");
  printf("[%*d] [%-*d] [%.*f] [%*.*s]\n", 6, 1, 6, 2, 3, 3.14159, 8, 2, "abc");
  printf("[%2$s %1$s]\n", "world", "hello");
  printf("[%p] [%p]\n", (void *)0x1234, (void *)0);
  int written = 0;
  printf("abc%n", &written);
  printf(" %d\n", written);
  printf("[%'d]\n", 1234567);
  printf("[%ls] [%lc]\n", L"wide", (wint_t)L'w');
  errno = ENOENT;
  printf("[%m]\n");
  return 0;
}

int check_printf_float(int argc, char **argv) {
  static const double values[] = {
    0.0, -0.0, 1.0, -1.5, 0.1, 1.0 / 3, 123456789.0, 1e10, 1e100, 1e-100, 5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, 0.5, 2.5, 3.5, 999999.5, 9999995, 0.0001, 0.00001234, INFINITY, -INFINITY, 4503599627370497.5,
  };
  (void)argc, (void)argv;
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    double v = values[i];
    printf("%f %e %g %a\n", v, v, v, v);
    printf("%.0f %.1f %.3e %.10g %.17g %.2a\n", v, v, v, v, v, v);
    printf("[%12.3f] [%-12.3e] [%+012.4g] [%#.0f] [%#g] [% .3F] [%G] [%E]\n", v, v, v, v, v, v, v, v);
  }
  printf("%f %F %e %g\n", NAN, NAN, NAN, NAN);
  printf("%.50f\n%.60g\n", 0.1, 1e-5);
  printf("%f %g\n", (double)1.1f, (double)3.4028235e38f);
  return 0;
}

int check_long_double(int argc, char **argv) {
  (void)argc, (void)argv;
  volatile long double third = 1.0L / 3, big = 1e300L, tiny = 1e-40L, one = 1;
  SHOW(sizeof(long double));
  printf("%.20Lf %.25Le %Lg\n", third, big, tiny);
  printf("%.31Lg\n", one + 1e-25L);
  printf("%.20Lg %.20Lg %.20Lg %.20Lg\n", third + one, third * big, big / third, one - tiny);
  printf("%.20Lg %.20Lg\n", sqrtl(2), powl(2, 0.5L));
  SHOW(third > 0.333L && third < 0.334L);
  printf("%.25Lg\n", strtold("2.718281828459045235360287", NULL));
  printf("%d %lld\n", (int)(third * 10), (long long)(big / 1e290L));
  return 0;
}

int check_scanf(int argc, char **argv) {
  (void)argc, (void)argv;
  int a, b, c, count;
  unsigned u;
  long long wide;
  double d;
  float f;
  char word[32], set[32], letter;
  SHOW(sscanf("12 -34 0x1f", "%d %d %i", &a, &b, &c));
  printf("%d %d %d\n", a, b, c);
  SHOW(sscanf("077 ff 4294967295", "%o %x %u", (unsigned *)&a, (unsigned *)&b, &u));
  printf("%d %d %u\n", a, b, u);
  SHOW(sscanf("9223372036854775807 3.25 -1e-3", "%lld %lf %f", &wide, &d, &f));
  printf("%lld %g %g\n", wide, d, (double)f);
  SHOW(sscanf("  word [abc]xyz", "%s [%[a-c]]%c", word, set, &letter));
  printf("%s %s %c\n", word, set, letter);
  SHOW(sscanf("2024-05-06", "%4d-%2d-%2d%n", &a, &b, &c, &count));
  printf("%d %d %d %d\n", a, b, c, count);
  SHOW(sscanf("abc", "%d", &a));
  SHOW(sscanf("", "%d", &a));
  SHOW(sscanf("5 x", "%d %d", &a, &b));
  SHOW(sscanf("inf nan 0x1.8p3", "%lf %f %lg", &d, &f, &d));
  printf("%g %d\n", d, f != f);
  SHOW(sscanf("1,2,3", "%d,%*d,%d", &a, &b));
  printf("%d %d\n", a, b);
  while (scanf("%31s", word) == 1) printf("(%s)", word);
  printf("\nat end of input: %d %d\n", feof(stdin) != 0, ferror(stdin) != 0);
  return 0;
}

int check_streams(int argc, char **argv) {
  (void)argc, (void)argv;
  char line[64], buffer[512];
  FILE *file = fopen("stream.txt", "w+");
  SHOW(file != NULL);
  for (int i = 0; i < 5; i++) fprintf(file, "line %d\n", i);
  SHOW(ftell(file));
  rewind(file);
  while (fgets(line, sizeof line, file)) fputs(line, stdout);
  SHOW(feof(file) != 0);
  clearerr(file);
  SHOW(fseek(file, 7, SEEK_SET));
  SHOW(fgetc(file));
  SHOW(ungetc('Z', file));
  SHOW(fgetc(file));
  SHOW(fgetc(file));
  SHOW(fseek(file, -7, SEEK_END));
  SHOW(fread(buffer, 1, 3, file));
  SHOW(ftell(file));
  SHOW(fseek(file, -2, SEEK_CUR));
  fputc('!', file);
  SHOW(fflush(file));
  SHOW_CALL(fseek(file, -1, SEEK_SET));
  fpos_t position;
  SHOW(fgetpos(file, &position));
  SHOW(fseeko(file, 0, SEEK_END));
  SHOW(ftello(file));
  SHOW(fsetpos(file, &position));
  SHOW(ftell(file));
  SHOW(fclose(file));

  file = fopen("stream.txt", "a");
  SHOW(fprintf(file, "appended %s\n", "text"));
  SHOW(fclose(file));
  file = freopen("stream.txt", "r", fopen("stream.txt", "r"));
  size_t length = fread(buffer, 1, sizeof buffer - 1, file);
  buffer[length] = 0;
  fputs(buffer, stdout);
  SHOW(fclose(file));
  SHOW(fopen("missing.txt", "r") == NULL && errno == ENOENT);
  SHOW(fopen("stream.txt", "wx") == NULL && errno == EEXIST);

  file = tmpfile();
  SHOW(file != NULL);
  setvbuf(file, buffer, _IOFBF, 16);
  for (int i = 0; i < 100; i++) fputc('a' + i % 26, file);
  SHOW(ftell(file));
  SHOW(fseek(file, 50, SEEK_SET));
  SHOW(fgetc(file) == 'a' + 50 % 26);
  SHOW(fclose(file));

  char *memory = NULL;
  size_t size = 0;
  file = open_memstream(&memory, &size);
  fprintf(file, "%s %d", "in memory", 5);
  fclose(file);
  printf("%zu [%s]\n", size, memory);
  file = fmemopen(memory, size, "r");
  SHOW(fscanf(file, "in memory %d", &(int){ 0 }));
  fclose(file);
  free(memory);

  file = fopen("stream.txt", "r");
  char *grown = NULL;
  size_t capacity = 0;
  long total = 0;
  ssize_t got;
  while ((got = getline(&grown, &capacity, file)) != -1) total += got;
  printf("getline: %ld\n", total);
  free(grown);
  fclose(file);
  SHOW(remove("stream.txt"));
  SHOW(fileno(stdin) == 0 && fileno(stdout) == 1 && fileno(stderr) == 2);
  fputs("to standard error\n", stderr);
  perror("perror");
  return 0;
}

int check_large_output(int argc, char **argv) {
  (void)argc, (void)argv;
  for (int i = 0; i < 20000; i++) printf("%d: the quick brown fox jumps over the lazy dog\n", i);
  return 0;
}

int check_copy_input(int argc, char **argv) {
  (void)argc, (void)argv;
  int c;
  unsigned long sum = 0, count = 0;
  while ((c = getchar()) != EOF) sum = sum * 31 + (unsigned)c, count++;
  printf("%lu bytes, %08lx\n", count, sum & 0xffffffff);
  return 0;
}

int check_buffering(int argc, char **argv) {
  (void)argc, (void)argv;
  printf("buffered, ");
  SHOW(write(1, "written first\n", 14));
  fflush(stdout);
  setvbuf(stdout, NULL, _IONBF, 0);
  printf("unbuffered, ");
  SHOW(write(1, "written after\n", 14));
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("line\n");
  dprintf(1, "%s %d\n", "dprintf", 1);
  return 0;
}

int check_wide(int argc, char **argv) {
  (void)argc, (void)argv;
  wchar_t wide[32];
  SHOW(swprintf(wide, 32, L"%d %ls", 5, L"wide") > 0);
  SHOW(wcslen(wide));
  SHOW(wcscmp(wide, L"5 wide"));
  SHOW(wcstol(wide, NULL, 10));
  char narrow[32];
  SHOW(wcstombs(narrow, wide, sizeof narrow));
  printf("%s\n", narrow);
  SHOW(mbstowcs(wide, "narrow", 32));
  SHOW(wmemchr(wide, L'r', 6) - wide);
  return 0;
}
