// The names and fixed values that the core looks for in JSON, found by their place in one list.
// test/tuf/names.test.ts reads the list against its comments and the enumeration.

import { PATCHING } from "../lean";

/** Place of a name in NAMES; 0: any other text. Same order as the list below. */
export const enum Name {
  OTHER = 0,
  SIGNED,
  SIGNATURES,
  KEYID,
  SIG,
  TYPE,
  SPEC_VERSION,
  VERSION,
  EXPIRES,
  CONSISTENT_SNAPSHOT,
  KEYS,
  ROLES,
  KEYTYPE,
  SCHEME,
  KEYVAL,
  PUBLIC,
  KEYIDS,
  THRESHOLD,
  ROOT,
  TIMESTAMP,
  SNAPSHOT,
  TARGETS,
  META,
  LENGTH,
  HASHES,
  SHA256,
  SHA512,
  SNAPSHOT_JSON,
  TARGETS_JSON,
  CUSTOM,
  COMPONENT,
  HARDWARE_IDS,
  RELEASE_COUNTER,
  SECURITY_COUNTER,
  HARDWARE_ID,
  BUILD_TIME,
  CHECK_INTERVAL,
  ED25519,
  SERIAL,
  DELEGATIONS,
  NAME,
  TERMINATING,
  PATHS,
  PATH_HASH_PREFIXES,
  SUCCINCT_ROLES,
  BIT_LENGTH,
  NAME_PREFIX,
  ROLEINFO,
  ROLENAME,
  MIN_ROLES_IN_AGREEMENT,
  ECDSA,
  ECDSA_P256,
  RSA,
  RSA_PSS,
  STRICT_KEY_IDS,
  NEEDS_TIME,
  IMAGE,
  BASE,
  BASE_LENGTH,
  BASE_COUNTER,
  IMAGE_FORMAT,
  RAW,
  ESP32,
  MCUBOOT,
  CHIP_ID,
  BOOT_KEY,
  ENCRYPTION,
  MAX_POSTPONE,
  COMPONENTS,
  REQUIRES,
  CONFLICTS,
  BELOW,
  UPTANE,
  FULL,
  PARTIAL,
  ECU,
  VEHICLE,
  ECUS,
  LEGACY,
  VEHICLE_ID,
  ECU_IDENTIFIERS,
  TIME_KEYS,
  OFFLINE_SNAPSHOT,
  OFFLINE_TARGETS,
  OFFLINE_TARGETS_JSON,
}

/** The names, each with a space behind it; in bytes, because a string would take twice as many. */
const NAMES = memory.data<u8>([
  // signed signatures keyid sig
  115, 105, 103, 110, 101, 100, 32, 115, 105, 103, 110, 97, 116, 117, 114, 101, 115, 32, 107, 101, 121, 105, 100, 32, 115, 105, 103, 32,
  // _type spec_version version
  95, 116, 121, 112, 101, 32, 115, 112, 101, 99, 95, 118, 101, 114, 115, 105, 111, 110, 32, 118, 101, 114, 115, 105, 111, 110, 32,
  // expires consistent_snapshot
  101, 120, 112, 105, 114, 101, 115, 32, 99, 111, 110, 115, 105, 115, 116, 101, 110, 116, 95, 115, 110, 97, 112, 115, 104, 111, 116, 32,
  // keys roles keytype scheme
  107, 101, 121, 115, 32, 114, 111, 108, 101, 115, 32, 107, 101, 121, 116, 121, 112, 101, 32, 115, 99, 104, 101, 109, 101, 32,
  // keyval public keyids
  107, 101, 121, 118, 97, 108, 32, 112, 117, 98, 108, 105, 99, 32, 107, 101, 121, 105, 100, 115, 32,
  // threshold root timestamp
  116, 104, 114, 101, 115, 104, 111, 108, 100, 32, 114, 111, 111, 116, 32, 116, 105, 109, 101, 115, 116, 97, 109, 112, 32,
  // snapshot targets meta
  115, 110, 97, 112, 115, 104, 111, 116, 32, 116, 97, 114, 103, 101, 116, 115, 32, 109, 101, 116, 97, 32,
  // length hashes sha256 sha512
  108, 101, 110, 103, 116, 104, 32, 104, 97, 115, 104, 101, 115, 32, 115, 104, 97, 50, 53, 54, 32, 115, 104, 97, 53, 49, 50, 32,
  // snapshot.json targets.json
  115, 110, 97, 112, 115, 104, 111, 116, 46, 106, 115, 111, 110, 32, 116, 97, 114, 103, 101, 116, 115, 46, 106, 115, 111, 110, 32,
  // custom component
  99, 117, 115, 116, 111, 109, 32, 99, 111, 109, 112, 111, 110, 101, 110, 116, 32,
  // hardwareIds releaseCounter
  104, 97, 114, 100, 119, 97, 114, 101, 73, 100, 115, 32, 114, 101, 108, 101, 97, 115, 101, 67, 111, 117, 110, 116, 101, 114, 32,
  // securityCounter hardwareId
  115, 101, 99, 117, 114, 105, 116, 121, 67, 111, 117, 110, 116, 101, 114, 32, 104, 97, 114, 100, 119, 97, 114, 101, 73, 100, 32,
  // buildTime checkInterval
  98, 117, 105, 108, 100, 84, 105, 109, 101, 32, 99, 104, 101, 99, 107, 73, 110, 116, 101, 114, 118, 97, 108, 32,
  // ed25519 serial
  101, 100, 50, 53, 53, 49, 57, 32, 115, 101, 114, 105, 97, 108, 32,
]);
const NAMES_LENGTH: usize = 342;

