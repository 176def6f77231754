/* Which core runs. The contract is in core.h, the format in docs/formats.md, "Image of a core". */
#include "core.h"

#include <stddef.h>

#include "boot.h"
#include "bytes.h"

#define MAGIC 0x3143544du /* "MTC1" */
#define VERSION_AT 4u
#define LENGTH_AT 8u
#define SHA256_AT 12u

/* A slot that has never held a core. */
#define EMPTY 1

static int32_t boot_state(const moult_core_slots *slots) { return slots->own.port->boot_state(slots->own.user); }

static int is_erased(const moult_core_slots *slots, int32_t area, const uint8_t *bytes, uint32_t length) {
  uint8_t erased = (uint8_t)(slots->own.port->flash_unit(slots->own.user, area) >> 16);
  while (length > 0 && bytes[length - 1] == erased) length--;
  return length == 0;
}

/* What the header says of the module behind it, in `config`. 0, EMPTY, or why the slot holds no core for this host. */
static int32_t find(const moult_core_slots *slots, int32_t slot, uint8_t *header, moult_config *config) {
  const moult_port *port = config->port;
  int32_t area = 8 + 2 * slots->component + slot;
  uint32_t size = port->flash_size(config->user, area);
  if (size < MOULT_CORE_HEADER) return MOULT_STATUS_MODULE_INVALID;
  if (port->flash_read(config->user, area, 0, header, MOULT_CORE_HEADER) != 0) return MOULT_STATUS_FLASH_READ;
  /* The factory leaves slot A empty; slot B is selected only after an image was written to it. */
  if (slot == 0 && is_erased(slots, area, header, MOULT_CORE_HEADER)) return EMPTY;
  if (moult_load(header) != MAGIC) return MOULT_STATUS_MODULE_INVALID;
  if (moult_load(header + VERSION_AT) != MOULT_ABI_VERSION) return MOULT_STATUS_ABI_VERSION;
  config->module_length = moult_load(header + LENGTH_AT);
  if (config->module_length > size - MOULT_CORE_HEADER) return MOULT_STATUS_MODULE_INVALID;
  config->module_sha256 = header + SHA256_AT;
  config->module = slots->map(config->user, area, MOULT_CORE_HEADER, config->module_length);
  return config->module != NULL ? MOULT_STATUS_OK : MOULT_STATUS_FLASH_READ;
}

/* Whether the slot does not hold a core any more that this host can run; another boot finds the same. */
static int is_lost(int32_t status) {
  return status == MOULT_STATUS_MODULE_INVALID || status == MOULT_STATUS_MODULE_HASH ||
         status == MOULT_STATUS_ABI_VERSION;
}

int32_t moult_core_slots_open(moult_core_slots *slots, moult *core) {
  uint8_t header[MOULT_CORE_HEADER];
  moult_config config = slots->own;
  slots->lost = 0;
  if (slots->component == 0) return moult_open(core, &slots->own);
  int32_t state = boot_state(slots);
  if (state < 0) return state;
  int32_t status = find(slots, state >> slots->component & 1, header, &config);
  if (status == EMPTY) return moult_open(core, &slots->own);
  if (status == MOULT_STATUS_OK) status = moult_open(core, &config);
  if ((state & MOULT_BOOT_ON_TRIAL) != 0 || !is_lost(status)) return status;
  slots->lost = status;
  return moult_open(core, &slots->own);
}

int moult_core_slots_may_provision(const moult_core_slots *slots) {
  return slots->component == 0 || boot_state(slots) == 0;
}

int moult_core_slots_give_up(const moult_core_slots *slots, int32_t status) {
  int32_t state = boot_state(slots);
  if (status >= 0 || slots->component == 0 || state < 0 || (state & MOULT_BOOT_ON_TRIAL) == 0) return 0;
  (void)slots->own.port->boot_revert(slots->own.user); /* else its boots are counted */
  return 1;
}
