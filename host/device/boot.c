/* The boot record. The contract is in boot.h, the format in docs/formats.md. */
#include "boot.h"

#define MAGIC 0x3154424du
#define LENGTH 16u
#define CONFIRMED 1u
#define TRIAL 2u
/* Boots on trial before the slots before return. */
#define ATTEMPTS 3u

/* ---- decisions ---- */

static int is_known(const uint8_t *fields) { return fields[0] == CONFIRMED || fields[0] == TRIAL; }

/* Makes a decision the latest, unless it is that already. 0, or BOOT and nothing has changed. */
static int32_t decide(moult_boot *boot, moult_boot record) {
  uint8_t fields[] = {(uint8_t)record.kind, (uint8_t)record.slots, (uint8_t)record.boots, (uint8_t)record.before};
  if (boot->kind == record.kind && boot->slots == record.slots && boot->boots == record.boots) return MOULT_STATUS_OK;
  int32_t status = moult_ring_append(&record.ring, fields);
  if (status == MOULT_STATUS_OK) *boot = record;
  return status;
}

static int32_t decide_confirmed(moult_boot *boot, uint32_t slots) {
  moult_boot record = *boot;
  record.kind = CONFIRMED;
  record.slots = slots;
  record.boots = 0;
  record.before = 0;
  return decide(boot, record);
}

static int32_t decide_trial(moult_boot *boot, uint32_t slots, uint32_t boots) {
  moult_boot record = *boot;
  record.kind = TRIAL;
  record.slots = slots;
  record.boots = boots;
  if (boot->kind != TRIAL) record.before = boot->slots;
  return decide(boot, record);
}

/* ---- the boot decision ---- */

static int32_t read_record(moult_boot *boot, const moult_port *port, void *user) {
  int32_t status = moult_ring_open(&boot->ring, port, user, MAGIC, LENGTH, is_known);
  const uint8_t *fields = boot->ring.fields;
  int is_there = is_known(fields); /* else all in slot A */
  boot->kind = is_there ? fields[0] : CONFIRMED;
  boot->slots = fields[1];
  boot->boots = fields[2];
  boot->before = fields[3];
  boot->state = 0;
  return status;
}

static int32_t count_trial(moult_boot *boot) {
  if (boot->boots >= ATTEMPTS) return decide_confirmed(boot, boot->before);
  return decide_trial(boot, boot->slots, boot->boots + 1);
}

int32_t moult_boot_start(moult_boot *boot, const moult_port *port, void *user) {
  int32_t status = read_record(boot, port, user);
  if (status < 0) return status;
  int counted = boot->kind != TRIAL || count_trial(boot) == MOULT_STATUS_OK;
  /* A trial that cannot be counted would never end: then the slots before it run. */
  boot->state = (int32_t)(counted ? boot->slots : boot->before);
  if (counted && boot->kind == TRIAL) boot->state |= MOULT_BOOT_ON_TRIAL;
  return boot->state;
}

int32_t moult_boot_continue(moult_boot *boot, const moult_port *port, void *user, int32_t state) {
  int32_t status = read_record(boot, port, user);
  if (status < 0) return status;
  boot->state = state;
  return state;
}

int32_t moult_boot_state(const moult_boot *boot) { return boot->state; }

int32_t moult_boot_select(moult_boot *boot, int32_t slots) {
  return slots >= 0 && slots <= MOULT_BOOT_SLOTS ? decide_trial(boot, (uint32_t)slots, 0) : MOULT_STATUS_BAD_ARGUMENT;
}

int32_t moult_boot_confirm(moult_boot *boot) {
  int32_t status = decide_confirmed(boot, (uint32_t)(boot->state & MOULT_BOOT_SLOTS));
  if (status == MOULT_STATUS_OK) boot->state &= MOULT_BOOT_SLOTS;
  return status;
}

int32_t moult_boot_revert(moult_boot *boot) {
  return boot->kind != TRIAL ? MOULT_STATUS_OK : decide_confirmed(boot, boot->before);
}
