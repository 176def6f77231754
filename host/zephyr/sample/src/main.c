/* A device that keeps itself up to date over a UART, with a gateway at the other end (moult gateway). */
#include <zephyr/device.h>
#include <zephyr/devicetree.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/kernel.h>
#include <zephyr/sys/reboot.h>

#include "client.h"
#include "moult_zephyr.h"

/* The most that one call of the core may take, and between two looks at a gateway that does not answer, in milliseconds. */
#define DEADLINE 60000u
#define PAUSE 10000
/* Seconds between two checks: this board's clock begins at 0 with each start. */
#define CHECK_EACH 3600

static const uint8_t configuration[] = {
#include <config.inc>
};
static const uint8_t root[] = {
#include <root.inc>
};

static moult core;
static moult_link link;

/* ---- the link ---- */

static const struct device *const uart = DEVICE_DT_GET(DT_CHOSEN(moult_link));

static int32_t receive(void *user, void *to, uint32_t capacity, uint32_t wait_ms) {
  uint32_t until = k_uptime_get_32() + wait_ms;
  uint8_t *bytes = to;
  uint32_t count = 0;
  (void)user;
  while (count < capacity) {
    if (uart_poll_in(uart, &bytes[count]) == 0) count++;
    else if (count > 0 || (int32_t)(k_uptime_get_32() - until) >= 0) break;
    else k_msleep(1);
  }
  return (int32_t)count;
}

static int32_t send(void *user, const void *from, uint32_t length) {
  const uint8_t *bytes = from;
  (void)user;
  for (uint32_t i = 0; i < length; i++) uart_poll_out(uart, bytes[i]);
  return 0;
}

static uint32_t milliseconds(void *user) {
  (void)user;
  return k_uptime_get_32();
}

static const moult_stream stream = {receive, send, milliseconds};

/* ---- the device ---- */

static int32_t provision_part(int32_t part, const uint8_t *bytes, uint32_t length) {
  int32_t status = moult_provision_begin(&core, part);
  if (status >= 0) status = moult_provision_write(&core, bytes, length);
  return status < 0 ? status : moult_provision_end(&core);
}

static int32_t provision(void) {
  int32_t status = provision_part(MOULT_PART_CONFIG, configuration, sizeof configuration);
  return status < 0 ? status : provision_part(MOULT_PART_ROOT, root, sizeof root);
}

/* It runs and reaches its gateway: an image that could not fetch the next one must not stay. */
static int self_test(void) {
  uint32_t seconds = 0;
  return moult_link_time(&link, &seconds) == 0;
}

/* Until the board is to start again. */
static void run(moult_client *client) {
  for (;;) {
    uint32_t now = 0;
    if (moult_link_time(&link, &now) != 0) now = 0;
    int32_t action = moult_client_step(client, now);
    if (action == MOULT_STATUS_NOT_PROVISIONED) action = provision();
    if (action == MOULT_ACTION_SELF_TEST) action = moult_client_answer(client, self_test());
    if (action == MOULT_ACTION_REBOOT || action < 0) return;
    if (action == MOULT_ACTION_WAIT) k_sleep(K_SECONDS(CHECK_EACH));
  }
}

int main(void) {
  const moult_config config = {.port = &moult_zephyr_port, .user = moult_zephyr_user(), .deadline = DEADLINE};
  moult_client client = {.core = &core, .link = &link, .engine = moult_engine()};
  int32_t status = moult_zephyr_start();
  moult_link_open(&link, &stream, NULL, k_uptime_get_32());
  if (status >= 0) status = moult_open(&core, &config);
  if (status >= 0) run(&client);
  k_msleep(PAUSE);
  sys_reboot(SYS_REBOOT_COLD);
  return 0;
}
