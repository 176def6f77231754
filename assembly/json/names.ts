// The names and fixed values that the core looks for in JSON, known by their hashes (FNV-1a over UTF-8, 32 bits), which
// take half the bytes. Another text with the hash of a name is taken for the name: who can write it could write that.
// test/tuf/lists.test.ts reads the lists against their comments and the enumeration.

/** Place of a name in the lists, from 1 on; 0: any other text. */
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
  DELEGATIONS,
  NAME,
  TERMINATING,
  PATHS,
  PATH_HASH_PREFIXES,
  SUCCINCT_ROLES,
  BIT_LENGTH,
  NAME_PREFIX,
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
}

const NAMES = memory.data<u32>([
  // signed signatures keyid sig
  0xb5712015, 0xb8d67a3a, 0x3c4b3361, 0xd7301c22,
  // _type spec_version version
  0x4034580e, 0x9b31480d, 0x4671ae97,
  // expires consistent_snapshot
  0x3e8ec783, 0x62482996,
  // keys roles keytype scheme
  0xf94a08cd, 0x98bc5cde, 0xc68d40a4, 0x567d0982,
  // keyval public keyids
  0x05bce4e3, 0xcc909380, 0xfc616556,
  // threshold root timestamp
  0x4939f3f8, 0x20fd0e45, 0xb283d523,
  // snapshot targets meta
  0x2aa38b8d, 0x88f674e1, 0x81fe4f58,
  // length hashes sha256 sha512
  0x83d03615, 0x647199fd, 0x9cd435fa, 0xa093ee6b,
  // snapshot.json targets.json
  0xefd3d467, 0x409fbb8b,
  // custom component
  0x2057306e, 0x5efd6ee0,
  // hardwareIds releaseCounter
  0x2ffdde3d, 0xf09e6b8e,
  // securityCounter hardwareId
  0x0320fd7d, 0x8be9c29c,
  // buildTime checkInterval
  0x8c30b81a, 0x71e2fe16,
  // ed25519
  0x0ea35eb6,
]);
const COUNT: usize = 37;

/** Those that the small core does not know, from DELEGATIONS on. */
// @ts-ignore: decorator
@lazy const MORE_NAMES = memory.data<u32>([
  // delegations name
  0xe6a03da4, 0x8d39bde6,
  // terminating paths
  0xdba38c97, 0xe5fea39f,
  // path_hash_prefixes
  0xafb3ffbc,
  // succinct_roles bit_length
  0x473cb181, 0xc5512c9d,
  // name_prefix ecdsa
  0xc5a0744f, 0xe27378a7,
  // ecdsa-sha2-nistp256 rsa
  0x7ffbbe32, 0x41dc7d89,
  // rsassa-pss-sha256
  0x96dfb0e7,
  // strictKeyIds needsTime
  0xd372f217, 0xe8fc95db,
  // image base baseLength baseCounter
  0xb35135fa, 0x3ddc94d8, 0x5cc7de04, 0x803b9c0c,
  // imageFormat raw esp32
  0x9ce362b9, 0x43ff12f1, 0xd69c603e,
  // mcuboot chipId bootKey
  0xfceef89c, 0xc112a862, 0x65dd269c,
  // encryption
  0x06fbc41c,
  // maxPostpone
  0xca52e89b,
  // components requires conflicts below
  0x1bf51169, 0x9b8caa55, 0xedbe2ef4, 0x9253c0f2,
  // uptane full partial ecu
  0x7381cdca, 0xff79b33c, 0xc54d769a, 0x7772b3a4,
  // vehicle ecus legacy
  0x71cd882f, 0xe0911b75, 0xbccda55e,
  // vehicleId ecuIdentifiers
  0x391a2b42, 0x2e68072c,
  // timeKeys
  0x7f2cf270,
]);
const MORE_COUNT: usize = 40;
if (Name.DELEGATIONS != <i32>COUNT + 1) ERROR("the lists do not join");

/** The name that `length` bytes at `text` are. */
export function name_find(text: usize, length: u32): Name {
  let hash: u32 = 0x811c9dc5;
  for (const end = text + length; text < end; text++) hash = (hash ^ load<u8>(text)) * 0x01000193;
  const name = find(hash, NAMES, COUNT);
  if (isDefined(SMALL) || name != 0) return name;
  const more = find(hash, MORE_NAMES, MORE_COUNT);
  return more != 0 ? more + <i32>COUNT : Name.OTHER;
}

/** The place of a hash in a list, from 1 on; 0: it is not there. */
function find(hash: u32, list: usize, count: usize): i32 {
  while (count != 0 && load<u32>(list + (count << 2) - 4) != hash) count--;
  return <i32>count;
}

/** root timestamp snapshot targets */
const ROLES = memory.data<u8>([
  114, 111, 111, 116, 32, 116, 105, 109, 101, 115, 116, 97, 109, 112, 32, 115, 110, 97, 112, 115, 104, 111, 116, 32, 116, 97, 114, 103, 101, 116, 115, 32,
]);
const SPACE: u32 = 0x20;

/** Writes the name of one of the four roles; returns its end. */
export function name_put(role: i32, out: usize): usize {
  let at = ROLES;
  for (; role != 0; at++) role -= i32(load<u8>(at) == SPACE);
  for (; load<u8>(at) != SPACE; at++) store<u8>(out++, load<u8>(at));
  return out;
}
