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
