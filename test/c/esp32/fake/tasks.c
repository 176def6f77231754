/* FreeRTOS over threads, and the console. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "esp_console.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#define MOST_WORDS 8

struct fake_mutex {
  pthread_mutex_t mutex;
};

struct fake_task {
  TaskFunction_t code;
  void *parameters;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t notified;
  uint32_t notifications;
};

static __thread TaskHandle_t current;

/* When a wait of so many milliseconds ends. */
static struct timespec after(TickType_t ticks) {
  struct timespec when;
  clock_gettime(CLOCK_REALTIME, &when);
  when.tv_sec += ticks / 1000;
  when.tv_nsec += (long)(ticks % 1000) * 1000000;
  if (when.tv_nsec >= 1000000000) {
    when.tv_sec++;
    when.tv_nsec -= 1000000000;
  }
  return when;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void) {
  SemaphoreHandle_t made = calloc(1, sizeof *made);
  if (made != NULL) pthread_mutex_init(&made->mutex, NULL);
  return made;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks) {
  struct timespec until = after(ticks);
  if (ticks == portMAX_DELAY) return pthread_mutex_lock(&semaphore->mutex) == 0;
  return pthread_mutex_timedlock(&semaphore->mutex, &until) == 0;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore) { return pthread_mutex_unlock(&semaphore->mutex) == 0; }

static void *run(void *task) {
  current = task;
  current->code(current->parameters);
  return NULL;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_depth, void *parameters,
                       UBaseType_t priority, TaskHandle_t *created) {
  (void)name;
  (void)stack_depth;
  (void)priority;
  TaskHandle_t task = calloc(1, sizeof *task);
  if (task == NULL) return pdFALSE;
  task->code = code;
  task->parameters = parameters;
  pthread_mutex_init(&task->mutex, NULL);
  pthread_cond_init(&task->notified, NULL);
  *created = task;
  return pthread_create(&task->thread, NULL, run, task) == 0 ? pdPASS : pdFALSE;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks) {
  struct timespec until = after(ticks);
  (void)clear;
  pthread_mutex_lock(&current->mutex);
  while (current->notifications == 0 && pthread_cond_timedwait(&current->notified, &current->mutex, &until) == 0) continue;
  uint32_t notifications = current->notifications;
  current->notifications = 0;
  pthread_mutex_unlock(&current->mutex);
  return notifications;
}

BaseType_t xTaskNotifyGive(TaskHandle_t task) {
  pthread_mutex_lock(&task->mutex);
  task->notifications++;
  pthread_cond_signal(&task->notified);
  pthread_mutex_unlock(&task->mutex);
  return pdPASS;
}

/* ---- the console ---- */

static esp_console_cmd_t registered;

esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd) {
  registered = *cmd;
  return ESP_OK;
}

esp_err_t esp_console_run(const char *cmdline, int *cmd_ret) {
  char line[256];
  char *words[MOST_WORDS + 1] = {NULL};
  int count = 0;
  if (strlen(cmdline) >= sizeof line) return ESP_ERR_INVALID_ARG;
  strcpy(line, cmdline);
  for (char *word = strtok(line, " "); word != NULL && count < MOST_WORDS; word = strtok(NULL, " ")) words[count++] = word;
  if (count == 0) return ESP_ERR_INVALID_ARG;
  if (registered.command == NULL || strcmp(words[0], registered.command) != 0) return ESP_ERR_NOT_FOUND;
  *cmd_ret = registered.func(count, words);
  return ESP_OK;
}
