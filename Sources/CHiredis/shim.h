#pragma once
#include <fcntl.h>
#include <hiredis/hiredis.h>

/* fcntl is variadic. hiredis 0.14 opens its sockets without close-on-exec. */
static inline int hiredis_close_on_exec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }
