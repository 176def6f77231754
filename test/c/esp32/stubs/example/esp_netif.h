/* As in ESP-IDF's esp_netif. */
#ifndef ESP_NETIF_H
#define ESP_NETIF_H

#include "esp_event.h"

typedef struct esp_netif_obj esp_netif_t;

ESP_EVENT_DECLARE_BASE(IP_EVENT);
enum { IP_EVENT_STA_GOT_IP };

esp_err_t esp_netif_init(void);

#endif
