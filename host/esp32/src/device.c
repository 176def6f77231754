#include "device.h"

#include <stddef.h>
#include <time.h>

#include "ask.h"
#include "board.h"
#include "client.h"
#include "esp_log.h"
#include "factory.h"
#include "fetch.h"
#include "sdkconfig.h"

/* The most that one call into the core may take, in milliseconds; under wasm3 a signature takes a second or more. */
#define DEADLINE 60000u
/* 2024-01-01: a clock before that was never set. */
#define EARLIEST 1704067200

static const char *const TAG = "moult";

static struct {
  moult_esp32_config config;
  esp32_board board;
  moult core;
  moult_client client;
  esp32_fetcher fetcher;
  esp32_asker asker;
  int core_open;
  int factory_checked;
} self;

uint32_t esp32_device_now(void) {
  time_t now = time(NULL);
  return now < EARLIEST ? 0 : (uint32_t)now;
}

moult *esp32_device_core(void) { return self.core_open ? &self.core : NULL; }

static uint32_t may_reboot(void *user, moult *core) {
  (void)user;
  (void)core;
  return self.config.may_reboot != NULL ? self.config.may_reboot(self.config.user) : 0;
}

static int has_time_servers(void) { return self.asker.servers[0] != 0; }

/* 0: one of them is none. */
static int set_addresses(void) {
  const char *director = CONFIG_MOULT_DIRECTOR_URL;
  const char **bases = self.fetcher.bases;
  bases[MOULT_FETCH_KIND_METADATA] = CONFIG_MOULT_METADATA_URL;
  bases[MOULT_FETCH_KIND_TARGET] = CONFIG_MOULT_TARGETS_URL;
  bases[MOULT_FETCH_KIND_DIRECTOR] = director[0] != 0 ? director : NULL;
  for (int32_t kind = 0; kind <= MOULT_FETCH_KIND_DIRECTOR; kind++)
    if (bases[kind] != NULL && !esp32_fetch_takes(bases[kind])) return 0;
  self.asker.servers = CONFIG_MOULT_TIME_SERVERS;
  return !has_time_servers() || esp32_ask_takes(self.asker.servers);
}

int32_t esp32_device_open(const moult_esp32_config *config) {
  self.config = *config;
  if (!set_addresses()) return MOULT_STATUS_BAD_ARGUMENT;
  return esp32_board_open(&self.board);
}

static int32_t open_core(void) {
  moult_config config = esp32_core_place();
  if (self.core_open) return MOULT_STATUS_OK;
  config.port = &esp32_port;
  config.user = &self.board;
  config.deadline = DEADLINE;
  int32_t status = moult_open(&self.core, &config);
  self.core_open = status >= 0;
  self.client = (moult_client){
      .core = &self.core,
      .read = esp32_fetch_read,
      .reader = &self.fetcher,
      .erases_ahead = 1, /* a socket */
      .ask_time = has_time_servers() ? esp32_ask_time : NULL,
      .asker = &self.asker,
      .may_reboot = may_reboot,
  };
  return status;
}

void esp32_device_restart(void) {
  if (self.core_open) moult_close(&self.core);
  self.core_open = 0;
}

static int32_t self_test(void) {
  int works = self.config.self_test == NULL || self.config.self_test(self.config.user);
  ESP_LOGI(TAG, "the image on trial %s", works ? "works and stays" : "does not work");
  return moult_client_answer(&self.client, works);
}

/* Once after a reset: a provisioned device has no use for what the factory left. */
static void forget_factory(void) {
  if (self.factory_checked || !self.client.started) return;
  self.factory_checked = esp32_factory_erase() == 0;
}

static int32_t step(uint32_t now) {
  int32_t action = moult_client_step(&self.client, now);
  if (action == MOULT_STATUS_NOT_PROVISIONED) {
    action = esp32_factory_provision(&self.core);
    if (action >= 0) action = moult_client_step(&self.client, now);
  }
  forget_factory();
  return action;
}

int32_t esp32_device_turn(uint32_t now) {
  int32_t action = open_core();
  if (action >= 0) action = step(now);
  while (action == MOULT_ACTION_SELF_TEST) {
    action = self_test();
    if (action >= 0) action = step(now);
  }
  esp32_fetch_close(&self.fetcher); /* nothing is fetched for a while */
  if (action < 0) {
    ESP_LOGE(TAG, "%s", moult_status_text(action));
    esp32_device_restart();
  }
  return action;
}
