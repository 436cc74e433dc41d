// Stands between a process and the files of one folder (FAULTS_FOLDER), for LD_PRELOAD.
//
// Into the file FAULTS_LOG, which is open before anything else, it writes what is done to them, in order, so that a
// test can work out what a power cut would have left: see shim.py for the format. While the file FAULTS_ERROR holds a
// number, writing to them fails with that errno.

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
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -2;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static const char *inside(const char *path) {
    const char *folder = getenv("FAULTS_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    if (!length || strncmp(path, folder, length)) return NULL;
    return path[length] == '/' ? path + length + 1 : path[length] ? NULL : path + length;
}

// The name inside of the folder of an open file, "" for the folder; NULL for others.
static const char *name_of(int file, char *buffer, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, buffer, size - 1);
    if (length < 0) return NULL;
    buffer[length] = 0;
    return inside(buffer);
}

// SQLite names files by absolute paths; a relative one is not looked at.
static const char *name_at(const char *path) { return path[0] == '/' ? inside(path) : NULL; }

static int fails(void) {
    const char *path = getenv("FAULTS_ERROR");
    if (!path) return 0;
    REAL(open);
    int file = real(path, O_RDONLY | O_CLOEXEC);
    char text[16] = "";
    if (file >= 0) {
        if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
        close(file);
    }
    return errno = atoi(text);
}

static void note(const char *kind, const char *name, const char *other, int64_t at, const void *data, size_t size) {
    const char *path = getenv("FAULTS_LOG");
    if (!path) return;
    REAL(open);
    static __typeof__(&write) put;
    if (!put) put = (__typeof__(&write))dlsym(RTLD_NEXT, "write");
    int before = errno;
    pthread_mutex_lock(&lock);
    if (log_file == -2) log_file = real(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    char head[1200];
    int length = snprintf(head, sizeof head, "%s %s %s %lld %zu\n", kind, *name ? name : ".", other, (long long)at, size);
    if (put(log_file, head, (size_t)length) < 0 || (size && put(log_file, data, size) < 0)) abort();
    pthread_mutex_unlock(&lock);
    errno = before;
}

#define WRITES(function, offset_type) \
    ssize_t function(int file, const void *data, size_t size, offset_type at) { \
        REAL(function); \
        char buffer[1024]; \
        const char *name = name_of(file, buffer, sizeof buffer); \
        if (name && fails()) return -1; \
        ssize_t done = real(file, data, size, at); \
        if (name && done > 0) note("write", name, "-", at, data, (size_t)done); \
        return done; \
    }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int file, const void *data, size_t size) {
    REAL(write);
    char buffer[1024];
    const char *name = name_of(file, buffer, sizeof buffer);
    if (name && fails()) return -1;
    off_t at = name ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t done = real(file, data, size);
    if (name && done > 0) note("write", name, "-", at, data, (size_t)done);
    return done;
}

#define TRUNCATES(function, offset_type) \
    int function(int file, offset_type size) { \
        REAL(function); \
        char buffer[1024]; \
        const char *name = name_of(file, buffer, sizeof buffer); \
        if (name && fails()) return -1; \
        int result = real(file, size); \
        if (name && !result) note("truncate", name, "-", size, NULL, 0); \
        return result; \
    }
TRUNCATES(ftruncate, off_t)
TRUNCATES(ftruncate64, off64_t)

#define SYNCS(function) \
    int function(int file) { \
        REAL(function); \
        char buffer[1024]; \
        const char *name = name_of(file, buffer, sizeof buffer); \
        if (name && fails()) return -1; \
        int result = real(file); \
        if (name && !result) note("sync", name, "-", 0, NULL, 0); \
        return result; \
    }
SYNCS(fsync)
SYNCS(fdatasync)

#define OPENS(function) \
    int function(const char *path, int flags, ...) { \
        REAL(function); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        const char *name = name_at(path); \
        int creates = name && flags & O_CREAT && access(path, F_OK); \
        if (creates && fails()) return -1; \
        int file = real(path, flags, mode); \
        if (creates && file >= 0) note("create", name, "-", 0, NULL, 0); \
        if (name && file >= 0 && flags & O_TRUNC) note("truncate", name, "-", 0, NULL, 0); \
        return file; \
    }
OPENS(open)
OPENS(open64)

int unlink(const char *path) {
    REAL(unlink);
    const char *name = name_at(path);
    if (name && fails()) return -1;
    int result = real(path);
    if (name && !result) note("unlink", name, "-", 0, NULL, 0);
    return result;
}

int rename(const char *from, const char *to) {
    REAL(rename);
    const char *name = name_at(from), *other = name_at(to);
    if (name && fails()) return -1;
    int result = real(from, to);
    if (name && other && !result) note("rename", name, other, 0, NULL, 0);
    return result;
}

// What a test may write into the log, to say when a result was accepted.
void faults_mark(const char *text) { note("mark", text, "-", 0, NULL, 0); }
