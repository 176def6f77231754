/*
 * The boot decision of an ESP32, which ESP-IDF's bootloader makes from otadata: rollback must be enabled, and the image
 * confirmed by who tested it, not by the start-up code. A trial has one boot.
 */
#ifndef MOULT_ESP32_SLOTS_H
#define MOULT_ESP32_SLOTS_H

#include <stdint.h>

#include "esp_partition.h"

typedef struct esp32_slots {
  const esp_partition_t *const *partitions;
  /* What runs since the reset: 0 or 1, with 0x100 on trial. */
  int32_t state;
} esp32_slots;

/*
 * Once after a reset. `partitions`: ota_0 and ota_1, for as long as the slots are used. 0, or MOULT_STATUS_BOOT: neither
 * of them runs (a factory partition, say).
 */
int32_t esp32_slots_open(esp32_slots *slots, const esp_partition_t *const *partitions);

/*
 * As boot_state, boot_select, boot_confirm and boot_revert of moult.h. To revert may be a reset, which leaves the same:
 * ESP-IDF 5 has no other call for it.
 */
int32_t esp32_slots_state(const esp32_slots *slots);
int32_t esp32_slots_select(const esp32_slots *slots, int32_t wanted);
int32_t esp32_slots_confirm(esp32_slots *slots);
int32_t esp32_slots_revert(const esp32_slots *slots);

#endif
