/* As in ESP-IDF's esp_common. */
#ifndef ESP_ERR_H
#define ESP_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_FAIL -1
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_NOT_SUPPORTED 0x106

void fake_error_check(esp_err_t status, const char *what);
#define ESP_ERROR_CHECK(call) fake_error_check((call), #call)

#endif
