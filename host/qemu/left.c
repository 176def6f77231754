/* What lies in bank 0 beside the loader. */
#include <stddef.h>

#include "board.h"
#include "machine.h"

/* Three lengths, the second one with a bit for whether the board is behind a Primary, then the bytes of all. */
#define FACTORY_MOST 0x10000u
#define BEHIND_PRIMARY 0x80000000u

struct board_factory board_factory(void) {
  struct board_factory left = {0};
  const uint32_t *lengths = (const uint32_t *)FACTORY;
  const uint8_t *bytes = (const uint8_t *)(lengths + 3);
  uint32_t root_length = lengths[1] & ~BEHIND_PRIMARY;
  if (lengths[0] > FACTORY_MOST || root_length > FACTORY_MOST || lengths[2] > FACTORY_MOST) return left; /* erased */
  left.configuration = bytes;
  left.configuration_length = lengths[0];
  left.root = bytes + lengths[0];
  left.root_length = root_length;
  left.director = left.root + root_length;
  left.director_length = lengths[2];
  left.primary = root_length != lengths[1];
  return left;
}

const uint8_t *board_ready(void) { return (const uint8_t *)READY; }
