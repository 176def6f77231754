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

typedef struct {
  uint32_t max_history_len;
  const char *history_save_path;
  uint32_t task_stack_size;
  uint32_t task_priority;
  const char *prompt;
  size_t max_cmdline_length;
} esp_console_repl_config_t;

typedef struct {
  int channel;
  int baud_rate;
  int tx_gpio_num;
  int rx_gpio_num;
} esp_console_dev_uart_config_t;

typedef struct esp_console_repl_s esp_console_repl_t;

#define ESP_CONSOLE_REPL_CONFIG_DEFAULT() {.max_history_len = 32, .task_stack_size = 4096, .task_priority = 2}
#define ESP_CONSOLE_DEV_UART_CONFIG_DEFAULT() {.baud_rate = 115200, .tx_gpio_num = -1, .rx_gpio_num = -1}

esp_err_t esp_console_new_repl_uart(const esp_console_dev_uart_config_t *dev_config,
                                    const esp_console_repl_config_t *repl_config, esp_console_repl_t **ret_repl);
esp_err_t esp_console_start_repl(esp_console_repl_t *repl);

#endif
