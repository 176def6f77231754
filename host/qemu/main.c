/* The program in a slot: a device that does nothing but keep itself up to date. */
#include <string.h>

#include "board.h"
#include "client.h"
#include "device.h"
#include "image.h"
#include "self_test.h"

/* Seconds to wait before a start that could not work is tried again. */
#define PAUSE 10u
/* Milliseconds after which a Primary that has not decided is asked again. */
#define ASK_AGAIN 1000u

extern const struct image_header image_header;

static moult_link link;

/* "wasm3, image 1.1.0": which program it is that reports. */
static const char *engine(void) {
  static char text[40];
  strcpy(text, moult_engine());
  strcat(text, ", image ");
  size_t used = strlen(text);
  strncpy(text + used, image_header.version, sizeof text - 1 - used);
  return text;
}

static void wait_until(uint32_t seconds) {
  while (board_seconds() < seconds) board_sleep(1000);
}

/* Until the Primary has decided, where there is one. */
static int32_t answer(moult_client *client, int works) {
  int32_t status = moult_client_answer(client, works);
  for (; status == MOULT_ACTION_ASK; status = moult_client_answer(client, works)) board_sleep(ASK_AGAIN);
  return status;
}

/* Until the board is to start again, whatever the reason. */
static void run(moult_client *client) {
  for (;;) {
    uint32_t until = 0;
    int32_t action = moult_client_step(client, board_seconds());
    if (action == MOULT_STATUS_NOT_PROVISIONED) {
      action = device_provision();
      if (action >= 0) continue;
    }
    if (action == MOULT_ACTION_REBOOT) return;
    if (action == MOULT_ACTION_SELF_TEST) action = answer(client, self_test());
    if (action == MOULT_ACTION_ASK) board_sleep(ASK_AGAIN);
    if (action == MOULT_ACTION_WAIT && moult_agent_until(&device_core, &until) == 0) wait_until(until);
    if (action < 0) return wait_until(board_seconds() + PAUSE);
  }
}

/* What the start-up calls; `state` is what the loader decided. */
void image_main(int32_t state) __attribute__((noreturn));

void image_main(int32_t state) {
  moult_client client = {.core = &device_core, .link = &link, .engine = engine()};
  client.erases_ahead = 1; /* the emulator keeps what the UART has no room for */
  client.primary = board_factory().primary;
  board_open();
  moult_link_open(&link, &board_stream, NULL, board_noise());
  int32_t status = device_open_board(state);
  if (status >= 0) status = device_open_core();
  if (status >= 0)
    run(&client);
  else
    wait_until(board_seconds() + PAUSE);
  board_reset();
}
