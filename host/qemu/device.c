/* The board behind a moult_port, and the core on it. The contract is in device.h. */
#include "device.h"

#include <string.h>

#include "board.h"
#include "sha256.h"

/* The most that one call into the core may take, in milliseconds; the watchdog is fed meanwhile. */
#define DEADLINE 60000u

moult device_core;

moult_port device_port;

/* ---- the board as the core sees it ---- */

static uint32_t milliseconds(void *user) {
  (void)user;
  return board_milliseconds();
}

int32_t device_open_board(int32_t state) {
  int32_t status = board_flash_open();
  device_port = board_flash;
  device_port.milliseconds = milliseconds;
  device_port.sha256_compress = moult_sha256_compress; /* native: the core's own is never compiled */
  return status < 0 ? status : device_open_boot(state);
}

/* ---- the core ---- */

int32_t device_open_core(void) {
  moult_config config = device_core_place();
  config.port = &device_port;
  config.user = device_user();
  config.deadline = DEADLINE;
  return moult_open(&device_core, &config);
}

static int32_t provision_part(int32_t part, const uint8_t *bytes, uint32_t length) {
  int32_t status = moult_provision_begin(&device_core, part);
  if (status >= 0) status = moult_provision_write(&device_core, bytes, length);
  return status < 0 ? status : moult_provision_end(&device_core);
}

int32_t device_provision(void) {
  struct board_factory left = board_factory();
  if (left.root == NULL) return MOULT_STATUS_NOT_PROVISIONED;
  int32_t status = provision_part(MOULT_PART_CONFIG, left.configuration, left.configuration_length);
  if (status >= 0 && left.director_length > 0)
    status = provision_part(MOULT_PART_DIRECTOR, left.director, left.director_length);
  return status < 0 ? status : provision_part(MOULT_PART_ROOT, left.root, left.root_length);
}
