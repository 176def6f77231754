/* Between the loader and the start-up of a machine. */
#ifndef MOULT_LOADER_H
#define MOULT_LOADER_H

#include <stdint.h>

#include "image.h"

/* Which slot to start, 0 or 1, with MOULT_BOOT_ON_TRIAL: what the image is given. Does not return without one. */
int32_t loader_decide(void);

/* What that slot is to be started with. */
const struct image_header *loader_image(int32_t state);

/* Where a slot lies. */
const struct image_header *loader_slot(int32_t slot);

#endif
