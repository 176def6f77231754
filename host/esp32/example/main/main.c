/* A device that does nothing but keep itself up to date, with a console. */
#include <stdio.h>

#include "esp_app_desc.h"
#include "esp_console.h"
#include "esp_netif_sntp.h"
#include "moult_esp32.h"
#include "nvs_flash.h"
#include "sdkconfig.h"
#include "wifi.h"

/* Milliseconds that an image on trial has to reach the network, and that the first check waits for the time. */
#define NETWORK_TIMEOUT 60000
#define TIME_TIMEOUT 15000

/* An image that does not reach the network could never be replaced. */
static int self_test(void *user) {
  (void)user;
  return wifi_wait(NETWORK_TIMEOUT);
}

/* NVS that a newer ESP-IDF cannot read is lost either way; the security counter is also in the trust store. */
static void open_nvs(void) {
  esp_err_t status = nvs_flash_init();
  if (status == ESP_ERR_NVS_NO_FREE_PAGES || status == ESP_ERR_NVS_NEW_VERSION_FOUND) {
    ESP_ERROR_CHECK(nvs_flash_erase());
    status = nvs_flash_init();
  }
  ESP_ERROR_CHECK(status);
}

/* Nobody signs what SNTP says: moult only lets the time that it knows rise by it, and never beyond signed expiry dates. */
static void set_clock(void) {
  esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
  ESP_ERROR_CHECK(esp_netif_sntp_init(&config));
  (void)esp_netif_sntp_sync_wait(pdMS_TO_TICKS(TIME_TIMEOUT));
}

static void start_console(void) {
  esp_console_repl_t *repl = NULL;
  esp_console_repl_config_t repl_config = ESP_CONSOLE_REPL_CONFIG_DEFAULT();
  repl_config.prompt = "moult>";
#if defined(CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG)
  esp_console_dev_usb_serial_jtag_config_t device = ESP_CONSOLE_DEV_USB_SERIAL_JTAG_CONFIG_DEFAULT();
  ESP_ERROR_CHECK(esp_console_new_repl_usb_serial_jtag(&device, &repl_config, &repl));
#else
  esp_console_dev_uart_config_t device = ESP_CONSOLE_DEV_UART_CONFIG_DEFAULT();
  ESP_ERROR_CHECK(esp_console_new_repl_uart(&device, &repl_config, &repl));
#endif
  ESP_ERROR_CHECK(moult_esp32_register_command());
  ESP_ERROR_CHECK(esp_console_start_repl(repl));
}

void app_main(void) {
  const moult_esp32_config config = {.self_test = self_test};
  printf("%s %s\n", esp_app_get_description()->project_name, esp_app_get_description()->version);
  open_nvs();
  wifi_start();
  if (wifi_wait(NETWORK_TIMEOUT)) set_clock();
  ESP_ERROR_CHECK(moult_esp32_start(&config));
  start_console();
}
