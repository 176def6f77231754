/*
 * In NVS: outlives the loss of the partition `moult`, and not that of `nvs`; the core takes the higher one of this and of
 * what its trust store has. The application opens NVS (nvs_flash_init).
 */
#include "counter.h"
#include "nvs.h"

#define NAMESPACE "moult"
#define KEY "counter"

static int32_t read_from(nvs_handle_t handle) {
  uint32_t value = 0;
  esp_err_t found = nvs_get_u32(handle, KEY, &value);
  if (found != ESP_OK && found != ESP_ERR_NVS_NOT_FOUND) return -1;
  return value <= INT32_MAX ? (int32_t)value : -1;
}

int32_t esp32_counter_read(void) {
  nvs_handle_t handle;
  esp_err_t opened = nvs_open(NAMESPACE, NVS_READONLY, &handle);
  if (opened == ESP_ERR_NVS_NOT_FOUND) return 0; /* nothing was ever written there */
  if (opened != ESP_OK) return -1;
  int32_t value = read_from(handle);
  nvs_close(handle);
  return value;
}

static int32_t raise(nvs_handle_t handle, uint32_t value) {
  int32_t before = read_from(handle);
  if (before < 0 || value > INT32_MAX) return -1;
  if (value <= (uint32_t)before) return 0;
  return nvs_set_u32(handle, KEY, value) == ESP_OK && nvs_commit(handle) == ESP_OK ? 0 : -1;
}

int32_t esp32_counter_advance(uint32_t value) {
  nvs_handle_t handle;
  if (nvs_open(NAMESPACE, NVS_READWRITE, &handle) != ESP_OK) return -1;
  int32_t status = raise(handle, value);
  nvs_close(handle);
  return status;
}
