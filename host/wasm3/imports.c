/* What the core asks of the board, checked: the same whatever engine runs it. The contract is in moult.h. */
#include <string.h>

#include "engine.h"

#define SHA256_BYTES 32u
#define SHA256_BLOCK 64u

/* The boot record and whatever else a port keeps there is not the core's. */
#define BOOT_AREA 5u
#define MOST_AREAS 24u

static uint32_t size_of(const moult *core, uint32_t area) {
  if (area == BOOT_AREA || area >= MOST_AREAS) return 0;
  return core->config.port->flash_size(core->config.user, (int32_t)area);
}

static int inside(const moult *core, uint32_t area, uint32_t offset, uint32_t length) {
  uint32_t size = size_of(core, area);
  return offset <= size && length <= size - offset;
}

/* 0 is done; all else is not, whatever it is. */
static int32_t done(int32_t result, int32_t status) { return result == 0 ? MOULT_STATUS_OK : status; }

int32_t moult_import_flash_read(const moult *core, const uint32_t *a, int32_t *result) {
  void *to = moult_memory_at(core, a[2], a[3]);
  if (to == NULL || !inside(core, a[0], a[1], a[3])) return MOULT_STATUS_TRAP;
  int32_t read = core->config.port->flash_read(core->config.user, (int32_t)a[0], a[1], to, a[3]);
  *result = done(read, MOULT_STATUS_FLASH_READ);
  return MOULT_STATUS_OK;
}

int32_t moult_import_flash_write(const moult *core, const uint32_t *a, int32_t *result) {
  const void *from = moult_memory_at(core, a[2], a[3]);
  if (from == NULL || !inside(core, a[0], a[1], a[3])) return MOULT_STATUS_TRAP;
  int32_t written = core->config.port->flash_write(core->config.user, (int32_t)a[0], a[1], from, a[3]);
  *result = done(written, MOULT_STATUS_FLASH_WRITE);
  return MOULT_STATUS_OK;
}

int32_t moult_import_flash_erase(const moult *core, const uint32_t *a, int32_t *result) {
  if (!inside(core, a[0], a[1], a[2])) return MOULT_STATUS_TRAP;
  int32_t erased = core->config.port->flash_erase(core->config.user, (int32_t)a[0], a[1], a[2]);
  *result = done(erased, MOULT_STATUS_FLASH_ERASE);
  return MOULT_STATUS_OK;
}

int32_t moult_import_flash_size(const moult *core, const uint32_t *a, int32_t *result) {
  *result = (int32_t)size_of(core, a[0]);
  return MOULT_STATUS_OK;
}

int32_t moult_import_flash_block_end(const moult *core, const uint32_t *a, int32_t *result) {
  if (!inside(core, a[0], a[1], 0)) return MOULT_STATUS_TRAP;
  *result = (int32_t)core->config.port->flash_block_end(core->config.user, (int32_t)a[0], a[1]);
  return MOULT_STATUS_OK;
}

int32_t moult_import_flash_unit(const moult *core, const uint32_t *a, int32_t *result) {
  int known = size_of(core, a[0]) > 0;
  *result = known ? (int32_t)core->config.port->flash_unit(core->config.user, (int32_t)a[0]) : 0;
  return MOULT_STATUS_OK;
}

int32_t moult_import_counter_read(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  (void)a;
  *result = port->counter_read != NULL ? port->counter_read(core->config.user) : -1;
  return MOULT_STATUS_OK;
}

int32_t moult_import_counter_advance(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  int32_t raised = port->counter_advance != NULL ? port->counter_advance(core->config.user, a[0]) : -1;
  *result = done(raised, MOULT_STATUS_COUNTER);
  return MOULT_STATUS_OK;
}

int32_t moult_import_boot_state(const moult *core, const uint32_t *a, int32_t *result) {
  int32_t state = core->config.port->boot_state(core->config.user);
  (void)a;
  *result = state >= 0 && (state & ~0x1ff) == 0 ? state : MOULT_STATUS_BOOT;
  return MOULT_STATUS_OK;
}

int32_t moult_import_boot_select(const moult *core, const uint32_t *a, int32_t *result) {
  int32_t selected = a[0] <= 0xff ? core->config.port->boot_select(core->config.user, (int32_t)a[0]) : -1;
  *result = done(selected, MOULT_STATUS_BOOT);
  return MOULT_STATUS_OK;
}

int32_t moult_import_boot_confirm(const moult *core, const uint32_t *a, int32_t *result) {
  (void)a;
  *result = done(core->config.port->boot_confirm(core->config.user), MOULT_STATUS_BOOT);
  return MOULT_STATUS_OK;
}

int32_t moult_import_boot_revert(const moult *core, const uint32_t *a, int32_t *result) {
  (void)a;
  *result = done(core->config.port->boot_revert(core->config.user), MOULT_STATUS_BOOT);
  return MOULT_STATUS_OK;
}

int32_t moult_import_entropy(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  void *to = moult_memory_at(core, a[0], a[1]);
  if (to == NULL) return MOULT_STATUS_TRAP;
  *result = port->entropy != NULL ? done(port->entropy(core->config.user, to, a[1]), -1) : -1;
  return MOULT_STATUS_OK;
}

int32_t moult_import_sha256_compress(const moult *core, const uint32_t *a, int32_t *result) {
  const moult_port *port = core->config.port;
  uint32_t words[SHA256_BYTES / sizeof(uint32_t)];
  uint8_t *state = moult_memory_at(core, a[0], sizeof words);
  const uint8_t *block = moult_memory_at(core, a[1], SHA256_BLOCK);
  if (state == NULL || block == NULL) return MOULT_STATUS_TRAP;
  *result = -1;
  if (port->sha256_compress == NULL) return MOULT_STATUS_OK;
  memcpy(words, state, sizeof words);
  *result = done(port->sha256_compress(core->config.user, words, block), -1);
  if (*result == 0) memcpy(state, words, sizeof words);
  return MOULT_STATUS_OK;
}
