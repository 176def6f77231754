/*
 * What a core comes to that was compiled ahead of time (test/host/compiled.test.ts builds one with each module):
 * `compiled_test [ticks]` opens, starts, starts again and opens again; `compiled_test others` does what is refused.
 */
#include <stdio.h>
#include <string.h>

#include "flash.h"

static board device;
static moult core;
static int32_t inside;

static const moult_config config = {.port = &board_port, .user = &device, .deadline = 1000};

static void call_back(void) { inside = moult_core_start(&core); }

static void others(void) {
  moult second = {0};
  moult_config stated = config;
  uint8_t digest[32] = {1};
  (void)moult_open(&core, &config);
  printf("second %d; ", (int)moult_open(&second, &config));
  moult_close(&core);
  stated.module_sha256 = digest;
  printf("hash %d; ", (int)moult_open(&second, &stated));
  (void)moult_open(&core, &config);
  device.intrude = call_back;
  (void)moult_core_start(&core);
  device.intrude = NULL;
  moult_close(&core);
  printf("inside %d; closed %d\n", (int)inside, (int)moult_core_start(&core));
}

int main(int count, char **values) {
  memset(device.flash, 0xff, sizeof device.flash);
  if (count > 1 && strcmp(values[1], "others") == 0) {
    others();
    return 0;
  }
  device.tick = count > 1 ? 10 : 0;
  int32_t opened = moult_open(&core, &config);
  int32_t started = moult_core_start(&core);
  int32_t again = moult_core_start(&core);
  printf("open %d; start %d; again %d; opened again %d\n", (int)opened, (int)started, (int)again,
         (int)moult_open(&core, &config));
  return 0;
}
