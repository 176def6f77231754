#include "wifi.h"

#include <string.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "sdkconfig.h"

#define HAS_ADDRESS BIT0

static EventGroupHandle_t events;

static void on_wifi(void *argument, esp_event_base_t base, int32_t id, void *data) {
  (void)argument;
  (void)base;
  (void)data;
  if (id == WIFI_EVENT_STA_DISCONNECTED) xEventGroupClearBits(events, HAS_ADDRESS);
  if (id == WIFI_EVENT_STA_START || id == WIFI_EVENT_STA_DISCONNECTED) esp_wifi_connect();
}

static void on_address(void *argument, esp_event_base_t base, int32_t id, void *data) {
  (void)argument;
  (void)base;
  (void)id;
  (void)data;
  xEventGroupSetBits(events, HAS_ADDRESS);
}

void wifi_start(void) {
  wifi_init_config_t defaults = WIFI_INIT_CONFIG_DEFAULT();
  wifi_config_t network = {.sta = {.threshold.authmode = WIFI_AUTH_WPA2_PSK}};
  /* as long as they may be, both have no closing 0 */
  strncpy((char *)network.sta.ssid, CONFIG_EXAMPLE_WIFI_SSID, sizeof network.sta.ssid);
  strncpy((char *)network.sta.password, CONFIG_EXAMPLE_WIFI_PASSWORD, sizeof network.sta.password);
  events = xEventGroupCreate();
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  esp_netif_create_default_wifi_sta();
  ESP_ERROR_CHECK(esp_wifi_init(&defaults));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL, NULL));
  ESP_ERROR_CHECK(esp_event_handler_instance_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL, NULL));
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
  ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &network));
  ESP_ERROR_CHECK(esp_wifi_start());
}

int wifi_wait(uint32_t milliseconds) {
  EventBits_t bits = xEventGroupWaitBits(events, HAS_ADDRESS, pdFALSE, pdTRUE, pdMS_TO_TICKS(milliseconds));
  return (bits & HAS_ADDRESS) != 0;
}
