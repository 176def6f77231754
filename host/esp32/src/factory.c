#include "factory.h"

#include <stddef.h>
#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "esp_partition.h"

#define LABEL "moult_factory"
#define MAGIC 0x3146544du
#define HEADER 24u
#define CRC_AT 20u
/* A key of a device: none, one that the core makes, or 32 bytes. */
#define NO_KEY 0u
#define OWN_KEY 1u
#define GIVEN_KEY 2u
#define KEY_LENGTH 32u
#define LONGEST 65536u
/* Bytes that are looked at together. */
#define CHUNK 256u

struct record {
  const esp_partition_t *partition;
  uint32_t configuration;
  uint32_t key;
  uint32_t director;
  uint32_t root;
};

static const esp_partition_t *find_partition(void) {
  return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, LABEL);
}

static uint32_t key_length(const struct record *record) { return record->key == GIVEN_KEY ? KEY_LENGTH : 0; }

/* All that follows the header. */
static uint32_t body_length(const struct record *record) {
  return record->configuration + key_length(record) + record->director + record->root;
}

static int read_at(const struct record *record, uint32_t offset, void *to, uint32_t length) {
  return esp_partition_read(record->partition, offset, to, length) == ESP_OK;
}

static int is_whole(const struct record *record, uint32_t crc, uint32_t expected) {
  uint8_t bytes[CHUNK];
  uint32_t length = body_length(record);
  for (uint32_t done = 0, part; done < length; done += part) {
    part = length - done < CHUNK ? length - done : CHUNK;
    if (!read_at(record, HEADER + done, bytes, part)) return 0;
    crc = moult_crc32(crc, bytes, part);
  }
  memset(bytes, 0, sizeof bytes); /* a key was among them */
  return crc == expected;
}

/* 1: there is a record, and it is whole. */
static int find_record(struct record *record) {
  uint8_t header[HEADER];
  record->partition = find_partition();
  if (record->partition == NULL || !read_at(record, 0, header, sizeof header)) return 0;
  record->configuration = moult_load(header + 4);
  record->key = moult_load(header + 8);
  record->director = moult_load(header + 12);
  record->root = moult_load(header + 16);
  if (moult_load(header) != MAGIC || record->key > GIVEN_KEY) return 0;
  /* each is bounded before they are added up */
  if (record->configuration > LONGEST || record->director > LONGEST || record->root > LONGEST) return 0;
  if (body_length(record) > record->partition->size - HEADER) return 0;
  return is_whole(record, moult_crc32(0, header, CRC_AT), moult_load(header + CRC_AT));
}

static int32_t give(moult *core, const struct record *record, int32_t part, uint32_t offset, uint32_t length) {
  uint8_t bytes[CHUNK];
  int32_t status = moult_provision_begin(core, part);
  for (uint32_t done = 0, piece; status >= 0 && done < length; done += piece) {
    piece = length - done < CHUNK ? length - done : CHUNK;
    if (!read_at(record, offset + done, bytes, piece)) return MOULT_STATUS_FLASH_READ;
    status = moult_provision_write(core, bytes, piece);
  }
  memset(bytes, 0, sizeof bytes);
  return status < 0 ? status : moult_provision_end(core);
}

int32_t esp32_factory_provision(moult *core) {
  struct record record;
  if (!find_record(&record)) return MOULT_STATUS_NOT_PROVISIONED;
  uint32_t key = HEADER + record.configuration;
  uint32_t director = key + key_length(&record);
  int32_t status = give(core, &record, MOULT_PART_CONFIG, HEADER, record.configuration);
  if (status >= 0 && record.key != NO_KEY) status = give(core, &record, MOULT_PART_KEY, key, key_length(&record));
  if (status >= 0 && record.director > 0)
    status = give(core, &record, MOULT_PART_DIRECTOR, director, record.director);
  return status < 0 ? status : give(core, &record, MOULT_PART_ROOT, director + record.director, record.root);
}

static int is_erased(const esp_partition_t *partition) {
  uint32_t bytes[CHUNK / 4];
  for (uint32_t offset = 0; offset < partition->size; offset += CHUNK) {
    if (esp_partition_read(partition, offset, bytes, CHUNK) != ESP_OK) return 0;
    for (uint32_t i = 0; i < CHUNK / 4; i++)
      if (bytes[i] != UINT32_MAX) return 0;
  }
  return 1;
}

int32_t esp32_factory_erase(void) {
  const esp_partition_t *partition = find_partition();
  if (partition == NULL || is_erased(partition)) return 0;
  return esp_partition_erase_range(partition, 0, partition->size) == ESP_OK ? 0 : -1;
}
