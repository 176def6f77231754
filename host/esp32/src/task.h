/* The task of the device, and what other tasks may have of it. */
#ifndef MOULT_ESP32_TASK_H
#define MOULT_ESP32_TASK_H

#include "moult.h"

/* Between two turns: the core, until esp32_task_release. NULL: a check is running, or the device could not start. */
moult *esp32_task_take(void);
void esp32_task_release(void);

#endif
