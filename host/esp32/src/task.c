#include "task.h"

#include "device.h"
#include "esp_log.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "sdkconfig.h"

/* Seconds: the longest sleep, in which a clock may have been set; and the pause after what should not happen. */
#define SLICE 60u
#define PAUSE 60u
/* Milliseconds that others wait for the core. */
#define TAKE_TIMEOUT 1000

static const char *const TAG = "moult";

static SemaphoreHandle_t lock;
static TaskHandle_t task;

moult *esp32_task_take(void) {
  if (lock == NULL || xSemaphoreTake(lock, pdMS_TO_TICKS(TAKE_TIMEOUT)) != pdTRUE) return NULL;
  moult *core = esp32_device_core();
  if (core == NULL) (void)xSemaphoreGive(lock);
  return core;
}

void esp32_task_release(void) { (void)xSemaphoreGive(lock); }

/* Sleeps up to so many seconds. 1: somebody wants a check now. */
static int sleep_for(uint32_t seconds) { return ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(1000 * seconds)) > 0; }

/* Seconds until the next check; without a clock those since the last one, which just ended, do not count. */
static uint32_t seconds_left(void) {
  uint32_t now = esp32_device_now();
  uint32_t until = 0;
  if (now == 0) return CONFIG_MOULT_CHECK_WITHOUT_CLOCK;
  (void)moult_agent_until(esp32_device_core(), &until);
  return until > now ? until - now : 0;
}

/* Until a check is due, or wanted: 1. A clock that is set meanwhile makes one due by its own time. */
static int wait(uint32_t left) {
  int knew = esp32_device_now() != 0;
  for (; left > 0; left = left > SLICE ? left - SLICE : 0) {
    if (sleep_for(left < SLICE ? left : SLICE)) return 1;
    if (!knew && esp32_device_now() != 0) return 0;
  }
  return 0;
}

/* What is due, and then the seconds to the next turn; the lock is held while the core works. */
static int32_t turn(int wanted, uint32_t *left) {
  (void)xSemaphoreTake(lock, portMAX_DELAY);
  if (wanted) esp32_device_restart();
  int32_t action = esp32_device_turn(esp32_device_now());
  *left = action < 0 ? PAUSE : seconds_left();
  (void)xSemaphoreGive(lock);
  return action;
}

static void run(void *ignored) {
  int wanted = 0;
  uint32_t left = 0;
  (void)ignored;
  for (;;) {
    if (turn(wanted, &left) == MOULT_ACTION_REBOOT) esp_restart();
    wanted = wait(left);
  }
}

esp_err_t moult_esp32_start(const moult_esp32_config *config) {
  if (task != NULL) return ESP_ERR_INVALID_STATE;
  int32_t status = esp32_device_open(config);
  if (status == MOULT_STATUS_BAD_ARGUMENT) return ESP_ERR_INVALID_ARG;
  if (status < 0) {
    ESP_LOGE(TAG, "%s", moult_status_text(status));
    return ESP_ERR_INVALID_STATE;
  }
  lock = xSemaphoreCreateMutex();
  if (lock == NULL) return ESP_ERR_NO_MEM;
  BaseType_t made = xTaskCreate(run, "moult", CONFIG_MOULT_TASK_STACK, NULL, CONFIG_MOULT_TASK_PRIORITY, &task);
  return made == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}

void moult_esp32_check(void) {
  if (task != NULL) (void)xTaskNotifyGive(task);
}
