/* Integers of all widths, floating-point arithmetic, rounding modes and exceptions, libm. */
#include "checks.h"

#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int check_integers(int argc, char **argv) {
  static volatile const int64_t wide[] = { 0, 1, -1, 7, -7, 1000000007, INT32_MAX, INT32_MIN, UINT32_MAX, 0x100000000,
                                           -0x100000001, INT64_MAX, INT64_MIN + 1, 0x123456789abcdef };
  static volatile const int32_t narrow[] = { 0, 1, -1, 3, -3, 12345, -98765, INT32_MAX, INT32_MIN + 1, INT32_MIN };
  const int wides = sizeof wide / sizeof wide[0], narrows = sizeof narrow / sizeof narrow[0];
  (void)argc, (void)argv;
  for (int i = 0; i < wides; i++) {
    for (int j = 0; j < wides; j++) {
      int64_t a = wide[i], b = wide[j];
      uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
      printf("%" PRIx64 " %" PRIx64 " %" PRIx64 " %d%d%d%d", ua + ub, ua - ub, ua * ub, a < b, a <= b, ua < ub, a == b);
      if (b != 0) printf(" %" PRId64 " %" PRId64 " %" PRIu64 " %" PRIu64, a / b, a % b, ua / ub, ua % ub);
      int shift = (int)(b & 63);
      printf(" %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", ua << shift, ua >> shift, (uint64_t)(a >> shift));
    }
    int64_t a = wide[i];
    printf("%a %a %d %d %d %" PRIx64 "\n", (double)a, (double)(float)(uint64_t)a, a ? __builtin_clzll((uint64_t)a) : 64,
           a ? __builtin_ctzll((uint64_t)a) : 64, __builtin_popcountll((uint64_t)a), __builtin_bswap64((uint64_t)a));
  }
  for (int i = 0; i < narrows; i++) {
    for (int j = 0; j < narrows; j++) {
      int32_t a = narrow[i], b = narrow[j], results[3];
      uint32_t ua = (uint32_t)a, ub = (uint32_t)b;
      printf("%x %x %x %d %d %d", ua + ub, ua - ub, ua * ub, __builtin_add_overflow(a, b, &results[0]),
             __builtin_sub_overflow(a, b, &results[1]), __builtin_mul_overflow(a, b, &results[2]));
      if (b != 0 && !(a == INT32_MIN && b == -1)) printf(" %d %d %u %u", a / b, a % b, ua / ub, ua % ub);
      printf(" %x %x %x", ua << (b & 31), ua >> (b & 31), (unsigned)(a >> (b & 31)));
      printf(" %x %" PRIx64 " %" PRIx64 "\n", ua << (b & 31) | ua >> (-b & 31), (uint64_t)ua * ub, (uint64_t)((int64_t)a * b));
    }
    int32_t a = narrow[i];
    printf("%d %d %d %d %x\n", (int8_t)a, (int16_t)a, (uint8_t)a, a ? __builtin_clz((uint32_t)a) : 32,
           __builtin_bswap32((uint32_t)a));
  }
  div_t quotient = div(-7, 2);
  lldiv_t long_quotient = lldiv(-70000000000LL, 9);
  printf("%d %d %lld %lld %d %ld\n", quotient.quot, quotient.rem, long_quotient.quot, long_quotient.rem, abs(-5), labs(-6L));
  return 0;
}

int check_bit_fields(int argc, char **argv) {
  struct fields {
    unsigned a : 3;
    int b : 5;
    unsigned c : 11;
    unsigned long long d : 40;
    signed char e;
  } volatile fields = { 0 };
  (void)argc, (void)argv;
  fields.a = 5, fields.b = -7, fields.c = 1234, fields.d = 0x9876543210ULL, fields.e = -3;
  printf("%u %d %u %llx %d\n", fields.a, fields.b, fields.c, (unsigned long long)fields.d, fields.e);
  fields.a += 4, fields.b *= 3, fields.c ^= 0x7ff, fields.d += 0xffff;
  printf("%u %d %u %llx %d\n", fields.a, fields.b, fields.c, (unsigned long long)fields.d, fields.e);
  union {
    double value;
    uint64_t bits;
    uint8_t bytes[8];
  } pun = { .value = -1.5 };
  printf("%016llx %02x %02x\n", (unsigned long long)pun.bits, pun.bytes[0], pun.bytes[7]);
  return 0;
}

static volatile const double samples[] = {
  0.0, -0.0, 1.0, -1.0, 0.1, 1.0 / 3, -2.5, 3.5, 1e16, 1e-300, -1e300, 4e-320, 5e-324, DBL_MIN, DBL_MAX, INFINITY, -INFINITY, NAN,
  2147483647.5, -2147483648.5, 4294967296.0, 9.3e18,
};
#define SAMPLES (int)(sizeof samples / sizeof samples[0])

