// The memory map: every region of the linear memory that is not a constant table, with its size in bytes,
// its owner and how long its contents live. `memory.data` without values costs no bytes in the module.
// A structure that outgrows its region does not compile: where it is declared its size is compared with a ROOM here.
// The regions of crypto are in crypto/memory.ts, so that crypto can be used alone; those that are named most often in
// near.ts. The order of what is imported here is the order in memory: near.ts, crypto, and then what follows.

export * from "./near";
import { CHUNK_CONTEXT } from "./crypto/chunk";
import { ED25519_CONTEXT } from "./crypto/ed25519";
import { SHA256_CONTEXT } from "./crypto/sha256";
import { SHA512_CONTEXT } from "./crypto/sha512";
import { FILE_HASH, HASH_ROOM, KEY_SET, KEY_SET_ROOM, READER_ROOM, STORE_WRITER } from "./near";

// ---- the ABI ----

/** Bytes in and out of the host. Between two calls it belongs to the host. */
export const IO_CAPACITY: u32 = 1024;
export const IO_BUFFER: usize = memory.data(1024, 8);

/** agent: the name of the file that is to be fetched. Until the next action. */
export const NAME_CAPACITY: u32 = 392;
export const NAME_BUFFER: usize = memory.data(392, 8);

// ---- storage ----

/** record: what is live, up to 51 Entries of 28; the small core has no delegated roles. As long as the module. */
export const ENTRIES_ROOM: i32 = isDefined(SMALL) ? 256 : 1432;
export const ENTRIES: usize = memory.data(ENTRIES_ROOM, 8);

/** components: names and hardware ids of those beside the main one. As long as the module. */
export const COMPONENTS_ROOM: i32 = 672;
// @ts-ignore: decorator
@lazy export const COMPONENTS: usize = memory.data(COMPONENTS_ROOM, 8);

// ---- json ----

/** text: Readers over two strings. Within one comparison. */
export const TEXT_READER: usize = memory.data(READER_ROOM, 8);
export const OTHER_TEXT_READER: usize = memory.data(READER_ROOM, 8);
/** canonical: the objects and arrays around the current value, 16 bytes a level. Within one pass. */
export const LEVELS_ROOM: i32 = 528;
export const LEVELS: usize = memory.data(LEVELS_ROOM, 8);
/** canonical: two names, each a Held. Within one search. */
export const HELD_ROOM: i32 = 136;
export const LAST_NAME: usize = memory.data(HELD_ROOM, 8);
export const BEST_NAME: usize = memory.data(HELD_ROOM, 8);
/** canonical: bytes on their way to the hashes. Within one pass. */
export const CANONICAL_SIZE: u32 = 128;
export const CANONICAL_BUFFER: usize = memory.data(128, 8);

// ---- metadata and tuf ----

/** threshold: hashes of the key ids that signed, 64 of 8. While one envelope is read. */
export const SIGNER_IDS: usize = memory.data(512, 8);
/**
 * key: the text of a public key, then the key itself. Within one call, when the buffer is not the host's: keys are
 * loaded one after the other, and 4,096 bits of RSA in PEM take 800 bytes.
 */
export const KEY_BUFFER: usize = IO_BUFFER;
export const KEY_CAPACITY: u32 = IO_CAPACITY;
/**
 * threshold: contexts of signatures that are verified in one pass; then one signature of up to 512 bytes. search: between
 * that, what several roles say of one path, 33 digests of 32.
 */
