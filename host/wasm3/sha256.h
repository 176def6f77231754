/* SHA-256 (FIPS 180-4) of bytes in memory. `digest` takes 32 bytes. */
#ifndef MOULT_SHA256_H
#define MOULT_SHA256_H

#include <stdint.h>

void moult_sha256(const uint8_t *bytes, uint32_t length, uint8_t *digest);

#endif
