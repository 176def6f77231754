/*
 * What stands at the start of a slot: little endian, 64 bytes, sealed when the image is built (sim/emulator.ts). It
 * guards against halves and accidents; who made an image is for the core to judge before it is selected.
 */
#ifndef MOULT_IMAGE_H
#define MOULT_IMAGE_H

#include <stdint.h>

#define MOULT_IMAGE_MAGIC 0x3149514du /* "MQI1" */

struct image_header {
  uint32_t magic;
  /* Of the whole image, this header included. */
  uint32_t length;
  /* CRC-32 of all that follows this field. */
  uint32_t crc;
  /* Where it begins to run. */
  uint32_t entry;
  /* For people, closed with a 0. */
  char version[32];
  uint32_t reserved[4];
};

#endif