export const SIGNATURES_AT_ONCE: i32 = 3;
export const SIGNATURE_CONTEXTS_ROOM: i32 = isDefined(SMALL) ? 3 * ED25519_CONTEXT : 1056;
export const SIGNATURE_CONTEXTS: usize = memory.data(SIGNATURE_CONTEXTS_ROOM, 8);
if (SIGNATURES_AT_ONCE * ED25519_CONTEXT > SIGNATURE_CONTEXTS_ROOM) ERROR("the contexts do not fit their region");
if (<i32>SHA512_CONTEXT > HASH_ROOM) ERROR("a hash does not fit its region");
/** payload: the hash of what comes once more. During one answer, when no metadata is verified. */
export const PASSED_HASH: usize = FILE_HASH;
/** key: a threshold and the starts of up to 32 keys. While one role of two roots is compared. */
export const NOTED_KEYS: usize = memory.data(264, 8);
/** search: 33 Visits of 12. While delegated roles are searched. */
export const VISITS_ROOM: i32 = 396;
// @ts-ignore: decorator
@lazy export const VISITS: usize = memory.data(VISITS_ROOM, 8);
/** search: the path that is searched for, or how it begins, and some spare bytes. During one search. */
export const PATH_CAPACITY: u32 = 128;
export const PATH_BUFFER: usize = memory.data(136, 8);
/** search: the name of the newest delegated role and ".json". During one search. */
export const ROLE_NAME: usize = memory.data(128, 8);
/** hardware: the ECUs that this one knows. As long as the module. */
export const ECUS_ROOM: i32 = 272;
// @ts-ignore: decorator
@lazy export const ECUS: usize = memory.data(ECUS_ROOM, 8);
/** set: the release counters that a device would have, and its Rules. During one check. */
export const HAVE_ROOM: i32 = 32;
// @ts-ignore: decorator
@lazy export const HAVE: usize = memory.data(HAVE_ROOM, 8);
export const RULES_ROOM: i32 = 384;
// @ts-ignore: decorator
@lazy export const RULES: usize = memory.data(RULES_ROOM, 8);

/** time: what verifies a signature, then what is kept from a request to its answer. When no metadata is verified. */
export const TIME_CONTEXT: usize = KEY_SET;
export const MOST_TIME_KEYS: u32 = 4;
export const TIME_KEYS: usize = TIME_CONTEXT + ED25519_CONTEXT;
export const TIME_NONCE: usize = TIME_KEYS + 32 * MOST_TIME_KEYS;
export const TIME_LEAF: usize = TIME_NONCE + 32;
if (TIME_LEAF + 32 - KEY_SET > <usize>KEY_SET_ROOM) ERROR("what is kept of a request does not fit its region");

// ---- install ----

// No signature is verified while an image arrives: what unpacks it takes those bytes.
/** payload: 40 bytes of its own, the hash of the patch, the Delta. During one download; the journal keeps all of it. */
export const PAYLOAD_ROOM: u32 = 464;
export const PAYLOAD: usize = KEY_SET;
export const PATCH_HASH: usize = PAYLOAD + 40;
/** delta: the Delta and its window. */
export const DELTA_ROOM: i32 = 320;
export const DELTA: usize = PATCH_HASH + SHA256_CONTEXT;
if (PAYLOAD_ROOM != 40 + SHA256_CONTEXT + DELTA_ROOM) ERROR("a payload does not fit its region");
/** encryption: what the journal keeps besides of a payload that is encrypted. During one download. */
export const SEALED_ROOM: u32 = 112;
export const SEALED: usize = PAYLOAD + PAYLOAD_ROOM;
export const ENCRYPTED_ROOM: u32 = PAYLOAD_ROOM + SEALED_ROOM;
/** encryption: the hash of all that has arrived, where PATCH_HASH is that of what came before the chunk in hand. */
export const SEALED_HASH: usize = SEALED + SEALED_ROOM;
/** encryption: the key of the chunks. While one payload is fetched. */
export const CONTENT_KEY: usize = SEALED_HASH + SHA256_CONTEXT;
/** encryption: what opens a chunk, and its nonce. Within one call. */
export const CHUNK_OPENING: usize = CONTENT_KEY + 32;
export const CHUNK_NONCE: usize = CHUNK_OPENING + CHUNK_CONTEXT;
if (CHUNK_NONCE + 12 - PAYLOAD > <usize>KEY_SET_ROOM) ERROR("what opens a payload does not fit its region");
/**
 * key: somebody's public key, then the record of this device's: public key, secret, public key of reports. Within one
 * call, or while it is provisioned.
 */
export const DEVICE_KEY: usize = CHUNK_OPENING;
/** signer: what is signed, 304 bytes. From the first byte that is read to the signature, when nothing is verified. */
export const SIGNING: usize = KEY_SET;
/** encryption: the chunk that is arriving, 1,040 bytes, and what opening it takes behind it. During one download. */
export const CHUNK: usize = SIGNATURE_CONTEXTS;
/** payload: what was unpacked, COPY_SIZE bytes. Within one call. */
export const UNPACKED: usize = SIGNER_IDS;
/** journal: the Writer of an entry with a payload. Within one call, when no record is open. */
export const JOURNAL_WRITER: usize = STORE_WRITER;
