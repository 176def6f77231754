// The components of a device (docs/formats.md, "Components"): the main one, 0, in the areas 3 and 4, and those that the
// configuration adds, k in the areas 8 + 2k and 9 + 2k. The small core has the main one alone.

import { Name } from "../json/names";
import {
  Reader,
  reader_array,
  reader_element,
  reader_fail,
  reader_find,
  reader_integer,
  reader_member,
  reader_name,
  reader_object,
  reader_open,
  reader_skip,
} from "../json/reader";
import { bytes_equal } from "../bytes";
import { COMPONENTS, COMPONENTS_ROOM, DEVICE, DEVICE_ROOM, READER } from "../memory";
import { is_uptane } from "../metadata/profile";
import { Status } from "../status";
import { config_component, config_hardware, config_read, config_selects, text_read } from "./config";

/** Components of one device, the main one included: as many as the boot decision has bits. */
export const MAX_COMPONENTS: i32 = 8;

/** What a device has of one component, or will have: as in the record of the device. */
@unmanaged
export class Part {
  security: u32;
  release: u32;
  // 32 bytes of version text (length first), 32 of digest follow.
}

const VERSION_AT: usize = 8;
const DIGEST_AT: usize = 40;
export const PART_SIZE: i32 = 72;
/** All of it but the digest. */
export const PART_CONFIRMED: usize = DIGEST_AT;
/** Behind the time: a Part for each component, then one for each but the main one. */
const PARTS: usize = DEVICE + 4;
if (4 + (isDefined(SMALL) ? 1 : 2 * MAX_COMPONENTS - 1) * PART_SIZE > DEVICE_ROOM) ERROR("the Parts do not fit their region");

/** 32 bytes of name and 64 of hardware id of each but the main one, both length first. */
const NAMES_SIZE: i32 = 96;
const NAME_SIZE: i32 = 32;
if ((MAX_COMPONENTS - 1) * NAMES_SIZE > COMPONENTS_ROOM) ERROR("the names of components do not fit their region");

let count: i32 = 1;

/** How many components there are, the main one included. */
// @ts-ignore: decorator
@inline
export function components(): i32 {
  return isDefined(SMALL) ? 1 : count;
}

/** A bit for each component. */
// @ts-ignore: decorator
@inline
export function component_bits(): i32 {
  return isDefined(SMALL) ? 1 : (1 << count) - 1;
}

/** The confirmed image of a component; its digest is that of an image that failed its trial. */
export function part_at(component: i32): Part {
  return changetype<Part>(PARTS + <usize>component * PART_SIZE);
}

/** The image of a component other than the main one that lies verified in its slot; `release` 0: there is none. */
export function staged_at(component: i32): Part {
  return part_at(count - 1 + component);
}

export function part_version(part: Part): usize {
  return changetype<usize>(part) + VERSION_AT;
}

export function part_digest(part: Part): usize {
  return changetype<usize>(part) + DIGEST_AT;
}

/** Bytes of the record of the device. */
// @ts-ignore: decorator
@inline
export function parts_size(): u32 {
  return 4 + (2 * components() - 1) * PART_SIZE;
}

function names_at(component: i32): usize {
  return COMPONENTS + <usize>(component - 1) * NAMES_SIZE;
}

/** Its name, length first. */
export function component_name(component: i32): usize {
  return isDefined(SMALL) || component == 0 ? config_component() : names_at(component);
}

/** The hardware id that its releases are for, length first: its own, or that of the device. */
export function component_hardware(component: i32): usize {
  if (isDefined(SMALL) || component == 0) return config_hardware();
  const own = names_at(component) + NAME_SIZE;
  return load<u8>(own) != 0 ? own : config_hardware();
}

/** Reads and checks a configuration that lies on flash, and what it says of components. */
export function components_read(area: i32, offset: u32, length: u32): Status {
  const status = config_read(area, offset, length);
  if (isDefined(SMALL) || status != Status.OK) return status;
  const r = changetype<Reader>(READER);
  count = 1;
  memory.fill(COMPONENTS, 0, COMPONENTS_ROOM);
  memory.fill(DEVICE, 0, DEVICE_ROOM);
  reader_open(r, area, offset, length);
  if (reader_find(r, Name.COMPONENTS)) read_list(r);
  return r.status == Status.OK || r.status == Status.FLASH_READ ? r.status : Status.CONFIG_INVALID;
}

function read_list(r: Reader): void {
  reader_array(r);
  while (reader_element(r)) {
    if (count == MAX_COMPONENTS || !config_selects() || is_uptane()) return reader_fail(r, Status.CONFIG_INVALID);
    const seen = read_component(r, part_at(count));
    if (seen != Seen.ALL || component_find(component_name(count) + 1, load<u8>(component_name(count))) >= 0) return reader_fail(r, Status.CONFIG_INVALID);
    count++;
  }
}

const enum Seen {
  COMPONENT = 1,
  VERSION = 2,
  RELEASE = 4,
  SECURITY = 8,
  ALL = 15,
}

function read_component(r: Reader, part: Part): i32 {
  let seen = 0;
  reader_object(r);
  while (reader_member(r)) {
    switch (reader_name(r)) {
      case Name.COMPONENT:
        text_read(r, names_at(count), NAME_SIZE);
        seen |= Seen.COMPONENT;
        break;
      case Name.HARDWARE_ID:
        text_read(r, names_at(count) + NAME_SIZE, NAMES_SIZE - NAME_SIZE);
        break;
      case Name.VERSION:
        text_read(r, part_version(part), 32);
        seen |= Seen.VERSION;
        break;
      case Name.RELEASE_COUNTER:
        part.release = reader_integer(r, Status.CONFIG_INVALID);
        seen |= Seen.RELEASE;
        break;
      case Name.SECURITY_COUNTER:
        part.security = reader_integer(r, Status.CONFIG_INVALID);
        seen |= Seen.SECURITY;
        break;
      default:
        reader_skip(r);
    }
  }
  return max(part.release, part.security) <= <u32>i32.MAX_VALUE ? seen : 0;
}

/** The component of this name, or -1: the device has none of it. */
export function component_find(name: usize, length: u32): i32 {
  for (let i = 0; i < count; i++) {
    const own = component_name(i);
    if (load<u8>(own) == length && bytes_equal(name, own + 1, length)) return i;
  }
  return -1;
}
