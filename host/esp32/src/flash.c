#include "flash.h"

#include <stddef.h>

#include "moult.h"

/* The data partition of the core's state, by its label: its subtype is the application's. */
#define STATE_LABEL "moult"
#define SECTOR 4096u
/* Sectors of the journal and of the log, at the end of that partition. */
#define JOURNAL_SIZE (2 * SECTOR)
#define LOG_SIZE (2 * SECTOR)
/* The smallest bank of the trust store. */
#define SMALLEST_BANK (4 * SECTOR)
/* Bytes that are written at once: NOR flash takes single ones, and fewer writes cost less padding than they save. */
#define WRITE_UNIT 4u
#define ERASED 0xffu

/* Where an area lies. */
struct place {
  const esp_partition_t *partition;
  uint32_t start;
  uint32_t size;
};

/* Of one of two equal banks, whole sectors. */
static uint32_t bank_size(const esp_partition_t *state) {
  return (state->size - JOURNAL_SIZE - LOG_SIZE) / 2 / SECTOR * SECTOR;
}

/* Store A, store B, journal, log, one after another. */
static struct place place_of(const esp32_flash *flash, int32_t area) {
  uint32_t bank = bank_size(flash->state);
  switch (area) {
    case MOULT_AREA_STORE_A:
      return (struct place){flash->state, 0, bank};
    case MOULT_AREA_STORE_B:
      return (struct place){flash->state, bank, bank};
    case MOULT_AREA_JOURNAL:
      return (struct place){flash->state, 2 * bank, JOURNAL_SIZE};
    case MOULT_AREA_LOG:
      return (struct place){flash->state, 2 * bank + JOURNAL_SIZE, LOG_SIZE};
    case MOULT_AREA_SLOT_A:
      return (struct place){flash->slots[0], 0, flash->slots[0]->size};
    case MOULT_AREA_SLOT_B:
      return (struct place){flash->slots[1], 0, flash->slots[1]->size};
    default:
      return (struct place){NULL, 0, 0};
  }
}

static const esp_partition_t *find_slot(int number) {
  return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(number), NULL);
}

static int is_usable(const esp_partition_t *partition) {
  return partition != NULL && !partition->encrypted && partition->erase_size == SECTOR;
}

int32_t esp32_flash_open(esp32_flash *flash) {
  flash->state = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, STATE_LABEL);
  flash->slots[0] = find_slot(0);
  flash->slots[1] = find_slot(1);
  int usable = is_usable(flash->state) && is_usable(flash->slots[0]) && is_usable(flash->slots[1]);
  /* With a third slot a number in otadata would name another one than here. */
  if (!usable || find_slot(2) != NULL || flash->slots[0]->size != flash->slots[1]->size)
    return MOULT_STATUS_LAYOUT_INVALID;
  int roomy = flash->state->size >= 2 * SMALLEST_BANK + JOURNAL_SIZE + LOG_SIZE;
  return roomy ? MOULT_STATUS_OK : MOULT_STATUS_LAYOUT_INVALID;
}

int32_t esp32_flash_read(const esp32_flash *flash, int32_t area, uint32_t offset, void *to, uint32_t length) {
  struct place at = place_of(flash, area);
  return esp_partition_read(at.partition, at.start + offset, to, length) == ESP_OK ? 0 : -1;
}

int32_t esp32_flash_write(const esp32_flash *flash, int32_t area, uint32_t offset, const void *from, uint32_t length) {
  struct place at = place_of(flash, area);
  return esp_partition_write(at.partition, at.start + offset, from, length) == ESP_OK ? 0 : -1;
}

/* ESP-IDF erases blocks of 64 KiB by one command where the range has them, and lets other tasks run in between. */
int32_t esp32_flash_erase(const esp32_flash *flash, int32_t area, uint32_t offset, uint32_t length) {
  struct place at = place_of(flash, area);
  return esp_partition_erase_range(at.partition, at.start + offset, length) == ESP_OK ? 0 : -1;
}

uint32_t esp32_flash_size(const esp32_flash *flash, int32_t area) { return place_of(flash, area).size; }

uint32_t esp32_flash_block_end(const esp32_flash *flash, int32_t area, uint32_t offset) {
  (void)flash;
  (void)area;
  return offset / SECTOR * SECTOR + SECTOR;
}

uint32_t esp32_flash_unit(const esp32_flash *flash, int32_t area) {
  (void)flash;
  (void)area;
  return WRITE_UNIT | ERASED << 16;
}
