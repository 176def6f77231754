// What one check would change of a device: for each component the newest release, all of them one set. It is installed
// as a whole or not at all; its releases say in `requires` and `conflicts` what they go together with (docs/formats.md).

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
  reader_peek,
  reader_seek,
  reader_skip,
  reader_string,
  reader_text,
} from "../json/reader";
import { bytes_equal } from "../bytes";
import { key_exists } from "../install/key";
import { HAVE, HAVE_ROOM, RULES, RULES_ROOM } from "../memory";
import { is_uptane } from "../metadata/profile";
import { Status } from "../status";
import { trusted_open_place, trusted_reader } from "../tuf/trusted";
import { components, component_find, MAX_COMPONENTS, part_at, part_digest, staged_at } from "./components";
import { device_failed } from "./device";
import { best, best_digest, elsewhere } from "./selection";

/** What a device may not have: a release of the component from one counter up to, and without, another. */
@unmanaged
class Rule {
  component: i32;
  from: u32;
  below: u32;
}

const RULE_SIZE: i32 = 12;
/** Rules of one set: against endless work, and more than releases of eight components can need. */
const MAX_RULES: i32 = 32;
if (MAX_RULES * RULE_SIZE > RULES_ROOM || 4 * MAX_COMPONENTS > HAVE_ROOM) ERROR("a set does not fit its regions");

let rules: i32 = 0;
/** Components with a newer release; those of them whose image lies verified in its slot already. */
let chosen: i32 = 0;
let staged: i32 = 0;
/** One of them has not failed its trial here yet. */
let untried: bool = false;
/** There is something newer for other hardware. */
let foreign: bool = false;

export function set_begin(): void {
  rules = 0;
  chosen = 0;
  staged = 0;
  untried = false;
  foreign = false;
}

/** The release counter that the device would have of a component. */
function have(component: i32): usize {
  return HAVE + (<usize>component << 2);
}

/** Takes in the best release that was found for a component. */
export function set_add(component: i32): Status {
  const part = part_at(component);
  if (elsewhere.release > part.release) foreign = true;
  store<u32>(have(component), max(part.release, best.release));
  // Uptane 5.4.4.3, 10.4: what a Director orders is not what is newest, and it must not be older.
  if (best.release <= part.release) return is_uptane() && best.release - 1 < part.release - 1 ? Status.COUNTER_ROLLBACK : Status.OK;
  if (!best.has_sha256 && !best.has_sha512) return Status.HASH_UNKNOWN;
  // Against a downgrade to a release with known holes, signed as it may be.
  if (best.security < part.security) return Status.COUNTER_ROLLBACK;
  if (best.encrypted && !key_exists()) return Status.KEY_MISSING;
  const bit = 1 << component;
  chosen |= bit;
  if (!device_failed(component, best_digest())) untried = true;
  if (component != 0 && staged_at(component).release == best.release && bytes_equal(part_digest(staged_at(component)), best_digest(), 32)) staged |= bit;
  return read_rules();
}

/** Nothing is newer than what the device has. */
export function set_is_empty(): bool {
  return chosen == 0;
}

export function set_is_foreign(): bool {
  return foreign;
}

/** What tells it from other sets; of the main component alone: its release counter. */
export function set_mark(): u32 {
  let mark: u32 = 0;
  for (let i = components() - 1; i >= 0; i--) {
    mark *= 0x9e3779b1; // 2^32 by the golden ratio: odd, so nothing is lost
    if ((chosen >> i) & 1) mark += load<u32>(have(i));
  }
  return mark;
}

/** Each of its releases has failed its trial here. One that is tried again with others is another set. */
export function set_failed(): bool {
  return !untried;
}

/** Whether what the device would have goes together, against mix-and-match and bundles of which a part is held back. */
export function set_holds(): bool {
  for (let i = 0; i < rules; i++) {
    const rule = rule_at(i);
    const release = load<u32>(have(rule.component));
    if (release >= rule.from && release < rule.below) return false;
  }
  return true;
}

/** The component to install next, the main one last; what the others have is in their slots when it is the last. */
export function set_next(): i32 {
  const left = chosen & ~staged;
  // When nothing is left, one is read back again, so that an install is under way that selects them all.
  return 31 - clz(left != 0 ? left : chosen & -chosen);
}

/** The image of a component lies verified in its slot. The components other than it that are now left. */
export function set_stage(component: i32): i32 {
  staged |= 1 << component;
  return chosen & ~staged;
}

/** All but one component of the set. */
export function set_others(component: i32): i32 {
  return chosen & ~(1 << component);
}

/** Whether the best release is the one that the set was judged with. */
export function set_has_best(component: i32): bool {
  return load<u32>(have(component)) == best.release;
}

// ---- requires and conflicts ----

function rule_at(index: i32): Rule {
  return changetype<Rule>(RULES + <usize>index * RULE_SIZE);
}

function add_rule(r: Reader, component: i32, from: u32, below: u32): void {
  if (rules == MAX_RULES) return reader_fail(r, Status.METADATA_INVALID);
  const rule = rule_at(rules++);
  rule.component = component;
  rule.from = from;
  rule.below = below;
}

/** Reads what the best release requires and conflicts with. What cannot be read is no release to install. */
function read_rules(): Status {
  const status = trusted_open_place(best.place);
  if (status != Status.OK) return status;
  const r = trusted_reader;
  reader_seek(r, best.path);
  reader_string(r);
  reader_peek(r);
  r.pos++; // the colon
  if (reader_find(r, Name.CUSTOM)) read_custom(r);
  return r.status;
}

function read_custom(r: Reader): void {
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    if (name != Name.REQUIRES && name != Name.CONFLICTS) reader_skip(r);
    else {
      reader_array(r);
      while (reader_element(r)) read_rule(r, name == Name.REQUIRES);
    }
  }
}

const NO_LIMIT: u32 = 0xffffffff;
const UNNAMED: i32 = -2;

function read_rule(r: Reader, requires: bool): void {
  let component = UNNAMED;
  let from = NO_LIMIT;
  let below = NO_LIMIT;
  reader_object(r);
  while (reader_member(r)) {
    const name = reader_name(r);
    if (name == Name.COMPONENT) component = reader_string(r) ? component_find(reader_text(r), r.text_length) : UNNAMED;
    else if (name == Name.RELEASE_COUNTER) from = reader_integer(r, Status.METADATA_INVALID);
    else if (name == Name.BELOW) below = reader_integer(r, Status.METADATA_INVALID);
    else reader_skip(r);
  }
  if (component == UNNAMED || from > <u32>i32.MAX_VALUE) return reader_fail(r, Status.METADATA_INVALID);
  if (!requires) {
    if (component >= 0) add_rule(r, component, from, below);
  } else if (component < 0) add_rule(r, 0, 0, NO_LIMIT); // the device has no such component
  else {
    add_rule(r, component, 0, from);
    if (below != NO_LIMIT) add_rule(r, component, below, NO_LIMIT);
  }
}
