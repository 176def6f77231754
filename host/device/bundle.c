/* The reader of bundles. The contract is in bundle.h, the format in docs/formats.md, "Bundle". */
#include "bundle.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x444e424du
#define VERSION 1u
#define HEADER 12u
/* Of an entry, before its name. */
#define ENTRY 6u
#define LONGEST_NAME 329u

struct entry {
  /* Of the file. */
  uint32_t length;
  /* Of its name, and where that lies. */
  uint32_t name_length;
  uint32_t name;
};

/* Bytes of the bundle; MOULT_STATUS_BUNDLE_INVALID beyond its end. */
static int32_t read_at(const moult_bundle *bundle, uint32_t offset, void *to, uint32_t length) {
  if (offset > bundle->length || length > bundle->length - offset) return MOULT_STATUS_BUNDLE_INVALID;
  return bundle->read(bundle->user, offset, to, length) < 0 ? MOULT_STATUS_NETWORK : MOULT_STATUS_OK;
}

static int32_t read_entry(const moult_bundle *bundle, uint32_t at, struct entry *entry) {
  uint8_t bytes[ENTRY];
  int32_t status = read_at(bundle, at, bytes, sizeof bytes);
  if (status < 0) return status;
  entry->length = moult_load(bytes);
  entry->name_length = (uint32_t)bytes[4] | (uint32_t)bytes[5] << 8;
  entry->name = at + ENTRY;
  return entry->name_length <= LONGEST_NAME ? MOULT_STATUS_OK : MOULT_STATUS_BUNDLE_INVALID;
}

/* Where the entry behind this one lies: inside of the bundle, since its name was read. */
static uint32_t behind(const struct entry *entry) { return entry->name + entry->name_length; }

/* ---- names ---- */

/* By enum moult_fetch_kind. */
static const char *const FOLDERS[] = {"metadata/", "targets/", "director/"};
#define KINDS ((int32_t)(sizeof FOLDERS / sizeof FOLDERS[0]))

/* Below one of the folders. Where the rest of the name begins, 0: none of them. */
static uint32_t below(const char *name) {
  for (int32_t kind = 0; kind < KINDS; kind++)
    if (strncmp(name, FOLDERS[kind], strlen(FOLDERS[kind])) == 0) return (uint32_t)strlen(FOLDERS[kind]);
  return 0;
}

/* No segment is empty, `.` or `..`; printable ASCII without a backslash: a name that is safe wherever it is unpacked. */
static int is_safe(const char *name, uint32_t start) {
  const char *segment = name + start;
  for (;;) {
    size_t length = strcspn(segment, "/");
    if (length == 0 || (length <= 2 && strspn(segment, ".") >= length)) return 0;
    for (size_t i = 0; i < length; i++)
      if (segment[i] < ' ' || segment[i] > '~' || segment[i] == '\\') return 0;
    segment += length;
    if (*segment == 0) return 1;
    if (start == 9) return 0; /* metadata lies in one folder */
    segment++;
  }
}

/* With a closing 0; a 0 inside makes it shorter, and then it is none. */
static int32_t read_name(const moult_bundle *bundle, const struct entry *entry, char *name) {
  int32_t status = read_at(bundle, entry->name, name, entry->name_length);
  if (status < 0) return status;
  name[entry->name_length] = 0;
  uint32_t start = strlen(name) == entry->name_length ? below(name) : 0;
  return start > 0 && is_safe(name, start) ? MOULT_STATUS_OK : MOULT_STATUS_BUNDLE_INVALID;
}

/* ---- the index ---- */

static int32_t read_header(moult_bundle *bundle) {
  uint8_t bytes[HEADER];
  int32_t status = read_at(bundle, 0, bytes, sizeof bytes);
  if (status < 0) return status;
  bundle->files = moult_load(bytes + 8);
  int known = moult_load(bytes) == MAGIC && moult_load(bytes + 4) == VERSION;
  return known ? MOULT_STATUS_OK : MOULT_STATUS_BUNDLE_INVALID;
}

/* Ascending names, and lengths that are those of the rest to the byte: nothing overlaps, is left out or left over. */
int32_t moult_bundle_open(moult_bundle *bundle) {
  char names[2][LONGEST_NAME + 1] = {"", ""};
  uint64_t lengths = 0; /* fewer than 2^32 of 32 bits */
  int32_t status = read_header(bundle);
  bundle->start = HEADER;
  for (uint32_t i = 0; status == MOULT_STATUS_OK && i < bundle->files; i++) {
    struct entry entry = {0};
    char *name = names[i % 2];
    status = read_entry(bundle, bundle->start, &entry);
    if (status == MOULT_STATUS_OK) status = read_name(bundle, &entry, name);
    /* Twice the same name would be one file to this reader and another one to the next. */
    if (status == MOULT_STATUS_OK && strcmp(names[(i + 1) % 2], name) >= 0) status = MOULT_STATUS_BUNDLE_INVALID;
    lengths += entry.length;
    bundle->start = behind(&entry);
  }
  if (status != MOULT_STATUS_OK) return status;
  return bundle->start + lengths == bundle->length ? MOULT_STATUS_OK : MOULT_STATUS_BUNDLE_INVALID;
}

/* ---- files ---- */

/* Where a file lies and how long it is. MOULT_STATUS_NOT_FOUND: it is not there. */
static int32_t find(const moult_bundle *bundle, const char *folder, const char *wanted, uint32_t *at, uint32_t *length) {
  char name[LONGEST_NAME + 1];
  size_t prefix = strlen(folder);
  struct entry entry = {.name = HEADER};
  *at = bundle->start;
  for (uint32_t i = 0; i < bundle->files; i++) {
    int32_t status = read_entry(bundle, behind(&entry), &entry);
    if (status == MOULT_STATUS_OK) status = read_name(bundle, &entry, name);
    if (status < 0) return status;
    *length = entry.length;
    if (strncmp(name, folder, prefix) == 0 && strcmp(name + prefix, wanted) == 0) return MOULT_STATUS_OK;
    *at += entry.length;
  }
  return MOULT_STATUS_NOT_FOUND;
}

int32_t moult_bundle_read(void *user, int32_t kind, const char *name, uint32_t offset, uint32_t wanted,
                          moult_piece *piece) {
  moult_bundle *bundle = user;
  uint32_t at = 0;
  uint32_t length = 0;
  if (kind < 0 || kind >= KINDS) return MOULT_STATUS_NETWORK;
  int32_t status = find(bundle, FOLDERS[kind], name, &at, &length);
  if (status == MOULT_STATUS_NOT_FOUND) return status;
  if (status < 0 || offset > length) return MOULT_STATUS_NETWORK;
  if (wanted > MOULT_BUNDLE_PIECE) wanted = MOULT_BUNDLE_PIECE;
  if (wanted > length - offset) wanted = length - offset;
  *piece = (moult_piece){.bytes = bundle->piece, .length = wanted, .offset = offset, .last = offset + wanted == length};
  return read_at(bundle, at + offset, bundle->piece, wanted) < 0 ? MOULT_STATUS_NETWORK : MOULT_STATUS_OK;
}
