/* As in ESP-IDF's lwip, which has the names and the order of POSIX: where there are sockets, they are those. */
#ifndef LWIP_SOCKETS_H
#define LWIP_SOCKETS_H

#ifdef __linux__
#include <sys/socket.h>
#include <sys/time.h>
#else
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/types.h>

typedef uint32_t socklen_t;
struct sockaddr;

#define SOCK_DGRAM 2
#define SOL_SOCKET 0xfff
#define SO_RCVTIMEO 0x1006

int socket(int domain, int type, int protocol);
int setsockopt(int s, int level, int optname, const void *optval, socklen_t optlen);
int connect(int s, const struct sockaddr *name, socklen_t namelen);
ssize_t send(int s, const void *dataptr, size_t size, int flags);
ssize_t recv(int s, void *mem, size_t len, int flags);
#endif

#endif
