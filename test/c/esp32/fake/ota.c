/*
 * otadata as ESP-IDF's bootloader and its calls for applications treat it, with rollback: what they do to the flash, in
 * which order, and what they refuse.
 */
#include <string.h>

#include "bytes.h"
#include "chip.h"
#include "crc32.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "moult.h"
#include "sha256.h"

#define RECORD 32u
#define STATE_AT 24u
#define CRC_AT 28u
#define NO_SEQUENCE UINT32_MAX
#define SLOTS 2u
#define LARGEST 0x200000u

struct record {
  uint32_t sequence;
  uint32_t state;
  int right;
};

static const esp_partition_t *running;

static const esp_partition_t *slot_at(uint32_t number) {
  return esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_OTA(number), NULL);
}

static const esp_partition_t *otadata(void) {
  return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
}

/* ---- records ---- */

static uint32_t crc_of(uint32_t sequence) {
  uint8_t bytes[4];
  moult_store(bytes, sequence, 4);
  return moult_crc32(UINT32_MAX, bytes, sizeof bytes);
}

static struct record read_record(uint32_t sector) {
  uint8_t bytes[RECORD];
  chip_read(otadata()->address + sector * CHIP_SECTOR, bytes, sizeof bytes);
  struct record record = {.sequence = moult_load(bytes), .state = moult_load(bytes + STATE_AT)};
  record.right = record.sequence != NO_SEQUENCE && moult_load(bytes + CRC_AT) == crc_of(record.sequence);
  return record;
}

static void write_record(uint32_t sector, uint32_t sequence, uint32_t state) {
  uint8_t bytes[RECORD];
  uint32_t address = otadata()->address + sector * CHIP_SECTOR;
  memset(bytes, 0xff, sizeof bytes);
  moult_store(bytes, sequence, 4);
  moult_store(bytes + STATE_AT, state, 4);
  moult_store(bytes + CRC_AT, crc_of(sequence), 4);
  chip_erase(address, CHIP_SECTOR);
  chip_write(address, bytes, sizeof bytes);
}

static int counts(const struct record *record) {
  return record->right && record->state != ESP_OTA_IMG_INVALID && record->state != ESP_OTA_IMG_ABORTED;
}

/* The sector of the record that counts; negative: none. */
static int active_sector(void) {
  struct record records[2] = {read_record(0), read_record(1)};
  if (!counts(&records[0])) return counts(&records[1]) ? 1 : -1;
  return counts(&records[1]) && records[1].sequence > records[0].sequence;
}

static uint32_t slot_of(uint32_t sequence) { return (sequence - 1) % SLOTS; }

/* ---- images ---- */

static int hash_is_right(const uint8_t *image, uint32_t length) {
  uint8_t digest[32];
  moult_sha256(image, length, digest);
  return memcmp(digest, image + length, sizeof digest) == 0;
}

/* 0: the segments, the checksum or the hash behind them are not right. */
static uint32_t length_of(const uint8_t *image, uint32_t most) {
  uint32_t at = 24;
  uint8_t sum = 0xef;
  if (image[0] != 0xe9) return 0;
  for (uint32_t segment = 0; segment < image[1]; segment++) {
    if (most - at < 8) return 0;
    uint32_t length = moult_load(image + at + 4);
    at += 8;
    if (length > most - at) return 0;
    while (length-- > 0) sum ^= image[at++];
  }
  at += 16 - at % 16;
  if (most < at || most - at < 32 || image[at - 1] != sum) return 0;
  if (image[23] == 0) return at;
  return hash_is_right(image, at) ? at + 32 : 0;
}

#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
static uint32_t secure_version_of(const esp_partition_t *partition) {
  uint8_t bytes[4];
  chip_read(partition->address + 36, bytes, sizeof bytes);
  return moult_load(bytes);
}
#endif

uint32_t chip_image_length(const esp_partition_t *partition) {
  static uint8_t image[LARGEST];
  uint32_t most = partition->size < LARGEST ? partition->size : LARGEST;
  chip_read(partition->address, image, most);
  uint32_t length = length_of(image, most);
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
  if (length > 0 && secure_version_of(partition) < chip_secure_version()) return 0;
#endif
  return length;
}

/* ---- the bootloader ---- */

