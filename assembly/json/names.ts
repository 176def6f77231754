// The names and fixed values that the core looks for in JSON, found by their place in one list.

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
}

const NAMES =
  "signed signatures keyid sig _type spec_version version expires consistent_snapshot keys roles keytype scheme keyval public keyids threshold root timestamp snapshot targets meta length hashes sha256 sha512 snapshot.json targets.json custom component hardwareIds releaseCounter securityCounter hardwareId buildTime checkInterval ed25519 ";

const SPACE: u32 = 0x20;

/** The name that `length` bytes at `text` are. */
export function name_find(text: usize, length: u32): Name {
  const end = changetype<usize>(NAMES) + (<usize>NAMES.length << 1);
  let name = 1;
  for (let at = changetype<usize>(NAMES); at < end; name++) {
    let i: u32 = 0;
    while (i < length && load<u16>(at) == load<u8>(text + i) && load<u16>(at) != SPACE) {
      at += 2;
      i++;
    }
    if (i == length && load<u16>(at) == SPACE) return name;
    while (load<u16>(at) != SPACE) at += 2;
    at += 2;
  }
  return Name.OTHER;
}

/** Writes a known name; returns its end. */
export function name_put(name: Name, out: usize): usize {
  let at = changetype<usize>(NAMES);
  for (let i = 1; i < name; at += 2) i += i32(load<u16>(at) == SPACE);
  for (; load<u16>(at) != SPACE; at += 2) store<u8>(out++, load<u16>(at));
  return out;
}
