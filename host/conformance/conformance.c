/* The order of the tests, over resets; and the boot decision. */
#include "conformance.h"

#include <string.h>

#include "bytes.h"
#include "checks.h"

#define SLOTS 0xff
#define ON_TRIAL 0x100
/* The boots of one trial, at most, that a bootloader may give. */
#define MOST_BOOTS 16u

/* ---- what is known after a reset: a record for each, in both banks ---- */

#define MAGIC 0x31464e43u /* "CNF1" */
/* A multiple of every write unit. */
#define RECORD 32u
#define MOST_RECORDS 32u

enum phase {
  FIRST_TRIAL = 1,
  REVERTED,
  SECOND_TRIAL,
  CONFIRMED,
  ABANDONED,
  LAST_TRIAL
};

typedef struct record {
  /* How many there were before it. */
  uint32_t number;
  enum phase phase;
  /* The slots of the first start. */
  uint32_t home;
  /* Of the trial of ABANDONED, so far. */
  uint32_t boots;
  /* What the counter has; a digest of what `entropy` gave. */
  uint32_t counter;
  uint32_t random;
} record;

/* 0: there is none of this number. */
static int load(moult_conformance *self, int32_t bank, uint32_t number, record *into) {
  if (!conformance_read(self, bank, number * RECORD, RECORD)) return 0;
  const uint8_t *at = self->read;
  if (moult_load(at) != MAGIC || moult_load(at + 28) != conformance_digest(CONFORMANCE_NOTHING, at, 28)) return 0;
  *into = (record){moult_load(at + 4), (enum phase)moult_load(at + 8), moult_load(at + 12), moult_load(at + 16),
                   moult_load(at + 20), moult_load(at + 24)};
  return into->number == number;
}

static int store(moult_conformance *self, int32_t bank, const record *from) {
  uint8_t *at = self->written;
  moult_store(at, MAGIC, 4);
  moult_store(at + 4, from->number, 4);
  moult_store(at + 8, from->phase, 4);
  moult_store(at + 12, from->home, 4);
  moult_store(at + 16, from->boots, 4);
  moult_store(at + 20, from->counter, 4);
  moult_store(at + 24, from->random, 4);
  moult_store(at + 28, conformance_digest(CONFORMANCE_NOTHING, at, 28), 4);
  return conformance_write(self, bank, from->number * RECORD, RECORD);
}

/* How many there are in a bank; `latest` is the last of them. */
static uint32_t count(moult_conformance *self, int32_t bank, record *latest) {
  uint32_t number = 0;
  while (number < MOST_RECORDS && load(self, bank, number, latest)) number++;
  return number;
}

static int forget(moult_conformance *self) {
  return conformance_erase_area(self, MOULT_AREA_STORE_A) & conformance_erase_area(self, MOULT_AREA_STORE_B);
}

/* The next phase comes with the next start. */
static void ask_reset(moult_conformance *self, record *known, enum phase phase) {
  known->phase = phase;
  if (store(self, MOULT_AREA_STORE_A, known) && store(self, MOULT_AREA_STORE_B, known))
    self->say(self->user, "a reset is due");
}

/* ---- the boot decision ---- */

static int32_t state_of(moult_conformance *self) { return self->port->boot_state(self->user); }

static int expect_state(moult_conformance *self, uint32_t state, const char *otherwise) {
  int32_t now = state_of(self);
  if (now == (int32_t)state) return 1;
  conformance_note(self, "boot_state:", (uint32_t)now, "");
  return conformance_broken(self, otherwise);
}

static int is_done(moult_conformance *self, const char *callback, int32_t result) {
  return conformance_done(self, callback, result);
}

/* The other slot of the main component. Twice, which is doing it once; what runs stays what it is. */
static int select_slot(moult_conformance *self, uint32_t slots) {
  uint32_t before = (uint32_t)state_of(self);
  return is_done(self, "boot_select", self->port->boot_select(self->user, (int32_t)slots)) &&
         is_done(self, "boot_select, once more,", self->port->boot_select(self->user, (int32_t)slots)) &&
         expect_state(self, before, "boot_select changes what runs before the next boot");
}

static int confirm(moult_conformance *self, uint32_t slots) {
  return is_done(self, "boot_confirm", self->port->boot_confirm(self->user)) &&
         is_done(self, "boot_confirm, once more,", self->port->boot_confirm(self->user)) &&
         expect_state(self, slots, "boot_confirm does not end the trial of what runs");
}

static int revert(moult_conformance *self) {
  return is_done(self, "boot_revert", self->port->boot_revert(self->user)) &&
         is_done(self, "boot_revert, once more,", self->port->boot_revert(self->user));
}

/* ---- the first start ---- */

/* What runs, into the other slot. */
static int copy_image(moult_conformance *self, uint32_t home) {
  int32_t from = MOULT_AREA_SLOT_A + (int32_t)(home & 1);
  int32_t to = MOULT_AREA_SLOT_B - (int32_t)(home & 1);
  uint32_t unit = conformance_unit(self, to);
  uint32_t length = (self->image_length + unit - 1) / unit * unit;
  if (!conformance_erase_area(self, to)) return 0;
  for (uint32_t offset = 0, part; offset < length; offset += part) {
    part = length - offset < MOULT_CONFORMANCE_PIECE ? length - offset : MOULT_CONFORMANCE_PIECE;
    if (!conformance_read(self, from, offset, part)) return 0;
    memcpy(self->written, self->read, part);
    if (!conformance_write(self, to, offset, part)) return 0;
  }
  return 1;
}

