#include "line.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail(EXIT_USAGE, "%s: too long for the path of a socket", path);
  memcpy(address.sun_path, path, strlen(path) + 1);
  int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
  if (socket_file < 0 || connect(socket_file, (struct sockaddr *)&address, sizeof address) != 0)
    fail(EXIT_NETWORK, "%s: no gateway answers there: %s", path, strerror(errno));
  return socket_file;
}

void line_open(line *self, const char *path) {
  if (path == NULL && (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)))
    fail(EXIT_USAGE, "standard input and output are a terminal and no gateway; name a socket with --link");
  self->in = path != NULL ? connect_to(path) : STDIN_FILENO;
  self->out = path != NULL ? self->in : STDOUT_FILENO;
  self->gone = 0;
}

static int32_t end(line *self) {
  self->gone = 1;
  return -1;
}

static int32_t receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  line *self = user;
  struct pollfd waiting = {.fd = self->in, .events = POLLIN};
  int ready = poll(&waiting, 1, (int)wait_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return 0;
  ssize_t length = ready < 0 ? -1 : read(self->in, to, capacity);
  return length > 0 ? (int32_t)length : end(self);
}

static int32_t send_all(void *user, const void *from, uint32_t length) {
  line *self = user;
  const uint8_t *next = from;
  while (length > 0) {
    ssize_t written = write(self->out, next, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return end(self);
    next += written;
    length -= (uint32_t)written;
  }
  return 0;
}

uint32_t line_milliseconds(void *user) {
  struct timespec now;
  (void)user;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

void line_idle(line *self, uint32_t seconds) {
  uint8_t dropped[64];
  uint64_t left = (uint64_t)seconds * 1000;
  while (left > 0 && !self->gone) {
    uint32_t began = line_milliseconds(NULL);
    receive(self, dropped, sizeof dropped, left < 60000 ? (uint32_t)left : 60000);
    uint32_t passed = line_milliseconds(NULL) - began;
    left -= passed < left ? passed : left;
  }
}

const moult_stream line_stream = {.receive = receive, .send = send_all, .milliseconds = line_milliseconds};
