/* esp_partition over the table that is in the flash. */
#include <string.h>

#include "bytes.h"
#include "chip.h"

#define TABLE 0x8000u
#define ROW 32u
#define MAGIC 0x50aau
#define MOST 16u

static esp_partition_t partitions[MOST];
static uint32_t count;

static int read_row(uint32_t number, esp_partition_t *partition) {
  uint8_t row[ROW];
  chip_read(TABLE + number * ROW, row, sizeof row);
  if ((moult_load(row) & 0xffff) != MAGIC) return 0;
  *partition = (esp_partition_t){
      .type = (esp_partition_type_t)row[2],
      .subtype = (esp_partition_subtype_t)row[3],
      .address = moult_load(row + 4),
      .size = moult_load(row + 8),
      .erase_size = CHIP_SECTOR,
      .encrypted = (row[28] & 1) != 0,
  };
  memcpy(partition->label, row + 12, 16);
  return 1;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label) {
  while (count < MOST && read_row(count, &partitions[count])) count++;
  for (uint32_t i = 0; i < count; i++) {
    const esp_partition_t *found = &partitions[i];
    int same_type = type == ESP_PARTITION_TYPE_ANY || type == found->type;
    int same_subtype = subtype == ESP_PARTITION_SUBTYPE_ANY || subtype == found->subtype;
    if (same_type && same_subtype && (label == NULL || strcmp(label, found->label) == 0)) return found;
  }
  return NULL;
}

static esp_err_t check(const esp_partition_t *partition, size_t offset, size_t size) {
  if (offset > partition->size) return ESP_ERR_INVALID_ARG;
  return size > partition->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size) {
  esp_err_t status = check(partition, src_offset, size);
  if (status == ESP_OK) chip_read(partition->address + (uint32_t)src_offset, dst, (uint32_t)size);
  return status;
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src, size_t size) {
  esp_err_t status = check(partition, dst_offset, size);
  if (status == ESP_OK) chip_write(partition->address + (uint32_t)dst_offset, src, (uint32_t)size);
  return status;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size) {
  esp_err_t status = check(partition, offset, size);
  if (status == ESP_OK && (offset % CHIP_SECTOR != 0 || size % CHIP_SECTOR != 0)) status = ESP_ERR_INVALID_SIZE;
  if (status == ESP_OK) chip_erase(partition->address + (uint32_t)offset, (uint32_t)size);
  return status;
}
