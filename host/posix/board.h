/* The board that a process is: flash in a file, the boot record on it, a clock. No counter in hardware. */
#ifndef MOULT_POSIX_BOARD_H
#define MOULT_POSIX_BOARD_H

#include "boot.h"
#include "flashfile.h"

typedef struct board {
  flash_file flash;
  moult_boot boot;
  /* What board_map has copied last. */
  uint8_t *copy;
} board;

/* `user` is a board. */
extern const moult_port board_port;

/* Of moult_core_slots: a copy, good until the next call. */
const uint8_t *board_map(void *user, int32_t number, uint32_t offset, uint32_t length);

/*
 * Whether the image in the running slot works: the shell command `test` gets the flash from there on as its standard
 * input, and says so by its status. Its output goes to standard error.
 */
int board_self_test(const board *self, const char *test);

#endif
