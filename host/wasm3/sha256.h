/* SHA-256 (FIPS 180-4). */
#ifndef MOULT_SHA256_H
#define MOULT_SHA256_H

#include <stdint.h>

/* Of bytes in memory. `digest` takes 32 bytes. */
void moult_sha256(const uint8_t *bytes, uint32_t length, uint8_t *digest);

/* One block, as `sha256_compress` of a moult_port; `user` is not looked at. */
int32_t moult_sha256_compress(void *user, uint32_t *state, const void *block);

#endif
