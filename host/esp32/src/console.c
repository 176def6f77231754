/* The console command `moult`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "crc32.h"
#include "device.h"
#include "esp_console.h"
#include "task.h"

#define ENTRY 32u
#define CRC_AT 28u
#define VERSION 32u
/* The most seconds that somebody may type. */
#define LONGEST_POSTPONE 31536000ul

/* ---- what is shown ---- */

static void show_time(const char *label, uint32_t seconds) {
  char text[32] = "unknown";
  time_t when = (time_t)seconds;
  struct tm fields;
  if (seconds != 0 && gmtime_r(&when, &fields) != NULL) strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields);
  printf("%s%s\n", label, text);
}

static uint32_t state_of(moult *core, int32_t field) {
  uint32_t value = 0;
  return moult_state_read(core, field, &value) < 0 ? 0 : value;
}

static void show_policy(moult *core) {
  static const char *const modes[] = {"automatic", "notify", "off"};
  uint32_t mode = state_of(core, MOULT_STATE_POLICY);
  printf("updates          %s\n", mode < sizeof modes / sizeof *modes ? modes[mode] : "?");
  uint32_t postponed = state_of(core, MOULT_STATE_POSTPONED_UNTIL);
  if (postponed != 0) show_time("postponed until  ", postponed);
}

static int show_status(moult *core) {
  char version[VERSION] = "";
  uint32_t until = 0;
  (void)moult_text_read(core, MOULT_TEXT_INSTALLED_VERSION, version, sizeof version);
  (void)moult_agent_until(core, &until);
  printf("version          %s (release %" PRIu32 ", security counter %" PRIu32 ")\n", version,
         state_of(core, MOULT_STATE_INSTALLED_RELEASE), state_of(core, MOULT_STATE_SECURITY_COUNTER));
  printf("slot             ota_%" PRIu32 "%s\n", state_of(core, MOULT_STATE_RUNNING_SLOT),
         state_of(core, MOULT_STATE_ON_TRIAL) != 0 ? ", on trial" : "");
  printf("last check       %s\n", moult_status_text((int32_t)state_of(core, MOULT_STATE_CHECK_STATUS)));
  show_time("next check       ", until);
  show_time("known time       ", state_of(core, MOULT_STATE_LATEST_TIME));
  show_policy(core);
  printf("core             %s\n", moult_engine());
  return 0;
}

/* docs/formats.md, "Log": what is not whole is passed over, as a block's anchor is, which says nothing. */
static void show_entry(const uint8_t *entry) {
  static const char *const events[] = {"",        "outcome",   "provisioned", "install",  "verified",  "selected",
                                       "trial",   "confirmed", "reverted",    "approved", "postponed", "policy"};
  uint32_t event = entry[8];
  int32_t status = (int16_t)(uint16_t)(entry[10] | entry[11] << 8);
  if (moult_load(entry + CRC_AT) != moult_crc32(0, entry, CRC_AT) || event == 0) return;
  printf("%6" PRIu32 "  ", moult_load(entry));
  printf("%10" PRIu32 "  %-11s %s, %" PRIu32 "\n", moult_load(entry + 4),
         event < sizeof events / sizeof *events ? events[event] : "?", moult_status_name(status), moult_load(entry + 12));
}

static int show_log(moult *core) {
  uint8_t entry[ENTRY];
  uint32_t length = 0;
  if (moult_log_length(core, &length) < 0) return 1;
  for (uint32_t offset = 0; offset < length; offset += ENTRY)
    if (moult_log_read(core, offset, entry, sizeof entry) == (int32_t)ENTRY) show_entry(entry);
  return 0;
}

/* ---- what is done ---- */

static int postpone(moult *core, const char *text) {
  char *end = NULL;
  unsigned long seconds = strtoul(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != 0 || seconds > LONGEST_POSTPONE) {
    printf("moult postpone takes a number of seconds\n");
    return 1;
  }
  int32_t status = moult_update_postpone(core, esp32_device_now() + (uint32_t)seconds);
  printf("%s\n", status < 0 ? moult_status_text(status) : "postponed");
  return status < 0;
}

static int with_core(int count, char **arguments) {
  moult *core = esp32_task_take();
  int result = 1;
  if (core == NULL) {
    printf("a check is running, or the device could not start\n");
    return result;
  }
  if (strcmp(arguments[1], "status") == 0)
    result = show_status(core);
  else if (strcmp(arguments[1], "log") == 0)
    result = show_log(core);
  else if (count == 3)
    result = postpone(core, arguments[2]);
  esp32_task_release();
  return result;
}

static int command(int count, char **arguments) {
  const char *verb = count > 1 ? arguments[1] : "";
  if (count == 2 && strcmp(verb, "check") == 0) {
    moult_esp32_check();
    return 0;
  }
  int shows = count == 2 && (strcmp(verb, "status") == 0 || strcmp(verb, "log") == 0);
  if (shows || (count == 3 && strcmp(verb, "postpone") == 0)) return with_core(count, arguments);
  printf("usage: moult status | check | log | postpone SECONDS\n");
  return 1;
}

esp_err_t moult_esp32_register_command(void) {
  const esp_console_cmd_t described = {
      .command = "moult",
      .help = "firmware updates: status, check, log, postpone SECONDS",
      .func = command,
  };
  return esp_console_cmd_register(&described);
}
