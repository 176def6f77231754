/* As in ESP-IDF's port of Mbed TLS; of hal/sha_types.h one type. */
#ifndef SHA_CORE_H
#define SHA_CORE_H

#include <stdbool.h>

typedef enum { SHA1 = 0, SHA2_224, SHA2_256 } esp_sha_type;

void esp_sha_set_mode(esp_sha_type sha_type);
void esp_sha_block(esp_sha_type sha_type, const void *data_block, bool is_first_block);
void esp_sha_read_digest_state(esp_sha_type sha_type, void *digest_state);
void esp_sha_write_digest_state(esp_sha_type sha_type, void *digest_state);
void esp_sha_acquire_hardware(void);
void esp_sha_release_hardware(void);

#endif
