/* The accelerator: its state has the byte order of a digest. */
#include "sha/sha_core.h"

#include <stdint.h>
#include <string.h>

#include "chip.h"
#include "sha256.h"

static uint32_t state[8];
static int taken;
static int mode = -1;

void esp_sha_acquire_hardware(void) { taken = 1; }

void esp_sha_release_hardware(void) { taken = 0; }

static void check(esp_sha_type sha_type) {
  if (!taken || sha_type != SHA2_256) chip_fail("the accelerator is used as it cannot be");
}

void esp_sha_set_mode(esp_sha_type sha_type) {
  check(sha_type);
  mode = (int)sha_type;
}

static void swap(void *to, const void *from) {
  uint32_t words[8];
  memcpy(words, from, sizeof words);
  for (int i = 0; i < 8; i++) words[i] = __builtin_bswap32(words[i]);
  memcpy(to, words, sizeof words);
}

void esp_sha_write_digest_state(esp_sha_type sha_type, void *digest_state) {
  check(sha_type);
  swap(state, digest_state);
}

void esp_sha_read_digest_state(esp_sha_type sha_type, void *digest_state) {
  check(sha_type);
  swap(digest_state, state);
}

void esp_sha_block(esp_sha_type sha_type, const void *data_block, bool is_first_block) {
  check(sha_type);
  if (is_first_block || mode != SHA2_256 || (uintptr_t)data_block % 4 != 0) chip_fail("a block that is not the next one");
  (void)moult_sha256_compress(NULL, state, data_block);
}
