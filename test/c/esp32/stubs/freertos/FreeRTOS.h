/* As in FreeRTOS, with a tick of one millisecond. */
#ifndef FREERTOS_H
#define FREERTOS_H

#include <stdint.h>

typedef int BaseType_t;
typedef unsigned UBaseType_t;
typedef uint32_t TickType_t;

#define pdTRUE 1
#define pdFALSE 0
#define pdPASS pdTRUE
#define portMAX_DELAY 0xffffffffu
#define pdMS_TO_TICKS(milliseconds) ((TickType_t)(milliseconds))

#endif
