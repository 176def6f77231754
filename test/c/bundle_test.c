/*
 * The reader of bundles on a bundle that was changed in every way, for test/bundle/container.test.ts.
 *
 * bundle_test FILE: the bundle itself, then cut after each of its bytes, then with each of its bits turned over.
 * Writes a character for each: '.' it opens and all that it has can be read, 'x' it is refused. Ends with 0, or 1 and
 * a line on standard error that says what was not as it must be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.h"

#define MOST_BYTES 65536u

static uint8_t bytes[MOST_BYTES];

static void require(int holds, const char *what, long detail) {
  if (holds) return;
  fprintf(stderr, "%s (%ld)\n", what, detail);
  exit(1);
}

/* From a copy of its own length, so that a sanitizer sees what is read beyond it. */
static int32_t read_copy(void *user, uint32_t offset, void *to, uint32_t length) {
  memcpy(to, (const uint8_t *)user + offset, length);
  return 0;
}

/* Reads a file to its end, in pieces of one length; it must have one. */
static void read_all(moult_bundle *bundle, int32_t kind, const char *name) {
  moult_piece piece = {0};
  uint32_t offset = 0;
  do {
    int32_t status = moult_bundle_read(bundle, kind, name, offset, 100, &piece);
    if (status == MOULT_STATUS_NOT_FOUND) return;
    require(status == MOULT_STATUS_OK, "a file of an open bundle can be read", status);
    require(piece.offset == offset && piece.length <= 100, "no more than was asked for", (long)piece.length);
    require(piece.length > 0 || piece.last, "something, or the end", (long)offset);
    offset += piece.length;
  } while (!piece.last);
  require(moult_bundle_read(bundle, kind, name, offset, 1, &piece) == 0 && piece.last, "the end again", (long)offset);
  require(moult_bundle_read(bundle, kind, name, offset + 1, 1, &piece) < 0, "nothing beyond it", (long)offset);
}

static void look(uint32_t length) {
  uint8_t *copy = malloc(length > 0 ? length : 1);
  require(copy != NULL, "memory", 0);
  memcpy(copy, bytes, length);
  moult_bundle bundle = {.read = read_copy, .user = copy, .length = length};
  int32_t status = moult_bundle_open(&bundle);
  require(status == 0 || status == MOULT_STATUS_BUNDLE_INVALID, "a status that a bundle has", status);
  putchar(status == 0 ? '.' : 'x');
  if (status == 0) {
    read_all(&bundle, MOULT_FETCH_KIND_METADATA, "timestamp.json");
    read_all(&bundle, MOULT_FETCH_KIND_METADATA, "1.root.json");
    read_all(&bundle, MOULT_FETCH_KIND_TARGET, "timestamp.json");
    read_all(&bundle, MOULT_FETCH_KIND_DIRECTOR, "timestamp.json");
  }
  free(copy);
}

int main(int count, char **arguments) {
  if (count != 2) return 2;
  FILE *file = fopen(arguments[1], "rb");
  require(file != NULL, arguments[1], 0);
  uint32_t length = (uint32_t)fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  look(length);
  for (uint32_t shorter = 0; shorter < length; shorter++) look(shorter);
  for (uint32_t bit = 0; bit < length * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    look(length);
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  return 0;
}
