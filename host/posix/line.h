/* The link's stream of bytes: two file descriptors, or one that is a socket. */
#ifndef MOULT_POSIX_LINE_H
#define MOULT_POSIX_LINE_H

#include "link.h"

typedef struct line {
  int in;
  int out;
  /* The other end has closed it. */
  int gone;
} line;

/* To the Unix socket at `path`, or standard input and output where it is NULL. Ends the process when it cannot. */
void line_open(line *self, const char *path);

/* Waits, and drops what comes, since nothing was asked for. Ends early when the line is gone. */
void line_idle(line *self, uint32_t seconds);

/* `user` is a line. */
extern const moult_stream line_stream;

/* Milliseconds that rise and may wrap, as moult_port and moult_stream want them. */
uint32_t line_milliseconds(void *user);

#endif
