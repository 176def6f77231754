/* The first program to run on a new board: whether its port keeps the contract. */
#include "conformance.h"

#include <stdio.h>

#include "board.h"

static void say(void *user, const char *line) {
  (void)user;
  printf("%s\n", line);
}

int main(void) {
  moult_port port = moult_chip_port(&board_chip);
  static moult_conformance test;
  int32_t verdict = MOULT_CONFORMANCE_RESET;
  test = (moult_conformance){.port = &port, .user = &board_chip, .say = say};
  while (verdict == MOULT_CONFORMANCE_RESET) { /* on a board: a reset in place of the loop */
    if (moult_chip_start(&board_chip) < 0) return MOULT_CONFORMANCE_BROKEN;
    verdict = moult_conformance_run(&test);
  }
  return verdict;
}
