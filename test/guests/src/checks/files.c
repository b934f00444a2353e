/* Files and directories: everything happens in the current directory. */
#include "checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

int check_files(int argc, char **argv) {
  (void)argc, (void)argv;
  char buffer[64] = { 0 };
  umask(022);
  int file = open("data.txt", O_RDWR | O_CREAT | O_EXCL, 0666);
  SHOW(file >= 3);
  SHOW_CALL(open("data.txt", O_RDWR | O_CREAT | O_EXCL, 0666));
  SHOW_CALL(open("absent.txt", O_RDONLY));
  SHOW_CALL(open("data.txt/below", O_RDONLY));
  SHOW_CALL(open("data.txt", O_RDONLY | O_DIRECTORY));
  SHOW_CALL(open(".", O_RDWR));
  SHOW(write(file, "0123456789", 10));
  SHOW(lseek(file, 0, SEEK_CUR));
  SHOW(lseek(file, 3, SEEK_SET));
  SHOW(read(file, buffer, 4));
  printf("%s\n", buffer);
  SHOW(lseek(file, -2, SEEK_END));
  SHOW(read(file, buffer, 64));
  SHOW(read(file, buffer, 64));
  SHOW_CALL(lseek(file, -100, SEEK_SET));
  SHOW_CALL(lseek(file, 0, 99));
  SHOW(pwrite(file, "ab", 2, 4));
  SHOW(pread(file, buffer, 10, 0));
  printf("%.10s\n", buffer);
  SHOW_CALL(pread(file, buffer, 1, -1));
  SHOW(lseek64(file, 5000000000LL, SEEK_SET) == 5000000000LL);
  SHOW_CALL(lseek(file, 0, SEEK_CUR));
  struct iovec parts[3] = { { "one ", 4 }, { "", 0 }, { "two", 3 } };
  SHOW(lseek(file, 0, SEEK_END));
  SHOW(writev(file, parts, 3));
  char first[5] = { 0 }, second[20] = { 0 };
  struct iovec into[2] = { { first, 4 }, { second, 19 } };
  SHOW(lseek(file, 0, SEEK_SET));
  SHOW(readv(file, into, 2));
  printf("%s|%s\n", first, second);
  SHOW(preadv(file, into, 2, 2));
  SHOW_CALL(readv(file, into, -1));
  SHOW(ftruncate(file, 5));
  SHOW(lseek(file, 0, SEEK_END));
  SHOW(ftruncate(file, 20));
  SHOW(pread(file, buffer, 20, 0));
  SHOW(memcmp(buffer, "0123a\0\0\0", 8));
  SHOW(fsync(file));
  SHOW(fdatasync(file));
  SHOW(posix_fallocate(file, 0, 100));
  SHOW(lseek(file, 0, SEEK_END));
  SHOW(posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL));
  SHOW(flock(file, LOCK_EX));
  SHOW(flock(file, LOCK_UN));
  SHOW(close(file));
  SHOW_CALL(close(file));
  SHOW_CALL(write(file, "x", 1));
  SHOW_CALL(close(-1));
  file = open("data.txt", O_WRONLY | O_APPEND | O_CLOEXEC);
  SHOW(pwrite(file, "end", 3, 0));
  SHOW(write(file, "END", 3));
  SHOW_CALL(read(file, buffer, 1));
  SHOW(fcntl(file, F_GETFD));
  SHOW((fcntl(file, F_GETFL) & (O_ACCMODE | O_APPEND)) == (O_WRONLY | O_APPEND));
  SHOW(fcntl(file, F_SETFL, O_NONBLOCK));
  SHOW((fcntl(file, F_GETFL) & (O_APPEND | O_NONBLOCK)) == O_NONBLOCK);
  SHOW(close(file));
  SHOW(truncate("data.txt", 4));
  SHOW_CALL(truncate("absent.txt", 4));
  file = open("data.txt", O_RDONLY);
  SHOW(read(file, buffer, 64));
  SHOW_CALL(write(file, "x", 1));
  SHOW_CALL(ftruncate(file, 1));
  SHOW(close(file));
  SHOW(open("data.txt", O_WRONLY | O_TRUNC) == file);
  SHOW(lseek(file, 0, SEEK_END));
  SHOW(close(file));
  SHOW(creat("made.txt", 0600) == file);
  SHOW(close(file));
  SHOW(unlink("made.txt"));
  SHOW(unlink("data.txt"));
  SHOW_CALL(unlink("data.txt"));
  file = open("/dev/null", O_RDWR);
  SHOW(write(file, "gone", 4));
  SHOW(read(file, buffer, 4));
  SHOW(close(file));
  file = open("/dev/zero", O_RDONLY);
  SHOW(read(file, buffer, 4));
  SHOW(buffer[0]);
  SHOW_CALL(ioctl(file, TCGETS, buffer));
  SHOW(isatty(file));
  SHOW(close(file));
  return 0;
}

