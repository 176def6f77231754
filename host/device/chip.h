/*
 * A port out of few functions: what reads, writes and erases the flash chip by its addresses, and a table of the areas.
 * The boot decision is the boot record's (boot.h), so the bootloader must start what that says; a board whose bootloader
 * decides by itself puts its own four functions over those of the port.
 *
 *   static moult_chip chip = {.read = …, .write = …, .erase = …, .unit = 4, .erased = 0xff, .places = …};
 *   moult_port port = moult_chip_port(&chip);           its `user` is the chip
 *   int32_t running = moult_chip_start(&chip);          in a bootloader; in the image that it started: moult_chip_continue
 */
#ifndef MOULT_CHIP_H
#define MOULT_CHIP_H

#include <stdint.h>

#include "boot.h"
#include "moult.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An area: from an erase block's boundary on, in whole erase blocks of one length. Size 0: the board has no such area. */
typedef struct moult_place {
  uint32_t start;
  uint32_t size;
  uint32_t block;
} moult_place;

/* The most areas that there are: enum moult_area, the boot record, the slots of eight components. */
#define MOULT_CHIP_PLACES 24u

/* Fill what the board has and zero the rest. Owned by the caller. */
typedef struct moult_chip {
  /* As moult.h has them of an area, by an address of the chip instead. */
  int32_t (*read)(void *user, uint32_t address, void *to, uint32_t length);
  int32_t (*write)(void *user, uint32_t address, const void *from, uint32_t length);
  int32_t (*erase)(void *user, uint32_t address, uint32_t length);
  /* As moult.h has them; both may be NULL. */
  uint32_t (*milliseconds)(void *user);
  int32_t (*entropy)(void *user, void *to, uint32_t length);
  void *user;
  /* The write unit, 1 to 32 bytes, and what an erased byte reads as, 0x00 or 0xFF. */
  uint32_t unit;
  uint8_t erased;
  /* By the number of the area (docs/formats.md, "Flash areas"). */
  moult_place places[MOULT_CHIP_PLACES];
  /* Not the caller's. */
  moult_boot boot;
} moult_chip;

/* The port, for moult_open, with `user` the chip. It may be changed before it is used. */
moult_port moult_chip_port(const moult_chip *chip);

/* As moult_boot_start and moult_boot_continue. */
int32_t moult_chip_start(moult_chip *chip);
int32_t moult_chip_continue(moult_chip *chip, int32_t state);

#ifdef __cplusplus
}
#endif

#endif
