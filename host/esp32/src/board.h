/* An ESP32 behind a moult_port: partitions, otadata, the counter, random numbers, the accelerator, a clock. */
#ifndef MOULT_ESP32_BOARD_H
#define MOULT_ESP32_BOARD_H

#include "flash.h"
#include "moult.h"
#include "slots.h"

typedef struct esp32_board {
  esp32_flash flash;
  esp32_slots slots;
} esp32_board;

/* `user` is an esp32_board. */
extern const moult_port esp32_port;

/* Once after a reset. 0, MOULT_STATUS_LAYOUT_INVALID or MOULT_STATUS_BOOT, as flash.h and slots.h have them. */
int32_t esp32_board_open(esp32_board *board);

/* Of the core and its engine: what moult_open is to have, but for the board. */
moult_config esp32_core_place(void);

#endif
