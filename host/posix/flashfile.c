#include "flashfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

/* Bytes that an erase sets at once. */
#define ERASE_PIECE 256u

/* Bytes that are looked at together. */
#define CHUNK 4096u

/* ---- files ---- */

/* Writes all of it, or not: -1. */
static int write_at(int file, const uint8_t *from, uint32_t length, uint32_t offset) {
  while (length > 0) {
    ssize_t written = pwrite(file, from, length, (off_t)offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    from += written;
    offset += (uint32_t)written;
    length -= (uint32_t)written;
  }
  return 0;
}

static int read_at(int file, uint8_t *to, uint32_t length, uint32_t offset) {
  while (length > 0) {
    ssize_t found = pread(file, to, length, (off_t)offset);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return -1;
    to += found;
    offset += (uint32_t)found;
    length -= (uint32_t)found;
  }
  return 0;
}

/* PATH and an ending. */
static char *beside(const char *path, const char *ending) {
  size_t length = strlen(path) + strlen(ending) + 1;
  char *name = malloc(length);
  if (name == NULL) fail(EXIT_REFUSED, "out of memory");
  snprintf(name, length, "%s%s", path, ending);
  return name;
}

static void unusable(const char *path, const char *finding) {
  fail(EXIT_REFUSED, "%s %s; restore it and %s.json from a copy, or delete both to start with a new device", path,
       finding, path);
}

/* ---- a new flash ---- */

/* Makes a file of `size` bytes under another name and moves it to its own when it is whole. */
static void make_file(const char *path, const uint8_t *bytes, uint32_t size) {
  char *draft = beside(path, ".new");
  int file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  int made = file >= 0 && write_at(file, bytes, size, 0) == 0 && fsync(file) == 0 && rename(draft, path) == 0;
  if (!made) {
    int why = errno;
    unlink(draft);
    fail(EXIT_REFUSED, "%s cannot be made: %s", path, strerror(why));
  }
  close(file);
  free(draft);
}

/* The geometry first: a flash that is there has one. */
static void make(const char *path) {
  static geometry made;
  char text[GEOMETRY_DEFAULT_TEXT];
  geometry_default(text, sizeof text);
  if (geometry_parse(&made, text) != 0) fail(EXIT_REFUSED, "the geometry of new devices is none");
  uint8_t *erased = malloc(made.size);
  char *about = beside(path, ".json");
  if (erased == NULL) fail(EXIT_REFUSED, "out of memory");
  memset(erased, 0xff, made.size);
  make_file(about, (const uint8_t *)text, (uint32_t)strlen(text));
  make_file(path, erased, made.size);
  free(about);
  free(erased);
}

/* ---- opening ---- */

static void read_geometry(flash_file *flash) {
  static char text[MOST_BLOCKS * 11 + 1024]; /* of any geometry that fits */
  char *name = beside(flash->path, ".json");
  FILE *file = fopen(name, "r");
  if (file == NULL) unusable(flash->path, "lacks the file with its geometry");
  size_t length = fread(text, 1, sizeof text - 1, file);
  text[length] = 0;
  fclose(file);
  free(name);
  if (geometry_parse(&flash->geometry, text) != 0) unusable(flash->path, "has a geometry that no flash has");
}

void flash_open(flash_file *flash, const char *path) {
  struct stat found;
  char finding[80];
  flash->path = path;
  flash->told = 0;
  if (stat(path, &found) != 0 && errno == ENOENT) make(path);
  flash->file = open(path, O_RDWR | O_CLOEXEC);
  if (flash->file < 0) fail(EXIT_REFUSED, "%s cannot be opened for reading and writing: %s", path, strerror(errno));
  read_geometry(flash);
  if (fstat(flash->file, &found) != 0 || found.st_size == flash->geometry.size) return;
  snprintf(finding, sizeof finding, "holds %lld bytes instead of %u", (long long)found.st_size, flash->geometry.size);
  unusable(path, finding);
}

/* ---- operations ---- */

static void misuse(int32_t number, uint32_t offset, const char *finding) {
  fail(EXIT_REFUSED, "flash area %d, offset %u: %s: a bug of the program", number, offset, finding);
}

/* The area, when the range lies in it. */
static const area *range(const flash_file *flash, int32_t number, uint32_t offset, uint32_t length) {
  int known = number >= 0 && number < (int32_t)AREAS && flash->geometry.areas[number].size > 0;
  if (!known) misuse(number, offset, "there is no such area");
  const area *of = &flash->geometry.areas[number];
  if (offset > of->size || length > of->size - offset) misuse(number, offset, "leaves the area");
  return of;
}

static int32_t failed(flash_file *flash, const char *doing) {
  if (!flash->told) say("%s: %s fails: %s", flash->path, doing, strerror(errno));
  flash->told = 1;
  return -1;
}

/* What has reached the file shall outlive the machine's own power too. */
static int32_t settle(flash_file *flash) { return fdatasync(flash->file) == 0 ? 0 : failed(flash, "writing"); }

int32_t flash_read(flash_file *flash, int32_t number, uint32_t offset, void *to, uint32_t length) {
  const area *of = range(flash, number, offset, length);
  return read_at(flash->file, to, length, of->start + offset) == 0 ? 0 : failed(flash, "reading");
}

/* Negative: unreadable. */
static int32_t is_erased(flash_file *flash, const area *of, uint32_t offset, uint32_t length) {
  uint8_t bytes[CHUNK];
  while (length > 0) {
    uint32_t part = length < CHUNK ? length : CHUNK;
    if (read_at(flash->file, bytes, part, of->start + offset) != 0) return failed(flash, "reading");
    for (uint32_t i = 0; i < part; i++)
      if (bytes[i] != of->erased) return 0;
    offset += part;
    length -= part;
  }
  return 1;
}

int32_t flash_write(flash_file *flash, int32_t number, uint32_t offset, const void *from, uint32_t length) {
  const area *of = range(flash, number, offset, length);
  const uint8_t *next = from;
  if (offset % of->unit != 0 || length % of->unit != 0) misuse(number, offset, "not whole units");
  int32_t erased = is_erased(flash, of, offset, length);
  if (erased < 0) return erased;
  if (!erased) misuse(number, offset, "written twice without an erase");
  for (uint32_t done = 0; done < length; done += of->unit, next += of->unit)
    if (write_at(flash->file, next, of->unit, of->start + offset + done) != 0) return failed(flash, "writing");
  return settle(flash);
}

int32_t flash_erase(flash_file *flash, int32_t number, uint32_t offset, uint32_t length) {
  const area *of = range(flash, number, offset, length);
  uint8_t erased[ERASE_PIECE];
  if (!geometry_is_edge(of, offset) || !geometry_is_edge(of, offset + length))
    misuse(number, offset, "not the edge of an erase block");
  memset(erased, of->erased, sizeof erased);
  for (uint32_t done = 0; done < length;) {
    uint32_t piece = length - done < ERASE_PIECE ? length - done : ERASE_PIECE;
    if (write_at(flash->file, erased, piece, of->start + offset + done) != 0) return failed(flash, "writing");
    done += piece;
  }
  return settle(flash);
}
