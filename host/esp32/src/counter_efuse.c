/*
 * In eFuse: the secure version of ESP-IDF's anti-rollback. ESP-IDF burns it, that of the running image, when the image is
 * confirmed, and its bootloader does where the power failed in between; it asks applications not to. So this reads, and
 * checks that it has happened.
 */
#include "counter.h"
#include "esp_efuse.h"

int32_t esp32_counter_read(void) { return (int32_t)esp_efuse_read_secure_version(); }

/* A release whose signed counter is higher than what its image brings would lock out every image that there is. */
int32_t esp32_counter_advance(uint32_t value) { return esp_efuse_read_secure_version() >= value ? 0 : -1; }