int check_floats(int argc, char **argv) {
  (void)argc, (void)argv;
  for (int i = 0; i < SAMPLES; i++) {
    for (int j = 0; j < SAMPLES; j++) {
      volatile double a = samples[i], b = samples[j];
      volatile float fa = (float)a, fb = (float)b;
      printf("%a %a %a %a %a", a + b, a - b, a * b, a / b, fma(a, b, samples[(i + j) % SAMPLES]));
      printf(" %a %a %a %a", (double)(fa + fb), (double)(fa * fb), (double)(fa / fb), (double)fmaf(fa, fb, 0.1f));
      printf(" %d%d%d%d%d%d\n", a < b, a <= b, a == b, a != b, isunordered(a, b), isgreater(a, b));
    }
  }
  for (int i = 0; i < SAMPLES; i++) {
    volatile double a = samples[i];
    printf("%a %a %a %a %a", a, (double)(float)a, sqrt(a), fabs(a), -a);
    printf(" %d%d%d%d %d", !!isnan(a), !!isinf(a), !!isfinite(a), !!isnormal(a), fpclassify(a));
    if (fabs(a) < 2e9) printf(" %d %ld", (int)a, lrint(a));
    if (fabs(a) < 9e18) printf(" %lld %lld", (long long)a, llround(a));
    if (a >= 0 && a < 4e9) printf(" %u", (unsigned)a);
    puts("");
  }
  volatile float sum = 0;
  volatile double wide = 0;
  for (int i = 1; i < 2000; i++) sum += 1.0f / i, wide += 1.0 / i;
  printf("%a %a\n", (double)sum, wide);
  printf("%d %d %g %g\n", DBL_MANT_DIG, FLT_MANT_DIG, DBL_EPSILON, (double)FLT_MAX);
  return 0;
}

static void show_exceptions(const char *text) {
  int raised = fetestexcept(FE_ALL_EXCEPT);
  printf("%s:%s%s%s%s%s\n", text, raised & FE_INEXACT ? " inexact" : "", raised & FE_DIVBYZERO ? " divide-by-zero" : "",
         raised & FE_UNDERFLOW ? " underflow" : "", raised & FE_OVERFLOW ? " overflow" : "", raised & FE_INVALID ? " invalid" : "");
  feclearexcept(FE_ALL_EXCEPT);
}

int check_rounding(int argc, char **argv) {
  static const struct {
    int mode;
    const char *name;
  } modes[] = { { FE_TONEAREST, "nearest" }, { FE_TOWARDZERO, "zero" }, { FE_UPWARD, "up" }, { FE_DOWNWARD, "down" } };
  volatile double one = 1, three = 3, ten = 10, tiny = 1e-300, huge = 1e300;
  volatile float one_single = 1, three_single = 3;
  (void)argc, (void)argv;
  for (int i = 0; i < 4; i++) {
    SHOW(fesetround(modes[i].mode));
    SHOW(fegetround() == modes[i].mode);
    printf("%s: %a %a %a %a %a\n", modes[i].name, one / three, -one / three, one / ten, tiny * tiny, huge * huge);
    printf("  %a %a %a\n", (double)(one_single / three_single), (double)(float)(one / three), sqrt(three));
    printf("  %ld %ld %ld %ld %g %g\n", lrint(2.5 * one), lrint(-2.5 * one), lrint(3.5 * one), lrint(0.1 * one), rint(-0.5 * one),
           nearbyint(1.5 * one));
    printf("  %a %d %d\n", fma(one / three, three, -one), (int)(2.9 * one), (int)(-2.9 * one));
    printf("  %.3f %.0f\n", 0.0625 * one, 2.5 * one);
  }
  fesetround(FE_TONEAREST);
  return 0;
}

int check_exceptions(int argc, char **argv) {
  volatile double one = 1, zero = 0, three = 3, big = 1e308, small = 1e-308, nan = NAN, result;
  volatile float narrow;
  (void)argc, (void)argv;
  feclearexcept(FE_ALL_EXCEPT);
  result = one + one, show_exceptions("1 + 1");
  result = one / three, show_exceptions("1 / 3");
  result = one / zero, show_exceptions("1 / 0");
  result = zero / zero, show_exceptions("0 / 0");
  result = big * big, show_exceptions("1e308 * 1e308");
  result = small * small, show_exceptions("1e-308 * 1e-308");
  result = sqrt(-one), show_exceptions("sqrt(-1)");
  result = nan + one, show_exceptions("NaN + 1");
  narrow = (float)big, show_exceptions("(float)1e308");
  volatile int less = nan < one;
  show_exceptions("NaN < 1");
  volatile int equal = nan == one;
  show_exceptions("NaN == 1");
  result = rint(1.5 * one), show_exceptions("rint(1.5)");
  result = nearbyint(1.5 * one), show_exceptions("nearbyint(1.5)");
  result = exp(1000 * one), show_exceptions("exp(1000)");
  result = log(zero), show_exceptions("log(0)");
  feraiseexcept(FE_INVALID | FE_OVERFLOW), show_exceptions("raised");
  result = one / three;
  fenv_t saved;
  SHOW(feholdexcept(&saved));
  show_exceptions("held");
  result = one / zero;
  SHOW(feupdateenv(&saved));
  show_exceptions("updated");
  (void)result, (void)narrow, (void)less, (void)equal;
  return 0;
}

