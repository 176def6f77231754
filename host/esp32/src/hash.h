/* SHA-256 for the core: by the accelerator of the chip where that takes a state, else in native code. */
#ifndef MOULT_ESP32_HASH_H
#define MOULT_ESP32_HASH_H

#include <stdint.h>

/* As sha256_compress of moult.h. */
int32_t esp32_sha256_compress(void *user, uint32_t *state, const void *block);

#endif