/** Those of MORE_NAMES that a payload has, from IMAGE to ENCRYPTION; of those in between nothing is left. */
// @ts-ignore: decorator
@lazy const PATCH_NAMES = memory.data<u8>([
  // image base baseLength baseCounter
  105, 109, 97, 103, 101, 32, 98, 97, 115, 101, 32, 98, 97, 115, 101, 76, 101, 110, 103, 116, 104, 32, 98, 97, 115, 101, 67, 111, 117, 110, 116, 101, 114, 32,
  // encryption
  32, 32, 32, 32, 32, 32, 101, 110, 99, 114, 121, 112, 116, 105, 111, 110, 32,
]);
const PATCH_LENGTH: usize = 51;
if (Name.ENCRYPTION - Name.IMAGE != 10) ERROR("the names of a payload are not those of the list");

/** Those that the small core does not know, from DELEGATIONS on. */
// @ts-ignore: decorator
@lazy const MORE_NAMES = memory.data<u8>([
  // delegations name
  100, 101, 108, 101, 103, 97, 116, 105, 111, 110, 115, 32, 110, 97, 109, 101, 32,
  // terminating paths
  116, 101, 114, 109, 105, 110, 97, 116, 105, 110, 103, 32, 112, 97, 116, 104, 115, 32,
  // path_hash_prefixes
  112, 97, 116, 104, 95, 104, 97, 115, 104, 95, 112, 114, 101, 102, 105, 120, 101, 115, 32,
  // succinct_roles bit_length
  115, 117, 99, 99, 105, 110, 99, 116, 95, 114, 111, 108, 101, 115, 32, 98, 105, 116, 95, 108, 101, 110, 103, 116, 104, 32,
  // name_prefix roleinfo rolename
  110, 97, 109, 101, 95, 112, 114, 101, 102, 105, 120, 32, 114, 111, 108, 101, 105, 110, 102, 111, 32, 114, 111, 108, 101, 110, 97, 109, 101, 32,
  // min_roles_in_agreement ecdsa
  109, 105, 110, 95, 114, 111, 108, 101, 115, 95, 105, 110, 95, 97, 103, 114, 101, 101, 109, 101, 110, 116, 32, 101, 99, 100, 115, 97, 32,
  // ecdsa-sha2-nistp256 rsa
  101, 99, 100, 115, 97, 45, 115, 104, 97, 50, 45, 110, 105, 115, 116, 112, 50, 53, 54, 32, 114, 115, 97, 32,
  // rsassa-pss-sha256
  114, 115, 97, 115, 115, 97, 45, 112, 115, 115, 45, 115, 104, 97, 50, 53, 54, 32,
  // strictKeyIds needsTime
  115, 116, 114, 105, 99, 116, 75, 101, 121, 73, 100, 115, 32, 110, 101, 101, 100, 115, 84, 105, 109, 101, 32,
  // image base baseLength baseCounter
  105, 109, 97, 103, 101, 32, 98, 97, 115, 101, 32, 98, 97, 115, 101, 76, 101, 110, 103, 116, 104, 32, 98, 97, 115, 101, 67, 111, 117, 110, 116, 101, 114, 32,
  // imageFormat raw esp32
  105, 109, 97, 103, 101, 70, 111, 114, 109, 97, 116, 32, 114, 97, 119, 32, 101, 115, 112, 51, 50, 32,
  // mcuboot chipId bootKey
  109, 99, 117, 98, 111, 111, 116, 32, 99, 104, 105, 112, 73, 100, 32, 98, 111, 111, 116, 75, 101, 121, 32,
  // encryption
  101, 110, 99, 114, 121, 112, 116, 105, 111, 110, 32,
  // maxPostpone
  109, 97, 120, 80, 111, 115, 116, 112, 111, 110, 101, 32,
  // components requires conflicts below
  99, 111, 109, 112, 111, 110, 101, 110, 116, 115, 32, 114, 101, 113, 117, 105, 114, 101, 115, 32, 99, 111, 110, 102, 108, 105, 99, 116, 115, 32, 98, 101, 108, 111, 119, 32,
  // uptane full partial ecu
  117, 112, 116, 97, 110, 101, 32, 102, 117, 108, 108, 32, 112, 97, 114, 116, 105, 97, 108, 32, 101, 99, 117, 32,
  // vehicle ecus legacy
  118, 101, 104, 105, 99, 108, 101, 32, 101, 99, 117, 115, 32, 108, 101, 103, 97, 99, 121, 32,
  // vehicleId ecuIdentifiers
  118, 101, 104, 105, 99, 108, 101, 73, 100, 32, 101, 99, 117, 73, 100, 101, 110, 116, 105, 102, 105, 101, 114, 115, 32,
  // timeKeys
  116, 105, 109, 101, 75, 101, 121, 115, 32,
  // offline-snapshot offline-targets
  111, 102, 102, 108, 105, 110, 101, 45, 115, 110, 97, 112, 115, 104, 111, 116, 32, 111, 102, 102, 108, 105, 110, 101, 45, 116, 97, 114, 103, 101, 116, 115, 32,
  // offline-targets.json
  111, 102, 102, 108, 105, 110, 101, 45, 116, 97, 114, 103, 101, 116, 115, 46, 106, 115, 111, 110, 32,
]);
const MORE_LENGTH: usize = 474;

