/* As in ESP-IDF's console; the sixth and seventh member are those of 5.3 and later. */
#ifndef ESP_CONSOLE_H
#define ESP_CONSOLE_H

#include "esp_err.h"

typedef int (*esp_console_cmd_func_t)(int argc, char **argv);
typedef int (*esp_console_cmd_func_with_context_t)(void *context, int argc, char **argv);

typedef struct {
  const char *command;
  const char *help;
  const char *hint;
  esp_console_cmd_func_t func;
  void *argtable;
  esp_console_cmd_func_with_context_t func_w_context;
  void *context;
} esp_console_cmd_t;

esp_err_t esp_console_cmd_register(const esp_console_cmd_t *cmd);
esp_err_t esp_console_run(const char *cmdline, int *cmd_ret);

#endif
