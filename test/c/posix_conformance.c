/* The conformance program on the board of host/posix: `posix_conformance FLASH`. A process is one start; its exit status is the verdict. */
#include <stdio.h>

#include "board.h"
#include "conformance.h"
#include "say.h"

static void say_line(void *user, const char *line) {
  (void)user;
  printf("%s\n", line);
}

int main(int count, char **arguments) {
  static board device;
  static moult_conformance test = {.port = &board_port, .user = &device, .say = say_line};
  if (count != 2) return EXIT_USAGE;
  flash_open(&device.flash, arguments[1]);
  if (moult_boot_start(&device.boot, &board_port, &device) < 0) fail(EXIT_REFUSED, "no boot decision");
  return moult_conformance_run(&test);
}