const SPACE: u32 = 0x20;

/** The name that `length` bytes at `text` are. */
export function name_find(text: usize, length: u32): Name {
  const name = find(NAMES, NAMES_LENGTH, 1, text, length);
  if (isDefined(SMALL) && PATCHING) return name != Name.OTHER ? name : find(PATCH_NAMES, PATCH_LENGTH, Name.IMAGE, text, length);
  return isDefined(SMALL) || name != Name.OTHER ? name : find(MORE_NAMES, MORE_LENGTH, Name.DELEGATIONS, text, length);
}

function find(at: usize, size: usize, name: Name, text: usize, length: u32): Name {
  const end = at + size;
  for (; at < end; name++) {
    let i: u32 = 0;
    while (i < length && load<u8>(at) == load<u8>(text + i) && load<u8>(at) != SPACE) {
      at++;
      i++;
    }
    if (i == length && load<u8>(at) == SPACE) return name;
    while (load<u8>(at++) != SPACE) {}
  }
  return Name.OTHER;
}

/** Writes a known name; returns its end. */
export function name_put(name: Name, out: usize): usize {
  const more = !isDefined(SMALL) && name >= Name.DELEGATIONS;
  let at = more ? MORE_NAMES : NAMES;
  for (let i: i32 = more ? Name.DELEGATIONS : 1; i < name; at++) i += i32(load<u8>(at) == SPACE);
  for (; load<u8>(at) != SPACE; at++) store<u8>(out++, load<u8>(at));
  return out;
}
