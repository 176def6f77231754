/*
 * The flash of host/posix, driven by lines on standard input: `posix_flash FILE`.
 *   write AREA OFFSET LENGTH SEED   bytes SEED, SEED + 1, … modulo 251
 *   erase AREA OFFSET LENGTH
 *   read AREA OFFSET LENGTH         prints them in hexadecimal digits
 * Prints "0" or "-1" for the other two. Ends with 0 at the end of its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flashfile.h"
#include "say.h"

static flash_file flash;

static uint8_t *buffer(uint32_t length) {
  uint8_t *bytes = malloc((size_t)length + 1);
  if (bytes == NULL) fail(EXIT_REFUSED, "out of memory");
  return bytes;
}

static void write_pattern(int32_t number, uint32_t offset, uint32_t length, uint32_t seed) {
  uint8_t *bytes = buffer(length);
  for (uint32_t i = 0; i < length; i++) bytes[i] = (uint8_t)((seed + i) % 251);
  printf("%d\n", (int)flash_write(&flash, number, offset, bytes, length));
  free(bytes);
}

static void print(int32_t number, uint32_t offset, uint32_t length) {
  uint8_t *bytes = buffer(length);
  if (flash_read(&flash, number, offset, bytes, length) != 0) fail(EXIT_REFUSED, "cannot be read");
  for (uint32_t i = 0; i < length; i++) printf("%02x", bytes[i]);
  printf("\n");
  free(bytes);
}

int main(int count, char **arguments) {
  char line[200];
  char what[16];
  int number;
  unsigned offset;
  unsigned length;
  unsigned seed;
  if (count != 2) return EXIT_USAGE;
  flash_open(&flash, arguments[1]);
  while (fgets(line, sizeof line, stdin) != NULL) {
    int found = sscanf(line, "%15s %d %u %u %u", what, &number, &offset, &length, &seed);
    if (found == 5 && strcmp(what, "write") == 0) write_pattern(number, offset, length, seed);
    else if (found == 4 && strcmp(what, "erase") == 0) printf("%d\n", (int)flash_erase(&flash, number, offset, length));
    else if (found == 4 && strcmp(what, "read") == 0) print(number, offset, length);
    else return EXIT_USAGE;
    fflush(stdout);
  }
  return EXIT_OK;
}
