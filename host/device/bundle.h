/*
 * Reads a bundle (docs/formats.md, "Bundle"): files for an update that come from an SD card or a disk, and not over a
 * link. Constant memory, whatever the bundle. It is not trusted: it is read strictly, so that it means the same to
 * every reader, and what is in it is for the core to judge.
 *
 *   moult_bundle bundle = {.read = …, .user = …, .length = …};
 *   if (moult_bundle_open(&bundle) == 0) client.read = moult_bundle_read, client.reader = &bundle;
 */
#ifndef MOULT_BUNDLE_H
#define MOULT_BUNDLE_H

#include <stdint.h>

#include "link.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most bytes of a file that one read gives: nearly all of the memory of a reader. */
#ifndef MOULT_BUNDLE_PIECE
#define MOULT_BUNDLE_PIECE 512u
#endif

/* Fill the first three and zero the rest. */
typedef struct moult_bundle {
  /* Bytes of the bundle from `offset` on, all inside of `length`. 0, or negative: they cannot be read. */
  int32_t (*read)(void *user, uint32_t offset, void *to, uint32_t length);
  void *user;
  /* Of the whole bundle. */
  uint32_t length;
  /* Not the caller's: how many files there are, and where the first one begins. */
  uint32_t files;
  uint32_t start;
  uint8_t piece[MOULT_BUNDLE_PIECE];
} moult_bundle;

/* Looks at the whole index. 0, MOULT_STATUS_BUNDLE_INVALID, or MOULT_STATUS_NETWORK: it cannot be read. */
int32_t moult_bundle_open(moult_bundle *bundle);

/* Of an open bundle, as moult_link_read; `bundle` is a moult_bundle. The piece is good until the next call. */
int32_t moult_bundle_read(void *bundle, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                          moult_piece *piece);

#ifdef __cplusplus
}
#endif

#endif
