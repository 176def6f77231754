/*
 * The core on a board: its port, its memory and its code. All of it is static: there is one.
 */
#ifndef MOULT_DEVICE_H
#define MOULT_DEVICE_H

#include <stdint.h>

#include "moult.h"

extern moult device_core;

/* Where the core and its memory are: core_wasm3.c or core_aot.c. */
moult_config device_core_place(void);

/* What the core is given, from device_open_board on. */
extern moult_port device_port;

/* Where the boot decision is: decide_record.c or decide_mcuboot.c. What the callbacks of the port are given; and gives the
 * port those that decide. `state` is what the loader decided. Negative: the board cannot be used. */
void *device_user(void);
int32_t device_open_boot(int32_t state);

/* Bytes of the image that runs, from the start of its slot on. */
uint32_t device_image_length(void);

/* Finds the flash and the boot decision; `state` is what the loader decided. Negative: the board cannot be used. */
int32_t device_open_board(int32_t state);

/* As moult_open. */
int32_t device_open_core(void);

/* Gives the core what the factory left. 0, or negative: NOT_PROVISIONED when it has left nothing. */
int32_t device_provision(void);

#endif
