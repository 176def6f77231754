/* Stands for Zephyr's header of the same name: what host/zephyr uses of it, with its signatures (Zephyr 3.7 to 4.x). */
#ifndef FAKE_FLASH_MAP_H
#define FAKE_FLASH_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct device;

struct flash_area {
  uint8_t fa_id;
  uint8_t fa_device_id;
  uint16_t pad16;
  off_t fa_off;
  size_t fa_size;
  const struct device *fa_dev;
};

/* The devicetree's, in the real one. */
enum { PARTITION_slot0_partition, PARTITION_slot1_partition, PARTITION_moult_store_a, PARTITION_moult_store_b,
       PARTITION_moult_journal, PARTITION_moult_boot, PARTITIONS };
#define FIXED_PARTITION_ID(label) PARTITION_##label

int flash_area_open(uint8_t id, const struct flash_area **fa);
int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len);
int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len);
int flash_area_erase(const struct flash_area *fa, off_t off, size_t len);
uint32_t flash_area_align(const struct flash_area *fa);
uint8_t flash_area_erased_val(const struct flash_area *fa);
const struct device *flash_area_get_device(const struct flash_area *fa);

#endif
