/*
 * A device on an ESP32 that keeps itself up to date: a task of its own checks a TUF repository over HTTPS and installs
 * what is signed. Partitions, configuration and provisioning: ../README.md.
 *
 *   nvs_flash_init(); … Wi-Fi …
 *   const moult_esp32_config config = {.self_test = works};
 *   ESP_ERROR_CHECK(moult_esp32_start(&config));
 */
#ifndef MOULT_ESP32_H
#define MOULT_ESP32_H

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moult_esp32_config {
  /*
   * Whether an image on trial works: what it cannot do without, the network among it, since an image that cannot reach the
   * repository is never replaced. 0: it does not, and the image before it returns. It runs in the task of moult and has
   * time, but a reset ends the trial. NULL: every image works.
   */
  int (*self_test)(void *user);
  /*
   * An image is ready and the device would boot again: 0 when that suits now, else until when it does not, in seconds since
   * 1970. NULL: it always suits.
   */
  uint32_t (*may_reboot)(void *user);
  void *user;
} moult_esp32_config;

/*
 * Starts the task; once. Addresses, hardware and intervals are those of Kconfig. NVS is open, and the network is or will be
 * there. ESP_OK, ESP_ERR_INVALID_ARG: an address that is none, ESP_ERR_INVALID_STATE: the partition table lacks what it
 * takes, or has been started, ESP_ERR_NO_MEM.
 */
esp_err_t moult_esp32_start(const moult_esp32_config *config);

/* A check now, and not when it is due. */
void moult_esp32_check(void);

/* The console command `moult`: status, check, log, postpone SECONDS. After esp_console_init or a REPL. */
esp_err_t moult_esp32_register_command(void);

#ifdef __cplusplus
}
#endif

#endif
