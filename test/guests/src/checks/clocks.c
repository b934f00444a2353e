/* Clocks, calendars, sleeps; waiting for descriptors. */
#include "checks.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static int64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  return clock_gettime(clock, &now) == 0 ? now.tv_sec * 1000000000LL + now.tv_nsec : -1;
}

int check_clocks(int argc, char **argv) {
  (void)argc, (void)argv;
  struct timeval day;
  struct timespec resolution;
  struct tms ticks;
  time_t now = time(NULL), stored;
  SHOW(now > 1600000000);
  SHOW(time(&stored) == stored);
  SHOW(gettimeofday(&day, NULL));
  SHOW(day.tv_sec >= now && day.tv_sec < now + 5 && day.tv_usec >= 0 && day.tv_usec < 1000000);
  SHOW(nanoseconds(CLOCK_REALTIME) / 1000000000 >= now);
  int64_t before = nanoseconds(CLOCK_MONOTONIC);
  SHOW(before > 0);
  SHOW(nanosleep(&(struct timespec){ 0, 20000000 }, NULL));
  int64_t after = nanoseconds(CLOCK_MONOTONIC);
  SHOW(after - before >= 20000000 && after - before < 2000000000);
  SHOW(nanoseconds(CLOCK_MONOTONIC_RAW) > 0);
  SHOW(nanoseconds(CLOCK_REALTIME_COARSE) > 0);
  SHOW(nanoseconds(CLOCK_MONOTONIC_COARSE) > 0);
  SHOW(nanoseconds(CLOCK_BOOTTIME) > 0);
  SHOW(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) > 0);
  SHOW(nanoseconds(CLOCK_THREAD_CPUTIME_ID) > 0);
  SHOW_CALL(clock_gettime(99, &resolution));
  SHOW(clock_getres(CLOCK_MONOTONIC, &resolution));
  SHOW(resolution.tv_sec == 0 && resolution.tv_nsec > 0);
  before = nanoseconds(CLOCK_MONOTONIC);
  SHOW(usleep(10000));
  SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 10000000 }, NULL));
  after = before + 40000000;
  SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){ (time_t)(after / 1000000000), (long)(after % 1000000000) }, NULL));
  SHOW(nanoseconds(CLOCK_MONOTONIC) >= after);
  SHOW(clock() >= 0);
  SHOW(times(&ticks) != (clock_t)-1);
  uint32_t low = 0, same = 0;
#ifdef __PPC__
  uint64_t first = __builtin_ppc_get_timebase(), second = __builtin_ppc_get_timebase();
  low = second >= first;
  usleep(2000);
  same = __builtin_ppc_get_timebase() > second;
#endif
  SHOW(low);
  SHOW(same);
  return 0;
}

int check_calendar(int argc, char **argv) {
  static const time_t moments[] = { 0, 951782400, 1234567890, 1709164800, 2147483647, -1, -2147483647 };
  char text[128];
  (void)argc, (void)argv;
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
    struct tm utc, local;
    gmtime_r(&moments[i], &utc), localtime_r(&moments[i], &local);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %a %j %U %V", &utc);
    printf("%s; ", text);
    strftime(text, sizeof text, "%c %z %Z %p %I %y %B %e %s", &local);
    printf("%s; %ld %s", text, (long)mktime(&local), asctime(&utc));
  }
  struct tm odd = { .tm_year = 124, .tm_mon = 13, .tm_mday = 35, .tm_hour = -5, .tm_min = 100 };
  printf("%ld", (long)timegm(&odd));
  strftime(text, sizeof text, " %F %T", &odd);
  puts(text);
  memset(&odd, 0, sizeof odd);
  SHOW(*strptime("2024-02-29 12:34:56", "%Y-%m-%d %H:%M:%S", &odd));
  printf("%ld %d %d\n", (long)timegm(&odd), odd.tm_wday, odd.tm_yday);
  printf("%.0f\n", difftime(1000, 400));
  return 0;
}

int check_waiting(int argc, char **argv) {
  (void)argc, (void)argv;
  int ends[2], other[2];
  pipe(ends), pipe(other);
  struct pollfd polled[3] = { { ends[0], POLLIN, 0 }, { other[1], POLLOUT, 0 }, { -1, POLLIN, 0 } };
  SHOW(poll(polled, 3, 1000));
  SHOW(polled[0].revents);
  SHOW(polled[1].revents == POLLOUT);
  SHOW(poll(polled, 1, 10));
  SHOW(write(ends[1], "x", 1));
  SHOW(poll(polled, 1, -1));
  SHOW(polled[0].revents == POLLIN);
  polled[2].fd = 77;
  SHOW(poll(polled, 3, 0));
  SHOW(polled[2].revents == POLLNVAL);
  SHOW(ppoll(polled, 2, &(struct timespec){ 0, 1000000 }, NULL));
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(ends[0], &readable);
  FD_SET(other[0], &readable);
  FD_SET(other[1], &writable);
  SHOW(select(other[1] + 1, &readable, &writable, NULL, &(struct timeval){ 1, 0 }));
  SHOW(!!FD_ISSET(ends[0], &readable));
  SHOW(!!FD_ISSET(other[0], &readable));
  SHOW(!!FD_ISSET(other[1], &writable));
  FD_ZERO(&readable);
  FD_SET(other[0], &readable);
  struct timeval timeout = { 0, 20000 };
  SHOW(select(other[0] + 1, &readable, NULL, NULL, &timeout));
  SHOW(!!FD_ISSET(other[0], &readable));
  SHOW(pselect(0, NULL, NULL, NULL, &(struct timespec){ 0, 1000000 }, NULL));
  FD_ZERO(&readable);
  FD_SET(60, &readable);
  SHOW_CALL(select(61, &readable, NULL, NULL, &timeout));
  close(ends[1]);
  char byte;
  SHOW(read(ends[0], &byte, 1));
  SHOW(poll(polled, 1, 0));
  SHOW(polled[0].revents == POLLHUP);
  SHOW_CALL(poll((struct pollfd *)1, 1, 0));
  return 0;
}
