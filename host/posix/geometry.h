/*
 * The areas of a board's flash (docs/formats.md, "Flash areas"), as they are written beside the file that holds it:
 * one JSON array with an object for each area, {"blocks":[bytes, ...],"unit":bytes,"erased":byte}, without spaces. An area without blocks
 * is one that the board does not have.
 */
#ifndef MOULT_POSIX_GEOMETRY_H
#define MOULT_POSIX_GEOMETRY_H

#include <stdint.h>

/* 0 to 4, 6 and more for the core, 5 for the boot record. A device has at least LEAST_AREAS of them. */
#define AREAS 24u
#define LEAST_AREAS 6u

/* Erase blocks of all areas together, at most: 64 MiB in blocks of 4 KiB. */
#define MOST_BLOCKS 16384u

/* Bytes of all areas together, at most. */
#define MOST_FLASH 0x10000000u

typedef struct area {
  /* Where it begins in the file, and its length. */
  uint32_t start;
  uint32_t size;
  /* Write unit in bytes. */
  uint32_t unit;
  uint8_t erased;
  /* Its erase blocks: the end of each, counted from the start of the area. */
  const uint32_t *ends;
  uint32_t blocks;
} area;

typedef struct geometry {
  area areas[AREAS];
  /* Bytes of all areas. */
  uint32_t size;
  uint32_t ends[MOST_BLOCKS];
} geometry;

/* Reads the text of such a file, closed by a 0. 0, or -1: it describes no flash that can be. */
int geometry_parse(geometry *flash, const char *text);

/* One past the erase block that contains `offset`, which lies in the area. */
uint32_t geometry_block_end(const area *of, uint32_t offset);

/* Whether an erase may begin or end there. */
int geometry_is_edge(const area *of, uint32_t offset);

/*
 * Number of the component that the core is: its slots, and no others, have so many blocks (docs/formats.md, "Flash in a
 * file"). 0: none is.
 */
#define CORE_BLOCKS 32u
int32_t geometry_core(const geometry *flash);

/* The text for a new device of 4 KiB blocks and 4-byte units, like that of `moult device run`. */
void geometry_default(char *text, uint32_t capacity);

/* Bytes of that text and its closing 0, at most. */
#define GEOMETRY_DEFAULT_TEXT 8192u

#endif