/* A trial that was not confirmed is over; one that begins is noted. */
static void count_trials(void) {
  for (uint32_t sector = 0; sector < 2; sector++) {
    struct record record = read_record(sector);
    if (record.right && record.state == ESP_OTA_IMG_PENDING_VERIFY)
      write_record(sector, record.sequence, ESP_OTA_IMG_ABORTED);
  }
  int active = active_sector();
  if (active < 0) return;
  struct record record = read_record((uint32_t)active);
  if (record.state == ESP_OTA_IMG_NEW) write_record((uint32_t)active, record.sequence, ESP_OTA_IMG_PENDING_VERIFY);
}

/* The slot that is chosen, or the other one where that holds no image that boots. */
static const esp_partition_t *load(uint32_t slot) {
  if (chip_image_length(slot_at(slot)) > 0) return slot_at(slot);
  return chip_image_length(slot_at(1 - slot)) > 0 ? slot_at(1 - slot) : NULL;
}

/* A flash that no update has touched gets a record of what runs. */
static void note_first(const esp_partition_t *booted) {
  if (!read_record(0).right && !read_record(1).right)
    write_record(0, booted == slot_at(1) ? 2 : 1, ESP_OTA_IMG_VALID);
}

const esp_partition_t *chip_boot(void) {
  count_trials();
  int active = active_sector();
  running = load(active < 0 ? 0 : slot_of(read_record((uint32_t)active).sequence));
  if (running == NULL) return NULL;
  if (active < 0) note_first(running);
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
  if (active >= 0 && read_record((uint32_t)active).state == ESP_OTA_IMG_VALID)
    chip_burn_secure_version(secure_version_of(running));
#endif
  return running;
}

/* ---- the calls ---- */

const esp_partition_t *esp_ota_get_running_partition(void) { return running; }

const esp_partition_t *esp_ota_get_boot_partition(void) {
  int active = active_sector();
  return slot_at(active < 0 ? 0 : slot_of(read_record((uint32_t)active).sequence));
}

esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state) {
  for (uint32_t sector = 0; sector < 2; sector++) {
    struct record record = read_record(sector);
    if (!record.right || slot_at(slot_of(record.sequence)) != partition) continue;
    *ota_state = (esp_ota_img_states_t)record.state;
    return ESP_OK;
  }
  return ESP_ERR_NOT_FOUND;
}

esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition) {
  uint32_t slot = (uint32_t)(partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
  int active = active_sector();
  if (chip_image_length(partition) == 0) return ESP_ERR_OTA_VALIDATE_FAILED;
  if (active < 0) {
    write_record(0, slot + 1, ESP_OTA_IMG_NEW);
    return ESP_OK;
  }
  uint32_t sequence = read_record((uint32_t)active).sequence;
  int same = slot_of(sequence) == slot;
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
  uint32_t sector = (uint32_t)(same ? active : 1 - active);
#else
  uint32_t sector = (uint32_t)(1 - active); /* with the same number, where the slot is the same */
#endif
  write_record(sector, sequence + !same, ESP_OTA_IMG_NEW);
  return ESP_OK;
}

static esp_err_t mark(esp_ota_img_states_t state) {
  int active = active_sector();
  if (active < 0) return ESP_FAIL;
  struct record record = read_record((uint32_t)active);
  if (record.state != state) write_record((uint32_t)active, record.sequence, state);
  return ESP_OK;
}

esp_err_t esp_ota_mark_app_valid_cancel_rollback(void) {
  esp_err_t status = mark(ESP_OTA_IMG_VALID);
#ifdef CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK
  if (status == ESP_OK) chip_burn_secure_version(secure_version_of(running));
#endif
  return status;
}

static esp_err_t mark_invalid(void) {
  int active = active_sector();
  if (active < 0) return ESP_FAIL;
  struct record other = read_record((uint32_t)(1 - active));
  if (!counts(&other) || chip_image_length(slot_at(slot_of(other.sequence))) == 0) return ESP_ERR_OTA_ROLLBACK_FAILED;
  return mark(ESP_OTA_IMG_INVALID);
}

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
esp_err_t esp_ota_mark_app_invalid_rollback(void) { return mark_invalid(); }
#endif

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void) {
  esp_err_t status = mark_invalid();
  if (status == ESP_OK) esp_restart();
  return status;
}

uint32_t esp_efuse_read_secure_version(void) { return chip_secure_version(); }