static int has_boot(moult_conformance *self) {
  const moult_port *port = self->port;
  if (port->boot_state != NULL && port->boot_select != NULL && port->boot_confirm != NULL && port->boot_revert != NULL) return 1;
  return conformance_broken(self, "a callback for the boot decision is NULL");
}

/* The records have room. */
static int banks_fit(moult_conformance *self) {
  uint32_t room = MOST_RECORDS * RECORD;
  if (conformance_size(self, MOULT_AREA_STORE_A) >= room && conformance_size(self, MOULT_AREA_STORE_B) >= room) return 1;
  return conformance_broken(self, "a bank of the trust store is not there, or smaller than 1024 bytes");
}

/* What needs no reset. Each part is looked at, whatever became of the one before, as far as it can be. */
static int check_board(moult_conformance *self, record *known, int32_t running) {
  int whole = conformance_check_clock(self) & conformance_check_hash(self) & conformance_check_entropy(self, &known->random) &
              conformance_check_counter(self, &known->counter);
  if (!conformance_check_layout(self) || !conformance_check_flash(self, running)) return 0;
  return whole && self->findings == 0;
}

static void start_over(moult_conformance *self) {
  record known = {0};
  int32_t running = state_of(self);
  if (running < 0 || running > SLOTS) {
    (void)conformance_broken(self, "at the first start boot_state is negative, or says that what runs is on trial: "
                                   "confirm it first, or what was written before the reset is lost");
    return;
  }
  known.home = (uint32_t)running;
  if (!check_board(self, &known, running) || !copy_image(self, known.home) || !forget(self)) return;
  if (select_slot(self, known.home ^ 1)) ask_reset(self, &known, FIRST_TRIAL);
}

/* ---- the others ---- */

static int has_outlived(moult_conformance *self, record *known) {
  uint32_t random = 0;
  int whole = conformance_check_entropy(self, &random);
  if (random != 0 && random == known->random) whole = conformance_broken(self, "entropy gives the same bytes after each reset");
  if (self->port->counter_read == NULL || self->port->counter_read(self->user) == (int32_t)known->counter) return whole;
  return conformance_broken(self, "the counter has not outlived the reset");
}

static void first_trial(moult_conformance *self, record *known) {
  uint32_t other = known->home ^ 1;
  if (!expect_state(self, other | ON_TRIAL, "after boot_select the other slot does not run on trial")) return;
  if (has_outlived(self, known) && revert(self)) ask_reset(self, known, REVERTED);
}

static void after_revert(moult_conformance *self, record *known) {
  if (!expect_state(self, known->home, "after boot_revert the slot before the trial does not run")) return;
  if (select_slot(self, known->home ^ 1)) ask_reset(self, known, SECOND_TRIAL);
}

static void second_trial(moult_conformance *self, record *known) {
  uint32_t other = known->home ^ 1;
  if (!expect_state(self, other | ON_TRIAL, "after a revert a slot cannot be selected again")) return;
  if (confirm(self, other)) ask_reset(self, known, CONFIRMED);
}

static void after_confirm(moult_conformance *self, record *known) {
  if (!expect_state(self, known->home ^ 1, "after boot_confirm the confirmed slot does not run for good")) return;
  if (select_slot(self, known->home)) ask_reset(self, known, ABANDONED);
}

/* On trial again and again without a confirm, until the bootloader gives the other slot back. */
static void abandoned(moult_conformance *self, record *known) {
  uint32_t other = known->home ^ 1;
  if (known->boots == 0 || state_of(self) != (int32_t)other) {
    if (!expect_state(self, known->home | ON_TRIAL, "a trial does not go on, or its end is not what ran before")) return;
    if (++known->boots > MOST_BOOTS) (void)conformance_broken(self, "a trial without a confirm never ends");
    else ask_reset(self, known, ABANDONED);
    return;
  }
  conformance_note(self, "boots of a trial:", known->boots, "");
  if (select_slot(self, known->home)) ask_reset(self, known, LAST_TRIAL);
}

/* 1: that was all. */
static int last_trial(moult_conformance *self, record *known) {
  return expect_state(self, known->home | ON_TRIAL, "after a trial that ended a slot cannot be selected again") &&
         confirm(self, known->home) && forget(self);
}

/* 1: that was all. */
static int go_on(moult_conformance *self, record *known) {
  switch (known->phase) {
    case FIRST_TRIAL:
      first_trial(self, known);
      break;
    case REVERTED:
      after_revert(self, known);
      break;
    case SECOND_TRIAL:
      second_trial(self, known);
      break;
    case CONFIRMED:
      after_confirm(self, known);
      break;
    case ABANDONED:
      abandoned(self, known);
      break;
    case LAST_TRIAL:
      return last_trial(self, known);
  }
  return 0;
}

/* ---- a start ---- */

/* 1: that was all. */
static int run(moult_conformance *self) {
  record known = {0};
  record beside = {0};
  uint32_t records = count(self, MOULT_AREA_STORE_A, &known);
  uint32_t others = count(self, MOULT_AREA_STORE_B, &beside);
  if (records != others)
    return conformance_broken(self, "a reset came that was not asked for, or what was written last before it is lost");
  known.number = records;
  if (records > 0) return go_on(self, &known);
  start_over(self);
  return 0;
}

int32_t moult_conformance_run(moult_conformance *self) {
  self->findings = 0;
  self->milliseconds = self->port->milliseconds != NULL ? self->port->milliseconds(self->user) : 0;
  if (!has_boot(self) || !banks_fit(self)) return MOULT_CONFORMANCE_BROKEN;
  int all = run(self);
  if (self->findings == 0) return all ? MOULT_CONFORMANCE_PASSED : MOULT_CONFORMANCE_RESET;
  (void)forget(self);
  return MOULT_CONFORMANCE_BROKEN;
}
