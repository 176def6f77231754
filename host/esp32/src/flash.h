/*
 * The flash of an ESP32 as the core sees it: areas in the partitions of its table (docs/formats.md, "Areas of an ESP32").
 * The slots are ota_0 and ota_1; trust store, journal and log share the data partition `moult`.
 */
#ifndef MOULT_ESP32_FLASH_H
#define MOULT_ESP32_FLASH_H

#include <stdint.h>

#include "esp_partition.h"

typedef struct esp32_flash {
  const esp_partition_t *state;
  const esp_partition_t *slots[2];
} esp32_flash;

/*
 * Finds the partitions. 0, or MOULT_STATUS_LAYOUT_INVALID: one is missing, there is a third slot, the two have other
 * sizes, `moult` is too small, or one is encrypted: erased flash reads as noise then, and the core would not know it.
 */
int32_t esp32_flash_open(esp32_flash *flash);

/* As moult.h has them; the boot area, 5, is ESP-IDF's own and not among them. */
int32_t esp32_flash_read(const esp32_flash *flash, int32_t area, uint32_t offset, void *to, uint32_t length);
int32_t esp32_flash_write(const esp32_flash *flash, int32_t area, uint32_t offset, const void *from, uint32_t length);
int32_t esp32_flash_erase(const esp32_flash *flash, int32_t area, uint32_t offset, uint32_t length);
uint32_t esp32_flash_size(const esp32_flash *flash, int32_t area);
uint32_t esp32_flash_block_end(const esp32_flash *flash, int32_t area, uint32_t offset);
uint32_t esp32_flash_unit(const esp32_flash *flash, int32_t area);

#endif
