/* A device that does nothing but keep itself up to date: `device FOLDER`, the folder with the repository and what the factory left. */
#include <stdio.h>

#include "board.h"
#include "client.h"
#include "core.h"

/* The most that one call of the core may take, in milliseconds. */
#define DEADLINE 60000u

/* Both are used until the core is closed. */
static moult core;
static moult_port port;

static int32_t provision_part(const char *folder, int32_t part, const char *name) {
  static uint8_t bytes[16384];
  int32_t length = board_load(folder, name, bytes, sizeof bytes);
  if (length < 0) return MOULT_STATUS_NOT_PROVISIONED;
  int32_t status = moult_provision_begin(&core, part);
  if (status >= 0) status = moult_provision_write(&core, bytes, (uint32_t)length);
  return status < 0 ? status : moult_provision_end(&core);
}

/* Once in a device's life. */
static int32_t provision(const char *folder) {
  int32_t status = provision_part(folder, MOULT_PART_CONFIG, "config.json");
  return status < 0 ? status : provision_part(folder, MOULT_PART_ROOT, "root.json");
}

/* Whether an image that runs for the first time works: here it does when it got as far as this. */
static int self_test(void) { return 1; }

/* From a reset to the next. What the board is to do then: MOULT_ACTION_REBOOT, _WAIT, or a negative status. */
static int32_t run(char *folder) {
  moult_config config = core_place();
  moult_client client = {.core = &core, .read = board_fetch, .reader = folder, .engine = moult_engine()};
  port = moult_chip_port(&board_chip);
  config.port = &port;
  config.user = &board_chip;
  config.deadline = DEADLINE;
  int32_t status = moult_chip_start(&board_chip);
  if (status >= 0) status = moult_open(&core, &config);
  for (int32_t action = 0; status >= 0;) {
    action = moult_client_step(&client, board_seconds());
    if (action == MOULT_STATUS_NOT_PROVISIONED) status = provision(folder);
    else if (action == MOULT_ACTION_SELF_TEST) status = moult_client_answer(&client, self_test());
    else return action;
  }
  return status;
}

int main(int count, char **arguments) {
  char version[32] = "";
  uint32_t status = 0;
  int32_t action = MOULT_ACTION_REBOOT;
  if (count != 2) return 2;
  for (; action == MOULT_ACTION_REBOOT; moult_close(&core)) {
    action = run(arguments[1]);
    if (action != MOULT_ACTION_WAIT) continue;
    /* A board sleeps here until moult_agent_until, and calls moult_client_step again. */
    moult_state_read(&core, MOULT_STATE_CHECK_STATUS, &status);
    moult_text_read(&core, MOULT_TEXT_INSTALLED_VERSION, version, sizeof version);
    printf("%s: %s runs, %s\n", moult_engine(), version, moult_status_text((int32_t)status));
  }
  if (action < 0) printf("%s\n", moult_status_text(action));
  return action < 0;
}