static void show_status(const char *path, const struct stat *status) {
  printf("%s: %s, mode %o, links %d, size %lld, own %d\n", path,
         S_ISREG(status->st_mode) ? "file" : S_ISDIR(status->st_mode) ? "directory" : S_ISLNK(status->st_mode) ? "link" : "other",
         (unsigned)status->st_mode & 07777, S_ISDIR(status->st_mode) ? 0 : (int)status->st_nlink,
         S_ISDIR(status->st_mode) ? 0LL : (long long)status->st_size, status->st_uid == geteuid());
}

int check_status(int argc, char **argv) {
  (void)argc, (void)argv;
  struct stat status, other;
  umask(027);
  SHOW(umask(022) == 027);
  int file = open("file", O_WRONLY | O_CREAT, 0666);
  SHOW(write(file, "12345", 5));
  SHOW(fstat(file, &status));
  show_status("file", &status);
  SHOW(close(file));
  SHOW(chmod("file", 0640));
  SHOW(link("file", "second"));
  SHOW(symlink("file", "soft"));
  SHOW(stat("second", &status));
  show_status("second", &status);
  SHOW(stat("file", &other));
  SHOW(status.st_ino == other.st_ino && status.st_dev == other.st_dev);
  SHOW(status.st_blksize > 0 && status.st_blocks >= 0);
  SHOW(lstat("soft", &status));
  printf("%s %lld\n", S_ISLNK(status.st_mode) ? "link" : "not a link", (long long)status.st_size);
  SHOW(stat("soft", &status));
  show_status("soft", &status);
  SHOW(fstatat(AT_FDCWD, "soft", &status, AT_SYMLINK_NOFOLLOW));
  SHOW(S_ISLNK(status.st_mode));
  char target[16] = { 0 };
  SHOW(readlink("soft", target, sizeof target));
  printf("%s\n", target);
  SHOW(readlink("soft", target, 2));
  SHOW_CALL(readlink("file", target, sizeof target));
  SHOW(symlink("nowhere", "dangling"));
  SHOW_CALL(stat("dangling", &status));
  SHOW(symlink("loop", "loop"));
  SHOW_CALL(stat("loop", &status));
  SHOW_CALL(open("soft", O_RDONLY | O_NOFOLLOW));
  SHOW(access("file", F_OK));
  SHOW(access("file", R_OK | W_OK));
  SHOW_CALL(access("absent", F_OK));
  SHOW(chmod("file", 0600));
  struct timespec times[2] = { { 1000000000, 123456789 }, { 1234567890, 987654321 } };
  SHOW(utimensat(AT_FDCWD, "file", times, 0));
  SHOW(stat("file", &status));
  printf("%lld.%09ld %lld.%09ld\n", (long long)status.st_atim.tv_sec, status.st_atim.tv_nsec, (long long)status.st_mtim.tv_sec,
         status.st_mtim.tv_nsec);
  struct utimbuf coarse = { 5, 6 };
  SHOW(utime("file", &coarse));
  SHOW(stat("file", &status));
  SHOW(status.st_atime == 5 && status.st_mtime == 6);
  times[1].tv_nsec = UTIME_OMIT, times[0].tv_nsec = UTIME_NOW;
  SHOW(utimensat(AT_FDCWD, "file", times, 0));
  SHOW(stat("file", &status));
  SHOW(status.st_mtime);
  SHOW(status.st_atime > 1600000000);
  SHOW(rename("file", "renamed"));
  SHOW_CALL(stat("file", &status));
  SHOW_CALL(rename("absent", "renamed"));
  SHOW(chown("renamed", (uid_t)-1, (gid_t)-1));
  struct statfs system;
  SHOW(statfs(".", &system));
  SHOW(system.f_bsize > 0 && system.f_blocks > 0);
  struct statvfs vfs;
  SHOW(statvfs(".", &vfs));
  SHOW(vfs.f_namemax);
  unlink("renamed"), unlink("second"), unlink("soft"), unlink("dangling"), unlink("loop");
  return 0;
}

