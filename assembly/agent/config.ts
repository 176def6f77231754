// The device configuration (docs/formats.md): one JSON object, given once, kept as it was given.

import { bytes_equal } from "../bytes";
import { SPKI_ED25519, SPKI_P256, spki_parse } from "../crypto/spki";
import { Format } from "../install/format";
import { Name } from "../json/names";
import {
  Reader,
  reader_end,
  reader_bool,
  reader_fail,
  reader_integer,
  reader_member,
  reader_name,
  reader_named_value,
  reader_object,
  reader_open,
  reader_peek,
  reader_skip,
  reader_string,
  reader_text,
} from "../json/reader";
import { text_hash, text_hex } from "../json/text";
import { CONFIG, CONFIG_ROOM, READER, SIGNATURE_BUFFER } from "../memory";
import { ecu_add, ecu_set, ecus } from "../metadata/hardware";
import { keys_be_strict } from "../metadata/key";
import { ED25519_ALONE } from "../lean";
import { is_uptane, Mode, profile } from "../metadata/profile";
import { Status } from "../status";
import { time_keys_read } from "../uptane/time";
import { member_hash } from "../uptane/verification";

/** The most bytes of a configuration. */
export const MAX_CONFIG: u32 = 1024;

/** A text is kept as its length in one byte and its bytes: up to 31, and up to 63 for a hardware id. */
const SHORT_TEXT: i32 = 32;
const LONG_TEXT: i32 = 64;
const TEXTS: i32 = isDefined(SMALL) ? 20 : 28;
const KEY_AT: i32 = TEXTS + LONG_TEXT + 2 * SHORT_TEXT;
/** The longest key: a SubjectPublicKeyInfo of P-256. */
const KEY_CAPACITY: i32 = isDefined(SMALL) ? 0 : 91;
if (KEY_AT + KEY_CAPACITY > CONFIG_ROOM) ERROR("the Config does not fit its region");

@unmanaged
export class Config {
  release: u32;
  security: u32;
  /** Seconds since 1970. */
  build_time: u32;
  /** Seconds from one check to the next. */
  interval: u32;
  /** Key ids must be hashes of their keys. */
  strict_key_ids: bool;
  /** No check without the time. */
  needs_time: bool;
  /** The Format that the bootloader reads. */
  format: u8;
  /** Bytes of the key that it trusts; 0: none was given. */
  key_length: u8;
  /** The id of the chip; NO_CHIP: none was given. */
  chip: u32;
  /** Seconds that an update can be postponed in all. */
  max_postpone: u32;
  // 64 bytes of hardware id, 32 of component, 32 of version, the key follow.
}

const NO_CHIP: u32 = 0xffffffff;

export const config = changetype<Config>(CONFIG);

export function config_hardware(): usize {
  return CONFIG + TEXTS;
}

export function config_component(): usize {
  return CONFIG + TEXTS + LONG_TEXT;
}

export function config_version(): usize {
  return CONFIG + TEXTS + LONG_TEXT + SHORT_TEXT;
}

/** The key that the bootloader trusts, as a SubjectPublicKeyInfo. */
export function config_key(): usize {
  return CONFIG + KEY_AT;
}

/** Whether there is something to select releases for. */
export function config_selects(): bool {
  return isDefined(SMALL) || load<u8>(config_component()) != 0;
}

const enum Seen {
  HARDWARE = 1,
  COMPONENT = 2,
  VERSION = 4,
  RELEASE = 8,
  SECURITY = 16,
  BUILD_TIME = 32,
  INTERVAL = 64,
  ALL = 127,
  /** a TUF client that installs nothing: targets are asked for by their paths */
  CLIENT = BUILD_TIME | INTERVAL,
}

/** Hashes of what this ECU is called where metadata is Uptane's, and of its hardware id; 0: it was not said. */
let ecu: u64 = 0;
let hardware: u64 = 0;
/** The most bytes of the id of an ECU or a vehicle. */
const MAX_ID: u32 = 63;

/** Seconds that an update can be postponed in all where the configuration does not say: a week. */
const MAX_POSTPONE: u32 = 604800;

/** The shortest time between two checks, in seconds. */
const LEAST_INTERVAL: u32 = 60;

/** Reads and checks a configuration that lies on flash. */
export function config_read(area: i32, offset: u32, length: u32): Status {
  const r = changetype<Reader>(READER);
  reader_open(r, area, offset, length);
  let seen = 0;
  memory.fill(CONFIG, 0, CONFIG_ROOM);
  if (!isDefined(SMALL)) {
    config.chip = NO_CHIP;
    config.max_postpone = MAX_POSTPONE;
    uptane_clear();
  }
  reader_object(r);
  while (reader_member(r)) seen |= read_member(r);
  reader_end(r);
  if (r.status == Status.FLASH_READ) return Status.FLASH_READ;
  const client = isDefined(SMALL) ? 0 : is_uptane() ? Seen.CLIENT | Seen.HARDWARE : Seen.CLIENT;
  if (r.status != Status.OK || (seen != Seen.ALL && (isDefined(SMALL) || seen != client)) || length > MAX_CONFIG) return Status.CONFIG_INVALID;
  if (!isDefined(SMALL)) {
    if (!format_fits() || (ecu != 0) != is_uptane()) return Status.CONFIG_INVALID;
    keys_be_strict(config.strict_key_ids);
    ecu_set(0, ecu, hardware);
  }
  const counters = max(config.release, config.security);
  return config.interval >= LEAST_INTERVAL && counters <= <u32>i32.MAX_VALUE ? Status.OK : Status.CONFIG_INVALID;
}

