/* As in ESP-IDF's efuse. */
#ifndef ESP_EFUSE_H
#define ESP_EFUSE_H

#include "esp_err.h"

uint32_t esp_efuse_read_secure_version(void);

#endif
