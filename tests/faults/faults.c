/*
 * A bad day for the real daemon: loaded before its C library, this refuses changes below one folder and moves the
 * wall clock, so that whole-process tests can fill a disk, make it read-only, break its flush and set the clock
 * without privileges. The test changes the shared control file at any time (tests/src/faults.rs).
 *
 * What each error stands for, as Linux behaves:
 *   ENOSPC  the disk is full: a write stops half-way, the rest of it and whatever is new is refused; removing and
 *           renaming work
 *   EROFS   the disk went read-only: open files cannot be written either
 *   EACCES  the permissions were taken away: files that are open stay writable
 *   EIO     the disk broke: flushing fails
 *
 * A slow disk takes its time over each flush.
 *
 * A disk that does not answer makes a start or an end take until the test lets go: with HANG_STORE opening the store
 * does, with HANG_LOCK removing the gateway's lock, the last thing before its end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct control {
    int64_t error;
    int64_t clock_seconds;
    int64_t flush_milliseconds;
    int64_t hangs;
};

static const struct control quiet;
static const volatile struct control *control = &quiet;
static const char *folder = "";

__attribute__((constructor)) static void start(void) {
    const char *file = getenv("FAULTS_CONTROL");
    const char *below = getenv("FAULTS_BELOW");
    if (!file || !below)
        return;
    int fd = syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
    void *shared = mmap(NULL, sizeof quiet, PROT_READ, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        abort();
    close(fd);
    folder = strdup(below);
    control = shared;
}

static int path_is_below(const char *path) {
    size_t length = strlen(folder);
    return length > 0 && strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int is_below(int fd) {
    char name[64], path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return path_is_below(path);
}

static int exists(const char *path) {
    return syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
}

static int refuse(int error) {
    errno = error;
    return -1;
}

/* The error for changing the content of an open file, or 0. */
static int writing(int fd) {
    int error = control->error;
    return (error == ENOSPC || error == EROFS) && is_below(fd) ? error : 0;
}

/* How much of a write is done: all, or half of it before the disk is full, or none of the rest; then `errno` says why. */
static size_t allowed(int fd, size_t count) {
    static __thread int is_torn;
    int error = writing(fd);
    errno = error;
    is_torn = error == ENOSPC && !is_torn && count > 1;
    return !error ? count : is_torn ? count / 2 : 0;
}

/* The error for a new name in the folder, or 0. */
static int creating(const char *path) {
    int error = control->error;
    return error && error != EIO && path_is_below(path) && !exists(path) ? error : 0;
}

/* The error for taking a name away, or 0. */
static int removing(const char *path) {
    int error = control->error;
    return (error == EROFS || error == EACCES) && path_is_below(path) && exists(path) ? error : 0;
}

enum { HANG_STORE = 1, HANG_LOCK = 2 };

static void hang(int64_t what, const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    if (length > tail && strcmp(path + length - tail, end) == 0)
        while (control->hangs == what)
            usleep(1000);
}

static int opening(const char *path, int flags) {
    int error = control->error;
    if (flags & O_CREAT && creating(path))
        return error;
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
    return changes ? removing(path) : 0;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    size_t now = allowed(fd, count);
    return now == 0 && count > 0 ? -1 : syscall(SYS_write, fd, bytes, now);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    int error = writing(fd);
    return error ? refuse(error) : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    size_t now = allowed(fd, count);
    return now == 0 && count > 0 ? -1 : syscall(SYS_pwrite64, fd, bytes, now, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

int ftruncate64(int fd, off64_t length) {
    return control->error == EROFS && is_below(fd) ? refuse(EROFS) : syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) {
    return ftruncate64(fd, length);
}

static int flush(long call, int fd) {
    int64_t slow = control->flush_milliseconds;
    if ((slow > 0 || control->error == EIO) && is_below(fd)) {
        struct timespec rest = {.tv_sec = slow / 1000, .tv_nsec = slow % 1000 * 1000000};
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
            ;
        if (control->error == EIO)
            return refuse(EIO);
    }
    return syscall(call, fd);
}

int fsync(int fd) {
    return flush(SYS_fsync, fd);
}

int fdatasync(int fd) {
    return flush(SYS_fdatasync, fd);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    hang(HANG_STORE, path, "/gateway.sqlite");
    int error = opening(path, flags);
    return error ? refuse(error) : syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open64(path, flags, mode);
}

int mkdir(const char *path, mode_t mode) {
    int error = creating(path);
    return error ? refuse(error) : syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char *from, const char *to) {
    int error = removing(from);
    return error ? refuse(error) : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) {
    hang(HANG_LOCK, path, ".lock");
    int error = removing(path);
    return error ? refuse(error) : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int bind(int fd, const struct sockaddr *address, socklen_t length) {
    int error = address->sa_family == AF_UNIX ? creating(((const struct sockaddr_un *)address)->sun_path) : 0;
    return error ? refuse(error) : syscall(SYS_bind, fd, address, length);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock_seconds;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
