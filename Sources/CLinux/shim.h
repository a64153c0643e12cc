#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc of Debian 12 has the system call but no wrapper that C modules can import portably. */
static inline int linux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* prctl is variadic. */
static inline int linux_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

/* A global variable that Swift cannot prove safe to read; nothing in Hivegate changes the environment. */
static inline char **linux_environment(void) { return environ; }

/* With _GNU_SOURCE glibc declares addresses as transparent unions, which Swift cannot pass. */
#include <sys/socket.h>
static inline int linux_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return bind(fd, address, length);
}
static inline int linux_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
static inline int linux_local_name(int fd, struct sockaddr *address, socklen_t *length) {
    return getsockname(fd, address, length);
}
static inline int linux_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}

/* A timer that signals the thread that makes it and nobody else, or -1. By system calls, with what the kernel takes: glibc
   hides the thread's number in a union, and <signal.h> here would take its types from Swift's own module. */
static inline int linux_make_thread_timer(int signal, void *value) {
    struct { void *value; int signal, notify; pid_t thread; int rest[11]; } event = {value, signal, 4, gettid(), {0}};
    int timer;
    return syscall(SYS_timer_create, 1, &event, &timer) == 0 ? timer : -1;
}
/* Again and again; 0 stops it. */
static inline void linux_fire_thread_timer(int timer, long nanoseconds) {
    long interval_and_first[4] = {0, nanoseconds, 0, nanoseconds};
    syscall(SYS_timer_settime, timer, 0, interval_and_first, 0);
}
static inline void linux_delete_thread_timer(int timer) { syscall(SYS_timer_delete, timer); }
