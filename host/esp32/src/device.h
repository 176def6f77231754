/* The device without a task: core, loop and board, one turn at a time. One in a program. */
#ifndef MOULT_ESP32_DEVICE_H
#define MOULT_ESP32_DEVICE_H

#include <stdint.h>

#include "moult.h"
#include "moult_esp32.h"

/* Once after a reset. 0, BAD_ARGUMENT: an address that is none; or as esp32_board_open. */
int32_t esp32_device_open(const moult_esp32_config *config);

/*
 * What is due, up to the next wait or reset; provisions the device first where that is still to be done.
 * MOULT_ACTION_WAIT, MOULT_ACTION_REBOOT, or a negative status: it can do nothing now. `now` in seconds since 1970, 0:
 * unknown; then each turn is a check.
 */
int32_t esp32_device_turn(uint32_t now);

/* The next turn is a check, whenever one is due: the core starts again. */
void esp32_device_restart(void);

/* For who looks at it between two turns; NULL: it is not open. */
moult *esp32_device_core(void);

/* Seconds since 1970; 0: the clock was never set. */
uint32_t esp32_device_now(void);

#endif
