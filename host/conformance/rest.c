/* What is not flash and not the boot decision: the clock, random bytes, the counter, the hash. */
#include <string.h>

#include "checks.h"

/* Looks at a clock that stands, before it is one that does. */
#define PATIENCE 5000000u

uint32_t conformance_digest(uint32_t digest, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) digest = (digest ^ bytes[i]) * 16777619u;
  return digest;
}

/* ---- the clock ---- */

uint32_t conformance_look_at_clock(moult_conformance *self) {
  if (self->port->milliseconds == NULL) return 0;
  uint32_t now = self->port->milliseconds(self->user);
  if (now - self->milliseconds >= 0x80000000u) (void)conformance_broken(self, "milliseconds runs backwards");
  self->milliseconds = now;
  return now;
}

int conformance_check_clock(moult_conformance *self) {
  uint32_t found = self->findings;
  if (self->port->milliseconds == NULL) {
    self->say(self->user, "no clock: the core has no deadline, and times are not measured");
    return 1;
  }
  uint32_t began = conformance_look_at_clock(self);
  uint32_t looks = 0;
  while (conformance_look_at_clock(self) == began && looks < PATIENCE) looks++;
  if (looks == PATIENCE) return conformance_broken(self, "milliseconds stands still");
  return self->findings == found;
}

/* ---- random bytes ---- */

#define RANDOM 64u
#define GUARD 0xa5

/* Bytes that are the same at the same place; of 64 random ones a quarter of one, on average. */
static uint32_t alike(const uint8_t *one, const uint8_t *other) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < RANDOM; i++) count += one[i] == other[i];
  return count;
}

/* Asks for random bytes at an odd address; whether those beside them are still there. */
static int fill(moult_conformance *self, uint8_t *to) {
  memset(to, GUARD, RANDOM + 2);
  if (!conformance_done(self, "entropy", self->port->entropy(self->user, to + 1, RANDOM))) return 0;
  if (to[0] != GUARD || to[RANDOM + 1] != GUARD) return conformance_broken(self, "entropy writes beside what it is given");
  return 1;
}

/* Whether each of many fills changes its last byte now and then. */
static int fills_all(moult_conformance *self) {
  uint8_t byte[2] = {GUARD, GUARD};
  for (uint32_t i = 0; i < RANDOM && byte[1] == GUARD; i++) {
    byte[0] = byte[1] = GUARD;
    if (!conformance_done(self, "entropy", self->port->entropy(self->user, byte, sizeof byte))) return 0;
  }
  return byte[1] != GUARD ? 1 : conformance_broken(self, "entropy does not fill all bytes");
}

int conformance_check_entropy(moult_conformance *self, uint32_t *digest) {
  uint8_t *one = self->written;
  uint8_t *other = self->read;
  *digest = 0;
  if (self->port->entropy == NULL) {
    self->say(self->user, "no source of random bytes: a key must come from the factory");
    return 1;
  }
  if (!fill(self, one) || !fill(self, other)) return 0;
  if (alike(one + 1, other + 1) > RANDOM / 8) return conformance_broken(self, "entropy gives the same bytes again");
  for (uint32_t i = 2, same = 0; i <= RANDOM; i++)
    if ((same += one[i] == one[i - 1]) > RANDOM / 8) return conformance_broken(self, "entropy repeats one byte");
  *digest = conformance_digest(CONFORMANCE_NOTHING, one + 1, RANDOM);
  return fills_all(self);
}

/* ---- the counter ---- */

static int counter_is(moult_conformance *self, uint32_t value, const char *otherwise) {
  int32_t now = self->port->counter_read(self->user);
  if (now < 0) return conformance_broken(self, "counter_read fails");
  return (uint32_t)now == value ? 1 : conformance_broken(self, otherwise);
}

static int advance(moult_conformance *self, uint32_t value) {
  return conformance_done(self, "counter_advance", self->port->counter_advance(self->user, value));
}

static int raise(moult_conformance *self, uint32_t *value) {
  uint32_t before = *value;
  *value = before + 1;
  if (!advance(self, *value) || !counter_is(self, *value, "counter_advance did not raise the counter to the value")) return 0;
  if (!advance(self, *value) || !counter_is(self, *value, "counter_advance to the same value changes the counter")) return 0;
  (void)self->port->counter_advance(self->user, before);
  return counter_is(self, *value, "counter_advance to a lower value changes the counter");
}

int conformance_check_counter(moult_conformance *self, uint32_t *value) {
  *value = 0;
  if ((self->port->counter_read == NULL) != (self->port->counter_advance == NULL))
    return conformance_broken(self, "of counter_read and counter_advance one is NULL");
  if (self->port->counter_read == NULL) {
    self->say(self->user, "no counter in hardware: the core keeps it in its trust store");
    return 1;
  }
  int32_t now = self->port->counter_read(self->user);
  if (now < 0) return conformance_broken(self, "counter_read fails");
  conformance_note(self, "counter_read:", (uint32_t)now, "");
  *value = (uint32_t)now;
  return self->raise_counter ? raise(self, value) : 1;
}

/* ---- the hash ---- */

static const uint32_t INITIAL[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
/* Of "abc": FIPS 180-4 and its examples. */
static const uint32_t OF_ABC[8] = {0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
                                   0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad};

static int hash_at(moult_conformance *self, uint8_t *block) {
  uint32_t state[8];
  memcpy(state, INITIAL, sizeof state);
  memset(block, 0, 64);
  memcpy(block, "abc\x80", 4);
  block[63] = 24;
  int32_t result = self->port->sha256_compress(self->user, state, block);
  if (result < 0) return 1; /* then the core hashes */
  if (!conformance_done(self, "sha256_compress", result)) return 0;
  if (memcmp(state, OF_ABC, sizeof state) == 0) return 1;
  return conformance_broken(self, "sha256_compress: the hash of \"abc\" is wrong at some alignment of the block");
}

int conformance_check_hash(moult_conformance *self) {
  if (self->port->sha256_compress == NULL) return 1;
  for (uint32_t shift = 0; shift < 8; shift++)
    if (!hash_at(self, self->written + shift)) return 0;
  return 1;
}
