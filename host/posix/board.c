#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"
#include "say.h"

static int32_t board_read(void *user, int32_t number, uint32_t offset, void *to, uint32_t length) {
  board *of = user;
  return flash_read(&of->flash, number, offset, to, length);
}

static int32_t board_write(void *user, int32_t number, uint32_t offset, const void *from, uint32_t length) {
  board *of = user;
  return flash_write(&of->flash, number, offset, from, length);
}

static int32_t board_erase(void *user, int32_t number, uint32_t offset, uint32_t length) {
  board *of = user;
  return flash_erase(&of->flash, number, offset, length);
}

const uint8_t *board_map(void *user, int32_t number, uint32_t offset, uint32_t length) {
  board *of = user;
  free(of->copy);
  of->copy = malloc((size_t)length + 1); /* none has no bytes */
  if (of->copy == NULL) fail(EXIT_REFUSED, "out of memory");
  return flash_read(&of->flash, number, offset, of->copy, length) == 0 ? of->copy : NULL;
}

/* moult.h asks for areas that there are, apart from the size of one. */
static const area *area_of(void *user, int32_t number) {
  const board *of = user;
  return number >= 0 && number < (int32_t)AREAS ? &of->flash.geometry.areas[number] : NULL;
}

static uint32_t board_size(void *user, int32_t number) {
  const area *of = area_of(user, number);
  return of != NULL ? of->size : 0;
}

static uint32_t board_block_end(void *user, int32_t number, uint32_t offset) {
  const area *of = area_of(user, number);
  return of != NULL ? geometry_block_end(of, offset) : 0;
}

static uint32_t board_unit(void *user, int32_t number) {
  const area *of = area_of(user, number);
  return of != NULL ? of->unit | (uint32_t)of->erased << 16 : 0;
}

static int32_t boot_state(void *user) { return moult_boot_state(&((board *)user)->boot); }

static int32_t boot_select(void *user, int32_t slots) { return moult_boot_select(&((board *)user)->boot, slots); }

static int32_t boot_confirm(void *user) { return moult_boot_confirm(&((board *)user)->boot); }

static int32_t boot_revert(void *user) { return moult_boot_revert(&((board *)user)->boot); }

/* The system's generator gives at most so many bytes at once. */
#define ENTROPY_MOST 256u

static int32_t board_entropy(void *user, void *to, uint32_t length) {
  uint8_t *bytes = to;
  (void)user;
  for (uint32_t part; length > 0; bytes += part, length -= part) {
    part = length < ENTROPY_MOST ? length : ENTROPY_MOST;
    if (getentropy(bytes, part) != 0) return -1;
  }
  return 0;
}

const moult_port board_port = {
    .flash_read = board_read,
    .flash_write = board_write,
    .flash_erase = board_erase,
    .flash_size = board_size,
    .flash_block_end = board_block_end,
    .flash_unit = board_unit,
    .boot_state = boot_state,
    .boot_select = boot_select,
    .boot_confirm = boot_confirm,
    .boot_revert = boot_revert,
    .milliseconds = line_milliseconds,
    .entropy = board_entropy,
};

/* ---- the self-test ---- */

static void run_test(const board *of, const char *test) {
  int slot = moult_boot_state(&of->boot) & 1;
  int file = open(of->flash.path, O_RDONLY);
  off_t start = (off_t)of->flash.geometry.areas[MOULT_AREA_SLOT_A + slot].start;
  if (file >= 0 && lseek(file, start, SEEK_SET) == start && dup2(file, STDIN_FILENO) >= 0 &&
      dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
    execl("/bin/sh", "sh", "-c", test, (char *)NULL);
  _exit(127);
}

int board_self_test(const board *self, const char *test) {
  int status = 0;
  pid_t child = fork();
  if (child == 0) run_test(self, test);
  if (child < 0 || waitpid(child, &status, 0) < 0) fail(EXIT_REFUSED, "the self-test cannot run: %s", strerror(errno));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
