// The regions that are named most often. They are laid out before all others, below 8,192, where an address takes two
// bytes in the module and not three; the first ones below 64, where it takes one. What is long and seldom named is in
// memory.ts, which is the memory map and has the rules.

// ---- storage ----

/** policy: the Policy, as in its record. As long as the module. */
export const POLICY_ROOM: i32 = 32;
export const POLICY: usize = memory.data(POLICY_ROOM, 8);

// ---- json ----

/** reader: the Readers, each with its window and its text. `TRUSTED_READER` while two files are compared. */
export const READER_ROOM: i32 = 320;
export const TRUSTED_READER: usize = memory.data(READER_ROOM, 8);

// ---- storage ----

/** journal: the Install that is under way. As long as the module. */
export const INSTALL_ROOM: i32 = 128;
export const INSTALL: usize = memory.data(INSTALL_ROOM, 8);
/** flash: one padded write, or one piece of a copy. Within one call. */
export const COPY_SIZE: u32 = 160;
export const COPY_BUFFER: usize = memory.data(160, 8);
/** record: the header of a bank. Within one call. */
export const BANK_HEADER: usize = memory.data(16, 8);
/** record: one commit. Within one call. */
export const COMMIT_BUFFER: usize = memory.data(32, 8);
/** record: an unfinished write unit on its way to the other bank. Within one call. */
export const HELD_BUFFER: usize = memory.data(32, 8);
/** record: the Writer of the open record. */
export const WRITER_ROOM: i32 = 48;
export const STORE_WRITER: usize = memory.data(WRITER_ROOM, 8);
/** journal: one entry on its way. Within one call. */
export const JOURNAL_BUFFER_ROOM: i32 = 144;
export const JOURNAL_BUFFER: usize = memory.data(JOURNAL_BUFFER_ROOM, 8);
/** log: the last tag, 12 bytes, and behind it the entry in hand. As long as the module. */
const LOG: usize = memory.data(48, 8);
export const LOG_TAG: usize = LOG + 4;
export const LOG_ENTRY: usize = LOG + 16;
export const LOG_ENTRY_ROOM: u32 = 32;
/** device: the Device, as in its record; components: its Parts. As long as the module. */
export const DEVICE_ROOM: i32 = isDefined(SMALL) ? 160 : 1088;
export const DEVICE: usize = memory.data(DEVICE_ROOM, 8);
/** device: the Config, read at the start. As long as the module. */
export const CONFIG_ROOM: i32 = isDefined(SMALL) ? 152 : 248;
export const CONFIG: usize = memory.data(CONFIG_ROOM, 8);

// ---- json ----

/** reader: the other one. */
export const READER: usize = memory.data(READER_ROOM, 8);

// ---- metadata and tuf ----

/** threshold: the keys of one role, a KeySet. While one file is verified. */
export const KEY_SET_ROOM: i32 = 1040;
export const KEY_SET: usize = memory.data(KEY_SET_ROOM, 8);
/** threshold: one decoded Ed25519 signature; key: one decoded key id. Within one call. */
export const SIGNATURE_BUFFER: usize = memory.data(64, 8);
/** metadata: the Envelope of the file that is verified. */
export const ENVELOPE: usize = memory.data(24, 8);
/** metadata: the Signed of the file that is verified. */
export const SIGNED_ROOM: i32 = 40;
export const SIGNED: usize = memory.data(SIGNED_ROOM, 8);
/** metadata: the Envelope and the Signed of the trusted file that it is verified by or compared with. */
export const TRUSTED_ENVELOPE: usize = memory.data(24, 8);
export const TRUSTED_SIGNED: usize = memory.data(SIGNED_ROOM, 8);
/** metadata: the FileInfo of the file that is fetched, and another to compare with. */
export const FILE_INFO_ROOM: i32 = 112;
export const FILE_INFO: usize = memory.data(FILE_INFO_ROOM, 8);
export const OTHER_FILE_INFO: usize = memory.data(FILE_INFO_ROOM, 8);
/** metadata: hashing a file, a context of SHA-512 at most. Within one call. */
export const HASH_ROOM: i32 = 200;
export const FILE_HASH: usize = memory.data(HASH_ROOM, 8);
export const DIGEST: usize = memory.data(64, 8);
/** delegation: the Delegation in hand. Within one call. */
export const DELEGATION_ROOM: i32 = 48;
export const DELEGATION: usize = memory.data(DELEGATION_ROOM, 8);
/** selection: the Release in hand, the best one of its role, and the best one so far. During one check. */
export const RELEASE_ROOM: i32 = 160;
export const RELEASE: usize = memory.data(RELEASE_ROOM, 8);
export const HIGHEST_RELEASE: usize = memory.data(RELEASE_ROOM, 8);
export const BEST_RELEASE: usize = memory.data(RELEASE_ROOM, 8);
/** selection: where the newest release for another hardware has its name. Until the next check. */
export const OTHER_HARDWARE: usize = memory.data(32, 8);

// ---- install ----

/** slots: the Writer into the slot. During one download. */
export const SLOT_WRITER: usize = memory.data(WRITER_ROOM, 8);
/** slots: hash of the image as it arrives, then as it lies on flash. During one install. */
export const IMAGE_HASH: usize = memory.data(HASH_ROOM, 8);
