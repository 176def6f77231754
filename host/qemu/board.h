/*
 * What the programs here need of a machine, each in a folder of its own (riscv/, cortex-m/). Single-threaded, without interrupts.
 */
#ifndef MOULT_BOARD_H
#define MOULT_BOARD_H

#include <stdint.h>

#include "link.h"
#include "moult.h"

/* To be called first, by what an image does. */
void board_open(void);

/* Sleeps for up to so many milliseconds, less when something comes on the line or the watchdog is to be fed. */
void board_sleep(uint32_t milliseconds);

/* Milliseconds that rise and wrap. Feeds the watchdog too: whoever looks at the clock is alive. */
uint32_t board_milliseconds(void);

/* Gives the watchdog all its time again. */
void board_feed(void);

/* Seconds since 1970, and something that is different at each start. */
uint32_t board_seconds(void);
uint32_t board_noise(void);

/* As if the power had failed. */
void board_reset(void) __attribute__((noreturn));

/* Off, with a status for whoever runs the machine. */
void board_off(int status) __attribute__((noreturn));

/* For people: on the line that is the link otherwise, where it is no frame and ignored. */
void board_print(const char *text);

/* The UART, for the link. */
extern const moult_stream board_stream;

/*
 * The flash areas, boot record included, on the board's flash: the flash callbacks of a port and nothing else.
 * board_flash_open finds the flash. 0, or MOULT_STATUS_LAYOUT_INVALID: it is not there, or not as it must be.
 */
int32_t board_flash_open(void);
extern const moult_port board_flash;

/* Under MCUboot, bytes at the end of each slot that are its own: a block for the trailer, one to move images with. */
#define BOARD_RESERVED 0x2000u

/* What the factory has left for a device that is not provisioned yet; all are NULL when it has left nothing. */
struct board_factory {
  const uint8_t *configuration;
  uint32_t configuration_length;
  const uint8_t *root;
  uint32_t root_length;
  /* The root of a Director, for an ECU that verifies in full; length 0: there is none. */
  const uint8_t *director;
  uint32_t director_length;
  /* The gateway is the Primary of this ECU. */
  int primary;
};
struct board_factory board_factory(void);

/* What lies ready for a program that counts, and the instructions so far: exact under -icount shift=0. */
const uint8_t *board_ready(void);
uint64_t board_instructions(void);

#endif
