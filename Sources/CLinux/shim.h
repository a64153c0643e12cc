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
