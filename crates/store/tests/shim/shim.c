/* Stands between a program and the C library, for files below one folder.
 *
 * SHIM_DIR    the folder; files that end in "-shm" are left alone, they do not outlive a crash
 * SHIM_TRACE  records every change of a file, every fsync and every acknowledgement, in order
 * SHIM_FAIL   "write:7" or "sync:7": every 7th such call fails, writes after half their bytes
 * SHIM_ERRNO  with what; default EIO
 *
 * The file "acks" is where the program tells what it was answered. It never fails, and failing begins with the
 * first line in it, so that a program can start up first.
 *
 * Record: op, name length u32, name, offset u64, data length u32, data; numbers as the machine has them.
 * Ops: C created, W written, T truncated to offset, S synced, F sync failed, D folder synced, U unlinked,
 * R renamed to data, A acknowledged.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define FDS 4096
#define NAME 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char names[FDS][NAME]; /* below the folder; "." is the folder itself, "" is not ours */
static const char *dir;
static size_t dir_len;
static int trace = -1;
static int armed;
static char fail_kind;
static long fail_every, fail_count;
static int fail_errno = EIO;

static void start(void) {
  static int started;
  if (started) return;
  started = 1;
  dir = getenv("SHIM_DIR");
  dir_len = dir ? strlen(dir) : 0;
  const char *file = getenv("SHIM_TRACE");
  if (file) trace = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *fail = getenv("SHIM_FAIL");
  if (fail) {
    fail_kind = fail[0];
    const char *colon = strchr(fail, ':');
    fail_every = colon ? atol(colon + 1) : 0;
  }
  const char *number = getenv("SHIM_ERRNO");
  if (number) fail_errno = atoi(number);
}

static const char *below(const char *path) {
  start();
  if (!dir || !path || strncmp(path, dir, dir_len) != 0) return NULL;
  if (path[dir_len] == 0) return ".";
  if (path[dir_len] != '/') return NULL;
  const char *name = path + dir_len + 1;
  size_t len = strlen(name);
  if (len == 0) return ".";
  if (len >= NAME || (len > 4 && strcmp(name + len - 4, "-shm") == 0)) return NULL;
  return name;
}

static const char *of(int fd) { return fd >= 0 && fd < FDS && names[fd][0] ? names[fd] : NULL; }
static int is_acks(const char *name) { return strcmp(name, "acks") == 0; }

static void put(const void *bytes, size_t len) {
  const char *at = bytes;
  while (len > 0) {
    ssize_t n = syscall(SYS_write, trace, at, len);
    if (n <= 0) _exit(99); /* a trace with a hole proves nothing */
    at += n;
    len -= n;
  }
}

static void record(char op, const char *name, uint64_t offset, const void *data, uint32_t len) {
  if (trace < 0) return;
  uint32_t name_len = strlen(name);
  put(&op, 1);
  put(&name_len, 4);
  put(name, name_len);
  put(&offset, 8);
  put(&len, 4);
  if (len) put(data, len);
}

static int fails(char kind) {
  if (!armed || fail_kind != kind || fail_every <= 0) return 0;
  return ++fail_count % fail_every == 0;
}

static int opened(int fd, const char *name, int created) {
  if (fd >= 0 && fd < FDS) {
    names[fd][0] = 0;
    if (name) {
      strcpy(names[fd], name);
      if (created) record('C', name, 0, NULL, 0);
    }
  }
  return fd;
}

static int open_at(int at, const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  const char *name = below(path);
  struct stat there;
  int created = name && (flags & O_CREAT) && syscall(SYS_newfstatat, at, path, &there, 0) != 0;
  int fd = syscall(SYS_openat, at, path, flags, mode);
  int error = errno;
  opened(fd, name, created);
  if (fd >= 0 && name && !created && (flags & O_TRUNC)) record('T', name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE                                   \
  mode_t mode = 0;                             \
  if (flags & (O_CREAT | __O_TMPFILE)) {       \
    va_list rest;                              \
    va_start(rest, flags);                     \
    mode = va_arg(rest, mode_t);               \
    va_end(rest);                              \
  }

int open(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return open_at(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return open_at(at, path, flags | O_LARGEFILE, mode); }

int close(int fd) {
  if (fd >= 0 && fd < FDS) names[fd][0] = 0;
  return syscall(SYS_close, fd);
}

/* offset < 0: where the file stands */
static ssize_t write_at(int fd, const void *data, size_t len, off_t offset) {
  const char *name = of(fd);
  if (!name) return offset < 0 ? syscall(SYS_write, fd, data, len) : syscall(SYS_pwrite64, fd, data, len, offset);
  pthread_mutex_lock(&lock);
  int acks = is_acks(name);
  int failing = !acks && fails('w');
  size_t part = failing ? len / 2 : len;
  ssize_t n = offset < 0 ? syscall(SYS_write, fd, data, part) : syscall(SYS_pwrite64, fd, data, part, offset);
  int error = errno;
  if (n >= 0 && acks) {
    armed = 1;
    record('A', name, 0, data, n);
  } else if (n > 0) {
    off_t at = offset < 0 ? syscall(SYS_lseek, fd, 0, SEEK_CUR) - n : offset;
    record('W', name, at, data, n);
  }
  pthread_mutex_unlock(&lock);
  errno = failing ? fail_errno : error;
  return failing ? -1 : n;
}

ssize_t write(int fd, const void *data, size_t len) { return write_at(fd, data, len, -1); }
ssize_t pwrite(int fd, const void *data, size_t len, off_t offset) { return write_at(fd, data, len, offset); }
ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset) { return write_at(fd, data, len, offset); }

static int truncate_to(int fd, off_t size) {
  const char *name = of(fd);
  if (!name) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&lock);
  int outcome = syscall(SYS_ftruncate, fd, size);
  int error = errno;
  if (outcome == 0) record('T', name, size, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return outcome;
}

int ftruncate(int fd, off_t size) { return truncate_to(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_to(fd, size); }

static int sync_fd(int fd, long call) {
  const char *name = of(fd);
  if (!name) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  int failing = !is_acks(name) && fails('s');
  /* Whether the real disk has it does not matter here: the crash images are made from the trace. */
  record(failing ? 'F' : name[0] == '.' && !name[1] ? 'D' : 'S', name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  if (failing) errno = fail_errno;
  return failing ? -1 : 0;
}

int fsync(int fd) { return sync_fd(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_fd(fd, SYS_fdatasync); }

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  const char *name = below(path);
  int outcome = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  int error = errno;
  if (outcome == 0 && name) record('U', name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  errno = error;
  return outcome;
}

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  const char *old = below(from), *new = below(to);
  int outcome = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int error = errno;
  if (outcome == 0 && old && new) record('R', old, 0, new, strlen(new));
  pthread_mutex_unlock(&lock);
  errno = error;
  return outcome;
}
