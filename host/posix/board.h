/* The board that a process is: flash in a file, the boot record on it, a clock. No counter in hardware. */
#ifndef MOULT_POSIX_BOARD_H
#define MOULT_POSIX_BOARD_H

#include "boot.h"
#include "flashfile.h"

typedef struct board {
  flash_file flash;
  moult_boot boot;
} board;

/* `user` is a board. */
extern const moult_port board_port;

/*
 * Whether the image in the running slot works: the shell command `test` gets the flash from there on as its standard
 * input, and says so by its status. Its output goes to standard error.
 */
int board_self_test(const board *self, const char *test);

#endif