#define ONE(name) { #name, name }
static const struct {
  const char *name;
  double (*function)(double);
} functions[] = {
  ONE(sin), ONE(cos), ONE(tan), ONE(asin), ONE(acos), ONE(atan), ONE(sinh), ONE(cosh), ONE(tanh), ONE(asinh), ONE(acosh), ONE(atanh),
  ONE(exp), ONE(exp2), ONE(exp10), ONE(expm1), ONE(log), ONE(log2), ONE(log10), ONE(log1p), ONE(sqrt), ONE(cbrt), ONE(erf), ONE(erfc),
  ONE(lgamma), ONE(tgamma), ONE(j0), ONE(j1), ONE(y0), ONE(y1), ONE(floor), ONE(ceil), ONE(trunc), ONE(round), ONE(roundeven),
  ONE(rint), ONE(nearbyint), ONE(fabs), ONE(logb), ONE(significand),
};
#define ONE_SINGLE(name) { #name, name##f }
static const struct {
  const char *name;
  float (*function)(float);
} single_functions[] = {
  ONE_SINGLE(sin), ONE_SINGLE(cos), ONE_SINGLE(tan), ONE_SINGLE(asin), ONE_SINGLE(acos), ONE_SINGLE(atan), ONE_SINGLE(sinh),
  ONE_SINGLE(cosh), ONE_SINGLE(tanh), ONE_SINGLE(exp), ONE_SINGLE(exp2), ONE_SINGLE(expm1), ONE_SINGLE(log), ONE_SINGLE(log2),
  ONE_SINGLE(log10), ONE_SINGLE(log1p), ONE_SINGLE(sqrt), ONE_SINGLE(cbrt), ONE_SINGLE(erf), ONE_SINGLE(tgamma), ONE_SINGLE(floor),
  ONE_SINGLE(ceil), ONE_SINGLE(trunc), ONE_SINGLE(round), ONE_SINGLE(rint),
};
static const struct {
  const char *name;
  double (*function)(double, double);
} pairs[] = {
  ONE(pow), ONE(atan2), ONE(fmod), ONE(remainder), ONE(hypot), ONE(copysign), ONE(nextafter), ONE(fdim), ONE(fmax), ONE(fmin),
};

int check_math(int argc, char **argv) {
  static const double points[] = { 0,   -0.0,  0.25,    0.5, 1,      1.5,  -0.75,     2.5,       -3.5,      10.1,    -20.7,   100.3,
                                   700, 1e-10, -1e-200, 1e6, 1.5e10, 1e22, -1e300,    5e-324,    INFINITY, -INFINITY, NAN };
  const int count = sizeof points / sizeof points[0];
  (void)argc, (void)argv;
  for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
    for (int i = 0; i < count; i++) {
      double result = functions[f].function(points[i]);
      if (isnan(result)) result = fabs(result);
      printf("%s(%g) = %.17g %a\n", functions[f].name, points[i], result, result);
    }
  }
  for (size_t f = 0; f < sizeof single_functions / sizeof single_functions[0]; f++) {
    for (int i = 0; i < count; i++) {
      double result = (double)single_functions[f].function((float)points[i]);
      if (isnan(result)) result = fabs(result);
      printf("%sf(%g) = %.9g %a\n", single_functions[f].name, (double)(float)points[i], result, result);
    }
  }
  for (size_t f = 0; f < sizeof pairs / sizeof pairs[0]; f++) {
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j += 2) {
        double result = pairs[f].function(points[i], points[j]);
        if (isnan(result)) result = fabs(result);
        printf("%s(%g, %g) = %.17g\n", pairs[f].name, points[i], points[j], result);
      }
    }
  }
  for (int i = 0; i < count; i++) {
    int exponent = 0, quotient = 0;
    double whole, fraction = frexp(points[i], &exponent);
    printf("%a %d", fabs(fraction), isfinite(points[i]) ? exponent : 0);
    fraction = modf(points[i], &whole);
    printf(" %a %a", fabs(fraction), fabs(whole));
    printf(" %a %a %a", fabs(ldexp(points[i], 3)), fabs(scalbn(points[i], -40)), fabs(scalbln(points[i], 2000)));
    if (isfinite(points[i]) && points[i] != 0) printf(" %d", ilogb(points[i]));
    if (fabs(points[i]) < 1e9) printf(" %ld %ld %d", lround(points[i]), lrint(points[i]), !!signbit(points[i]));
    double left = remquo(points[i], 3, &quotient);
    printf(" %a %d", fabs(left), isfinite(points[i]) ? quotient & 7 : 0);
    double sine, cosine;
    sincos(points[i], &sine, &cosine);
    printf(" %a %a\n", fabs(sine), fabs(cosine));
  }
  double complex z = csqrt(-3 + 4 * I), w = cexp(1 + I * 2), v = (1 + 2 * I) * (3 - I) / (2 + I);
  printf("%.15g %.15g %.15g %.15g %.15g %.15g %.15g\n", creal(z), cimag(z), creal(w), cimag(w), creal(v), cimag(v), cabs(3 + 4 * I));
  return 0;
}
