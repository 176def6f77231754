/* Stands for Zephyr's header of the same name. */
#ifndef FAKE_MCUBOOT_H
#define FAKE_MCUBOOT_H

#include <stdbool.h>

bool boot_is_img_confirmed(void);

#endif
