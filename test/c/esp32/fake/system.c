/* What is left of ESP-IDF: time, random numbers, the reset, errors. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "chip.h"
#include "esp_crt_bundle.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"

void fake_error_check(esp_err_t status, const char *what) {
  if (status != ESP_OK) chip_fail(what);
}

int chip_hurry = 1;

int64_t esp_timer_get_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000) * chip_hurry;
}

void esp_fill_random(void *buf, size_t len) {
  if (getentropy(buf, len) != 0) chip_fail("no random numbers");
}

void esp_restart(void) { _exit(CHIP_RESET); }

esp_err_t esp_crt_bundle_attach(void *conf) {
  (void)conf;
  return ESP_OK;
}
