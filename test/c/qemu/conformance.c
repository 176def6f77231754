/* An image that tests the port of its board, from start to start, and goes off with the verdict. */
#include "conformance.h"

#include "board.h"
#include "device.h"

static void say(void *user, const char *line) {
  (void)user;
  board_print(line);
  board_print("\n");
}

void image_main(int32_t state) __attribute__((noreturn));

void image_main(int32_t state) {
  static moult_conformance test = {.port = &device_port, .say = say};
  board_open();
  if (device_open_board(state) < 0) board_off(MOULT_CONFORMANCE_BROKEN);
  test.user = device_user();
  test.image_length = device_image_length();
  int32_t verdict = moult_conformance_run(&test);
  if (verdict != MOULT_CONFORMANCE_RESET) board_off(verdict);
  board_reset();
}
