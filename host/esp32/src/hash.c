#include "hash.h"

#include <string.h>

#include "sdkconfig.h"
#include "sha256.h"

/*
 * PSA and Mbed TLS hash whole messages, and give no way to go on from a state that lies on flash. Below them ESP-IDF has
 * the accelerator itself (sha/sha_core.h). That of the first ESP32 cannot be given a state, and hashes in native code.
 */
#if defined(CONFIG_MOULT_SHA_ACCELERATOR) && __has_include("sha/sha_core.h")
#include "sha/sha_core.h"

#define WORDS 8u

/* Between words in the processor's order and the bytes of a digest, which the accelerator has its state in. */
static void swap(uint32_t *to, const uint32_t *from) {
  for (uint32_t i = 0; i < WORDS; i++) to[i] = __builtin_bswap32(from[i]);
}

int32_t esp32_sha256_compress(void *user, uint32_t *state, const void *block) {
  uint32_t words[WORDS];
  uint32_t input[16];
  (void)user;
  swap(words, state);
  memcpy(input, block, sizeof input);
  esp_sha_acquire_hardware();
  esp_sha_set_mode(SHA2_256);
  esp_sha_write_digest_state(SHA2_256, words);
  esp_sha_block(SHA2_256, input, false);
  esp_sha_read_digest_state(SHA2_256, words);
  esp_sha_release_hardware();
  swap(state, words);
  return 0;
}

#else

int32_t esp32_sha256_compress(void *user, uint32_t *state, const void *block) {
  return moult_sha256_compress(user, state, block);
}

#endif
