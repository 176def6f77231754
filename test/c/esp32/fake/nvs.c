/* NVS with 32-bit values: entries appended to the partition, the last whole one counts; the other half when it is full. */
#include <string.h>

#include "bytes.h"
#include "chip.h"
#include "crc32.h"
#include "nvs.h"

#define ENTRY 48u
#define HALF CHIP_SECTOR
#define NAMES 32u
#define HANDLE 1u

static char names[NAMES];
static nvs_open_mode_t mode;

static const esp_partition_t *partition(void) {
  return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL);
}

/* The value of `names` in the last whole entry of either half. 0: there is none. */
static int find(uint32_t *value, uint32_t *sequence) {
  uint8_t entry[ENTRY];
  int found = 0;
  *sequence = 0;
  for (uint32_t offset = 0; offset + ENTRY <= 2 * HALF; offset += offset % HALF + 2 * ENTRY > HALF ? HALF - offset % HALF : ENTRY) {
    chip_read(partition()->address + offset, entry, sizeof entry);
    if (moult_load(entry + 40) != moult_crc32(0, entry, 40) || memcmp(entry, names, NAMES) != 0) continue;
    if (found && moult_load(entry + 36) < *sequence) continue;
    *value = moult_load(entry + 32);
    *sequence = moult_load(entry + 36);
    found = 1;
  }
  return found;
}

static int is_free(uint32_t offset) {
  uint8_t entry[ENTRY];
  chip_read(partition()->address + offset, entry, sizeof entry);
  for (uint32_t i = 0; i < ENTRY; i++)
    if (entry[i] != 0xff) return 0;
  return 1;
}

static uint32_t find_room(uint32_t sequence) {
  uint32_t half = sequence / 40 % 2 * HALF;
  if (sequence % 40 == 0) chip_erase(partition()->address + half, HALF);
  for (uint32_t offset = half; offset + ENTRY <= half + HALF; offset += ENTRY)
    if (is_free(offset)) return offset;
  chip_fail("nvs is full");
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle) {
  uint32_t value, sequence;
  memset(names, 0, sizeof names);
  strncpy(names, namespace_name, 15);
  strcpy(names + 16, "counter");
  mode = open_mode;
  *out_handle = HANDLE;
  return open_mode == NVS_READWRITE || find(&value, &sequence) ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *out_value) {
  uint32_t sequence;
  if (handle != HANDLE || strcmp(key, names + 16) != 0) return ESP_ERR_NVS_NOT_FOUND;
  return find(out_value, &sequence) ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value) {
  uint8_t entry[ENTRY];
  uint32_t before, sequence;
  if (handle != HANDLE || mode != NVS_READWRITE || strcmp(key, names + 16) != 0) return ESP_ERR_INVALID_ARG;
  uint32_t next = find(&before, &sequence) ? sequence + 1 : 0;
  memset(entry, 0xff, sizeof entry);
  memcpy(entry, names, NAMES);
  moult_store(entry + 32, value, 4);
  moult_store(entry + 36, next, 4);
  moult_store(entry + 40, moult_crc32(0, entry, 40), 4);
  chip_write(partition()->address + find_room(next), entry, sizeof entry);
  return ESP_OK;
}

esp_err_t nvs_commit(nvs_handle_t handle) { return handle == HANDLE ? ESP_OK : ESP_ERR_INVALID_ARG; }

void nvs_close(nvs_handle_t handle) { (void)handle; }