function read_member(r: Reader): Seen {
  switch (reader_name(r)) {
    case Name.HARDWARE_ID:
      text_read(r, config_hardware(), LONG_TEXT);
      if (!isDefined(SMALL)) hardware = text_hash(r);
      return Seen.HARDWARE;
    case Name.COMPONENT:
      text_read(r, config_component(), SHORT_TEXT);
      return Seen.COMPONENT;
    case Name.VERSION:
      text_read(r, config_version(), SHORT_TEXT);
      return Seen.VERSION;
    case Name.RELEASE_COUNTER:
      config.release = reader_integer(r, Status.CONFIG_INVALID);
      return Seen.RELEASE;
    case Name.SECURITY_COUNTER:
      config.security = reader_integer(r, Status.CONFIG_INVALID);
      return Seen.SECURITY;
    case Name.BUILD_TIME:
      config.build_time = reader_integer(r, Status.CONFIG_INVALID);
      return Seen.BUILD_TIME;
    case Name.CHECK_INTERVAL:
      config.interval = reader_integer(r, Status.CONFIG_INVALID);
      return Seen.INTERVAL;
    default:
      read_policy(r);
      return 0;
  }
}

/** What may be left out. The small core can do nothing of it, and does not promise to. */
function read_policy(r: Reader): void {
  const name = reader_name(r);
  if (isDefined(SMALL)) {
    if (name != Name.SERIAL) reader_fail(r, Status.CONFIG_INVALID);
    reader_skip(r);
  } else if (name == Name.STRICT_KEY_IDS) config.strict_key_ids = reader_bool(r);
  else if (name == Name.NEEDS_TIME) config.needs_time = reader_bool(r);
  else if (name == Name.IMAGE_FORMAT) read_format(r);
  else if (name == Name.CHIP_ID) config.chip = reader_integer(r, Status.CONFIG_INVALID);
  else if (name == Name.BOOT_KEY) read_key(r);
  else if (name == Name.MAX_POSTPONE) config.max_postpone = min(reader_integer(r, Status.CONFIG_INVALID), <u32>i32.MAX_VALUE);
  else read_uptane(r, name);
}

function uptane_clear(): void {
  profile.mode = Mode.TUF;
  profile.legacy = false;
  profile.primary = false;
  profile.reports = false;
  profile.vehicle = 0;
  ecu = 0;
  ecus.known = 1;
}

function read_uptane(r: Reader, name: Name): void {
  switch (name) {
    case Name.UPTANE:
      profile.mode = reader_named_value(r) - Name.UPTANE;
      if (<u32>(profile.mode - Mode.FULL) > 1) reader_fail(r, Status.CONFIG_INVALID);
      return;
    case Name.ECU:
      ecu = read_id(r);
      return;
    case Name.VEHICLE:
      profile.vehicle = read_id(r);
      return;
    case Name.ECUS:
      return read_ecus(r);
    case Name.TIME_KEYS:
      time_keys_read(r);
      return;
    case Name.LEGACY:
      profile.legacy = reader_bool(r);
      return;
    default:
      if (name == Name.IMAGE) profile.reports = true;
      reader_skip(r);
  }
}

/** Reads an id. Its hash. */
function read_id(r: Reader): u64 {
  if (!reader_string(r)) return 0;
  if (r.text_length - 1 >= MAX_ID) reader_fail(r, Status.CONFIG_INVALID);
  return text_hash(r);
}

/** Reads the ECUs that this one, a Primary, sends targets to. */
function read_ecus(r: Reader): void {
  profile.primary = true;
  reader_object(r);
  while (reader_member(r)) {
    const id = text_hash(r);
    const made = member_hash(r, Name.HARDWARE_ID);
    if (made == 0 || !ecu_add(id, made)) reader_fail(r, Status.CONFIG_INVALID);
  }
}

function read_format(r: Reader): void {
  const format = reader_named_value(r) - Name.RAW;
  if (<u32>format > <u32>Format.MCUBOOT) reader_fail(r, Status.CONFIG_INVALID);
  config.format = <u8>format;
}

function read_key(r: Reader): void {
  reader_peek(r);
  const quote = r.pos;
  if (!reader_string(r)) return;
  config.key_length = <u8>text_hex(r, quote, config_key(), KEY_CAPACITY);
  const kind = spki_parse(SIGNATURE_BUFFER, config_key(), config.key_length);
  if (kind != SPKI_ED25519 && (ED25519_ALONE || kind != SPKI_P256)) reader_fail(r, Status.CONFIG_INVALID);
}

/** What a format needs is there, and nothing was given that would not be looked at. */
function format_fits(): bool {
  const has_chip = config.chip <= 0xffff;
  return has_chip == (config.format == Format.ESP32) && (config.key_length == 0 || config.format == Format.MCUBOOT);
}

/** Reads a string of 1 to `capacity` - 1 bytes as a counted text. */
export function text_read(r: Reader, out: usize, capacity: u32): void {
  if (!reader_string(r)) return;
  if (r.text_length == 0 || r.text_length >= capacity) return reader_fail(r, Status.METADATA_INVALID);
  store<u8>(out, r.text_length);
  memory.copy(out + 1, reader_text(r), r.text_length);
}

/** Whether the string in hand is this counted text. */
export function text_is(r: Reader, text: usize): bool {
  const length = load<u8>(text);
  return r.text_length == length && bytes_equal(reader_text(r), text + 1, length);
}
