#include "slots.h"

#include "esp_idf_version.h"
#include "esp_ota_ops.h"
#include "moult.h"
#include "sdkconfig.h"

#if !defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE) && !defined(CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP)
#error "moult tries an image before it is confirmed: enable CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE"
#endif
#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_ON_STARTUP
#error "an image that confirms itself when it starts was not tested: choose CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP"
#endif

#define ON_TRIAL 0x100

/* ---- what otadata says ---- */

/* No record: ESP_OTA_IMG_VALID, as of a slot that runs since the factory. */
static esp_ota_img_states_t state_of(const esp_partition_t *slot) {
  esp_ota_img_states_t state = ESP_OTA_IMG_VALID;
  return esp_ota_get_state_partition(slot, &state) == ESP_OK ? state : ESP_OTA_IMG_VALID;
}

/*
 * The CRC of a record does not cover its state, so half an erase may leave any: whatever is neither confirmed nor given
 * up is on trial.
 */
static int is_trial(esp_ota_img_states_t state) {
  return state != ESP_OTA_IMG_VALID && state != ESP_OTA_IMG_INVALID && state != ESP_OTA_IMG_ABORTED;
}

int32_t esp32_slots_open(esp32_slots *slots, const esp_partition_t *const *partitions) {
  const esp_partition_t *running = esp_ota_get_running_partition();
  slots->partitions = partitions;
  if (running != partitions[0] && running != partitions[1]) return MOULT_STATUS_BOOT;
  slots->state = running == partitions[1];
  if (is_trial(state_of(running))) slots->state |= ON_TRIAL;
  return MOULT_STATUS_OK;
}

int32_t esp32_slots_state(const esp32_slots *slots) { return slots->state; }

/* ---- changing it ---- */

/*
 * Marks the record that counts as invalid, so that the other one counts. ESP-IDF refuses where the other slot holds no
 * image that boots.
 */
static int32_t give_up(void) {
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(6, 0, 0)
  return esp_ota_mark_app_invalid_rollback() == ESP_OK ? 0 : -1;
#else
  (void)esp_ota_mark_app_invalid_rollback_and_reboot();
  return -1;
#endif
}

/* ESP-IDF checks the image once more, the signature of secure boot included, before it writes the record. */
int32_t esp32_slots_select(const esp32_slots *slots, int32_t wanted) {
  if (wanted < 0 || wanted > 1) return -1;
  const esp_partition_t *slot = slots->partitions[wanted];
  if (esp_ota_get_boot_partition() == slot) {
    if (state_of(slot) == ESP_OTA_IMG_NEW) return 0;
    /*
     * The record names this slot, but the bootloader passed over what was in it. Some releases of ESP-IDF would now
     * write its number into the other record as well, and nothing would be left to fall back to.
     */
    if (give_up() < 0) return -1;
  }
  return esp_ota_set_boot_partition(slot) == ESP_OK ? 0 : -1;
}

/* ESP-IDF marks the record that counts, whichever it names: it must be that of the running slot. */
int32_t esp32_slots_confirm(esp32_slots *slots) {
  const esp_partition_t *running = slots->partitions[slots->state & 1];
  if (is_trial(state_of(running))) {
    if (esp_ota_get_boot_partition() != running || esp_ota_mark_app_valid_cancel_rollback() != ESP_OK) return -1;
  }
  slots->state &= ~ON_TRIAL;
  return 0;
}

/* ESP-IDF gives up a confirmed image as well, if it is asked to: only what was not confirmed goes. */
int32_t esp32_slots_revert(const esp32_slots *slots) {
  const esp_partition_t *next = esp_ota_get_boot_partition();
  if (next != slots->partitions[0] && next != slots->partitions[1]) return -1;
  return is_trial(state_of(next)) ? give_up() : 0;
}
