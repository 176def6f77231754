/* The board of the example: what each port writes anew. Its chip is an array here, its network a folder. */
#ifndef EXAMPLE_BOARD_H
#define EXAMPLE_BOARD_H

#include "chip.h"
#include "link.h"

/* The three functions of its flash, and its areas. */
extern moult_chip board_chip;

/* A piece of a file from the network, as `moult_reader` of client.h; `user` is the folder. */
int32_t board_fetch(void *user, int32_t kind, const char *name, uint32_t offset, uint32_t wanted, moult_piece *piece);

/* Seconds since 1970; 0 on a board that does not know them. */
uint32_t board_seconds(void);

/* The whole of a file, for the factory: how many bytes, or negative. */
int32_t board_load(const char *folder, const char *name, void *to, uint32_t capacity);

#endif