static int visit(const char *path, const struct stat *status, int kind, struct FTW *at) {
  (void)status;
  printf("%d %d %s\n", at->level, kind == FTW_D || kind == FTW_DP, path);
  return 0;
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

int check_directories(int argc, char **argv) {
  (void)argc, (void)argv;
  char path[4096], again[4096];
  SHOW(mkdir("tree", 0755));
  SHOW_CALL(mkdir("tree", 0755));
  SHOW_CALL(mkdir("absent/below", 0755));
  SHOW(getcwd(path, sizeof path) == path && path[0] == '/');
  SHOW(chdir("tree"));
  SHOW(getcwd(again, sizeof again) == again && strncmp(path, again, strlen(path)) == 0);
  printf("%s\n", again + strlen(path));
  SHOW_CALL(getcwd(again, 2) ? 0 : -1);
  for (int i = 0; i < 150; i++) {
    char name[64];
    snprintf(name, sizeof name, "entry-%03d-with-a-rather-long-name", i);
    close(open(name, O_WRONLY | O_CREAT, 0600));
  }
  SHOW(mkdir("nested", 0700));
  DIR *directory = opendir(".");
  SHOW(directory != NULL);
  int files = 0, directories = 0, dots = 0;
  struct dirent *entry;
  errno = 0;
  while ((entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) dots++;
    else if (entry->d_type == DT_DIR) directories++;
    else if (entry->d_type == DT_REG) files++;
  }
  SHOW(errno);
  SHOW(dots);
  SHOW(files);
  SHOW(directories);
  rewinddir(directory);
  SHOW(readdir(directory) != NULL);
  long position = telldir(directory);
  entry = readdir(directory);
  strcpy(again, entry->d_name);
  readdir(directory);
  seekdir(directory, position);
  SHOW(strcmp(readdir(directory)->d_name, again));
  SHOW(dirfd(directory) >= 3);
  SHOW(closedir(directory));
  struct dirent **list;
  int count = scandir(".", &list, is_visible, alphasort);
  printf("%d %s %s %s\n", count, list[0]->d_name, list[75]->d_name, list[count - 1]->d_name);
  for (int i = 0; i < count; i++) free(list[i]);
  free(list);
  SHOW_CALL(rmdir("absent"));
  for (int i = 3; i < 150; i++) {
    char name[64];
    snprintf(name, sizeof name, "entry-%03d-with-a-rather-long-name", i);
    unlink(name);
  }
  SHOW(chdir(".."));
  SHOW_CALL(rmdir("tree"));
  SHOW_CALL(unlink("tree"));
  glob_t found;
  SHOW(glob("tree/entry-*", 0, NULL, &found));
  for (size_t i = 0; i < found.gl_pathc; i++) printf("%s\n", found.gl_pathv[i]);
  globfree(&found);
  int at = open("tree", O_RDONLY | O_DIRECTORY);
  SHOW(at >= 3);
  int file = openat(at, "nested/below", O_WRONLY | O_CREAT, 0600);
  SHOW(file >= 3);
  close(file);
  SHOW(faccessat(at, "nested/below", F_OK, 0));
  SHOW(unlinkat(at, "nested/below", 0));
  SHOW(renameat(at, "nested", at, "nest"));
  SHOW(unlinkat(at, "nest", AT_REMOVEDIR));
  SHOW(fchdir(at));
  for (int i = 0; i < 3; i++) {
    char name[64];
    snprintf(name, sizeof name, "entry-%03d-with-a-rather-long-name", i);
    SHOW(unlink(name));
  }
  SHOW(nftw(".", visit, 8, FTW_PHYS));
  SHOW(chdir(".."));
  SHOW(close(at));
  SHOW(rmdir("tree"));
  SHOW(opendir("tree") == NULL && errno == ENOENT);
  char name[] = "made-XXXXXX";
  file = mkstemp(name);
  SHOW(file >= 3 && strcmp(name, "made-XXXXXX") != 0);
  SHOW(unlink(name));
  char folder[] = "dir-XXXXXX";
  SHOW(mkdtemp(folder) == folder);
  SHOW(rmdir(folder));
  SHOW(realpath(".", path) == path);
  return 0;
}

int check_descriptors(int argc, char **argv) {
  (void)argc, (void)argv;
  int ends[2];
  char buffer[70000];
  SHOW(pipe(ends));
  SHOW(write(ends[1], "through a pipe", 14));
  SHOW(read(ends[0], buffer, 7));
  SHOW(read(ends[0], buffer, 100));
  printf("%.7s\n", buffer);
  SHOW(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  SHOW_CALL(read(ends[0], buffer, 1));
  int available = -1;
  SHOW(write(ends[1], "abc", 3));
  SHOW(ioctl(ends[0], FIONREAD, &available));
  SHOW(available);
  int copy = dup(ends[1]);
  SHOW(copy > ends[1]);
  SHOW(dup2(copy, 40));
  SHOW(dup2(40, 40));
  SHOW(dup3(copy, 41, O_CLOEXEC));
  SHOW(fcntl(41, F_GETFD));
  SHOW(fcntl(copy, F_DUPFD, 50));
  SHOW_CALL(dup2(99, 5));
  SHOW_CALL(dup3(copy, copy, 0));
  close(ends[1]), close(copy), close(41), close(50);
  SHOW(write(40, "def", 3));
  close(40);
  SHOW(read(ends[0], buffer, 100));
  SHOW(read(ends[0], buffer, 100));
  SHOW_CALL(lseek(ends[0], 0, SEEK_SET));
  SHOW(close(ends[0]));
  SHOW(pipe2(ends, O_NONBLOCK | O_CLOEXEC));
  SHOW(fcntl(ends[0], F_GETFD));
  SHOW(write(ends[1], buffer, sizeof buffer));
  SHOW_CALL(write(ends[1], buffer, sizeof buffer));
  SHOW(fcntl(ends[1], F_GETPIPE_SZ));
  SHOW_CALL(fcntl(99, F_GETFL));
  SHOW_CALL(fcntl(ends[0], 9999));
  int saved = dup(1);
  int file = open("redirected", O_RDWR | O_CREAT | O_TRUNC, 0600);
  fflush(stdout);
  dup2(file, 1);
  puts("to the file");
  fflush(stdout);
  dup2(saved, 1);
  SHOW(pread(file, buffer, 100, 0));
  SHOW(unlink("redirected"));
  return 0;
}

int check_bad_pointers(int argc, char **argv) {
  void *bad = (void *)1, *high = (void *)0xfffffff0u;
  struct stat status;
  char byte;
  (void)argc, (void)argv;
  SHOW_CALL(write(1, bad, 5));
  SHOW_CALL(write(1, high, 64));
  SHOW_CALL(write(1, NULL, 1));
  SHOW_CALL(write(1, NULL, 0));
  SHOW_CALL(open(bad, O_RDONLY));
  SHOW_CALL(open("", O_RDONLY));
  SHOW_CALL(stat(bad, &status));
#ifdef __PPC__
  /* The C library converts these structures itself. */
  SHOW_CALL(syscall(SYS_stat64, "/", bad));
  SHOW_CALL(syscall(SYS_nanosleep, bad, NULL));
  SHOW_CALL(syscall(SYS_gettimeofday, bad, NULL));
  SHOW_CALL(syscall(SYS_clock_gettime, 0, bad));
  SHOW_CALL(syscall(SYS_rt_sigaction, SIGUSR1, bad, NULL, 8));
  SHOW_CALL(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 5));
  SHOW_CALL(syscall(SYS_uname, bad));
#endif
  SHOW_CALL(readlink("/proc/self/exe", bad, 100));
  SHOW_CALL(chdir(bad));
  SHOW_CALL(unlink(NULL));
  SHOW_CALL(rename("a", bad));
  SHOW_CALL(pipe(bad));
  SHOW_CALL(writev(1, bad, 2));
  SHOW_CALL(writev(1, &(struct iovec){ bad, 4 }, 1));
  SHOW_CALL(nanosleep(&(struct timespec){ 0, 2000000000 }, NULL));
  SHOW_CALL(access(bad, F_OK));
  SHOW_CALL(read(99, &byte, 1));
  SHOW_CALL(read(-1, bad, 1));
  SHOW_CALL(fstat(77, &status));
  SHOW_CALL(lseek(77, 0, SEEK_SET));
  SHOW_CALL(dup(77));
  char longest[5000];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  SHOW_CALL(open(longest, O_RDONLY));
  SHOW_CALL(mkdir(longest, 0700));
  SHOW_CALL(syscall(9999));
  SHOW_CALL(syscall(-1));
  return 0;
}
