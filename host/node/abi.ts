// Generated from the core by scripts/abi.ts. Do not edit.

export const ABI_VERSION = 4;

export const Action = {
  /** nothing to do before `agent_until()` */
  WAIT: 0,
  /** fetch what the fetch_ exports describe */
  FETCH: 1,
  /** a new image runs on trial: test it, then image_confirm or image_reject */
  SELF_TEST: 2,
  /** boot again: another slot is selected */
  REBOOT: 3,
  /** more work is left: call agent_step again (and feed the watchdog first) */
  CONTINUE: 4,
  /** an image is ready and the device would boot again: update_approve now, or update_postpone */
  ASK: 5,
  /** a check begins: send what is installed, report_write, and on a Primary the manifest; then report_end */
  REPORT: 6,
  /** send the datagram in the buffer, all of it, to a time server; then call time_answer, or this again for another request */
  TIME: 7,
} as const;
export type Action = (typeof Action)[keyof typeof Action];

export const Area = {
  /** one bank of the trust store */
  STORE_A: 0,
  /** the other bank of the trust store */
  STORE_B: 1,
  /** progress of the current install */
  JOURNAL: 2,
  /** image slot 0 */
  SLOT_A: 3,
  /** image slot 1 */
  SLOT_B: 4,
  /** the log; a board may have none */
  LOG: 6,
} as const;
export type Area = (typeof Area)[keyof typeof Area];

export const FetchKind = {
  /** below the metadata URL */
  METADATA: 0,
  /** below the targets URL */
  TARGET: 1,
  /** below the metadata URL of the Director */
  DIRECTOR: 2,
} as const;
export type FetchKind = (typeof FetchKind)[keyof typeof FetchKind];

export const LogEvent = {
  /** begins an erase block, and says nothing else */
  ANCHOR: 0,
  /** how a check or a start ended; the detail says how often in a row */
  OUTCOME: 1,
  /** the device got its configuration and its root of trust */
  PROVISIONED: 2,
  /** an install has begun; the detail of this and the next four is a release counter */
  INSTALL: 3,
  /** the image on flash is what was signed */
  VERIFIED: 4,
  /** its slot is selected for the next boot */
  SELECTED: 5,
  /** it runs on trial */
  TRIAL: 6,
  /** it is confirmed */
  CONFIRMED: 7,
  /** it is given up, and the image before it comes back */
  REVERTED: 8,
  /** the user approved of a release; the detail is its counter; where it is not of the main component alone, a number that tells the set from others */
  APPROVED: 9,
  /** the user postponed the update; the detail is until when */
  POSTPONED: 10,
  /** the user changed the policy, which is the detail */
  POLICY: 11,
  /** a time server answers again, or none does, or none as it must; the detail is the time that it says has passed */
  TIME: 12,
  /** a report was sent, after one that was not, or could not be sent, after one that was; the detail is its counter */
  REPORT: 13,
} as const;
export type LogEvent = (typeof LogEvent)[keyof typeof LogEvent];

export const Mode = {
  /** updates are installed as they come */
  AUTOMATIC: 0,
  /** updates are announced, and installed when the user approves */
  NOTIFY: 1,
  /** no updates are wanted */
  OFF: 2,
} as const;
export type Mode = (typeof Mode)[keyof typeof Mode];

export const Part = {
  /** the device configuration */
  CONFIG: 0,
  /** the first root of trust */
  ROOT: 1,
  /** 32 bytes of secret, for the key that payloads are encrypted for and the one that reports are signed with; or none: the core makes them */
  KEY: 2,
  /** the trusted root of the Director, in mode "full", before the last part: that of the Image repository */
  DIRECTOR: 3,
} as const;
export type Part = (typeof Part)[keyof typeof Part];

export const Role = {
  /** signs the keys of all roles */
  ROOT: 0,
  /** says what is newest */
  TIMESTAMP: 1,
  /** says which versions belong together */
  SNAPSHOT: 2,
  /** says what may be installed */
  TARGETS: 3,
  /** the image itself */
  IMAGE: 4,
  /** no role in particular */
  NONE: 5,
  /** a role that targets or another delegated role delegates to */
  DELEGATED: 6,
  /** says which of the Director's offline targets belong together */
  OFFLINE_SNAPSHOT: 7,
  /** says what may be installed without the Director */
  OFFLINE_TARGETS: 8,
} as const;
export type Role = (typeof Role)[keyof typeof Role];

export const State = {
  /** the slot that runs, 0 or 1 */
  RUNNING_SLOT: 0,
  /** 1: it runs on trial */
  ON_TRIAL: 1,
  /** version of the trusted root; 0: not provisioned */
  ROOT_VERSION: 2,
  /** version of the trusted timestamp; 0: none */
  TIMESTAMP_VERSION: 3,
  /** version of the trusted snapshot; 0: none */
  SNAPSHOT_VERSION: 4,
  /** version of the trusted targets; 0: none */
  TARGETS_VERSION: 5,
  /** the latest time that is known to have passed, seconds since 1970 */
  LATEST_TIME: 6,
  /** the security counter */
  SECURITY_COUNTER: 7,
  /** release counter of the confirmed image */
  INSTALLED_RELEASE: 8,
  /** release counter of the image that is being installed or tried; 0: none */
  CANDIDATE_RELEASE: 9,
  /** length of that image in bytes */
  IMAGE_LENGTH: 10,
  /** bytes of it that are in the slot */
  IMAGE_OFFSET: 11,
  /** status of the last check */
  CHECK_STATUS: 12,
  /** the role that this status concerns */
  CHECK_ROLE: 13,
  /** bytes of linear memory in use, from address 0 */
  MEMORY_USED: 14,
  /** 1: the last check had the time, from the host or a time server; 0: it judged by the latest known time */
  TIME_KNOWN: 15,
  /** how updates go: a Mode */
  POLICY: 16,
  /** until when the update is postponed, seconds since 1970; 0: it is not */
  POSTPONED_UNTIL: 17,
  /** seconds that the last install kept the device from its work: from before the reboot until the image was judged */
  DOWNTIME: 18,
  /** the repository that the status of the last check concerns: 1 the Director, 0 the Image repository or the only one */
  CHECK_REPOSITORY: 19,
  /** how the last check came by the time: 0, or what is wrong with the answers of time servers */
  TIME_STATUS: 20,
} as const;
export type State = (typeof State)[keyof typeof State];

export const ComponentField = {
  /** release counter of the confirmed image */
  INSTALLED_RELEASE: 0,
  /** the security counter below which none of its images runs */
  SECURITY_COUNTER: 1,
  /** the slot that runs, 0 or 1 */
  RUNNING_SLOT: 2,
  /** release counter of the image that is being installed or tried, or waits in its slot for others; 0: none */
  CANDIDATE_RELEASE: 3,
} as const;
export type ComponentField = (typeof ComponentField)[keyof typeof ComponentField];

export const ComponentText = {
  /** its name */
  COMPONENT: 0,
  /** the hardware id that its releases are for */
  HARDWARE_ID: 1,
  /** version of the confirmed image */
  INSTALLED_VERSION: 2,
  /** version of the image that is being installed or tried, or waits in its slot for others */
  CANDIDATE_VERSION: 3,
} as const;
export type ComponentText = (typeof ComponentText)[keyof typeof ComponentText];

export const Text = {
  /** the hardware id that the device was provisioned with */
  HARDWARE_ID: 0,
  /** the component that the slots hold */
  COMPONENT: 1,
  /** version of the confirmed image */
  INSTALLED_VERSION: 2,
  /** version of the image that is being installed or tried */
  CANDIDATE_VERSION: 3,
  /** path of the newest release that was seen for another hardware */
  OTHER_HARDWARE_PATH: 4,
} as const;
export type Text = (typeof Text)[keyof typeof Text];

export const Status = {
  /** done */
  OK: 0,
  /** the newest release for this device is already installed */
  UP_TO_DATE: 1,
  /** a newer release exists, but not for this hardware [wrong hardware] */
  NOT_FOR_HARDWARE: 2,
  /** the newest release failed its trial on this device and is not tried again */
  RELEASE_FAILED_BEFORE: 3,
  /** a verified image is selected and runs after a reboot */
  READY_TO_REBOOT: 4,
  /** the target that was asked for has arrived and is what was signed */
  TARGET_VERIFIED: 5,
  /** a newer release exists, but the user has opted out of updates */
  OPTED_OUT: 6,
  /** a newer release exists and waits for the user's approval */
  UPDATE_AVAILABLE: 7,
  /** a newer release exists, but the user has postponed it */
  POSTPONED: 8,
  /** the flash could not be read */
  FLASH_READ: -1,
  /** the flash could not be written */
  FLASH_WRITE: -2,
  /** the flash could not be erased */
  FLASH_ERASE: -3,
  /** what was written to flash does not read back the same */
  FLASH_VERIFY: -4,
  /** the trust store is damaged and holds no usable root */
  STORE_CORRUPT: -5,
  /** the file does not fit the trust store of this board */
  STORE_FULL: -6,
  /** the device has no root of trust yet: provision it */
  NOT_PROVISIONED: -7,
  /** the device has its root of trust already */
  ALREADY_PROVISIONED: -8,
  /** the call does not belong here */
  WRONG_STATE: -9,
  /** an argument is out of range */
  BAD_ARGUMENT: -10,
  /** the device configuration is not valid */
  CONFIG_INVALID: -11,
  /** the flash layout that the host describes cannot be used */
  LAYOUT_INVALID: -12,
  /** the security counter of the board could not be raised */
  COUNTER: -13,
  /** the boot selection of the board failed */
  BOOT: -14,
  /** the update was postponed for as long as it may be */
  POSTPONE_LIMIT: -15,
  /** not JSON */
  JSON_SYNTAX: -20,
  /** JSON nested too deeply [crash by crafted metadata] */
  JSON_DEPTH: -21,
  /** text that is not valid UTF-8 */
  JSON_UTF8: -22,
  /** a number that canonical JSON does not have (fraction, exponent) */
  JSON_NUMBER: -23,
  /** a name that occurs twice in one object [two readers, two meanings] */
  JSON_DUPLICATE: -24,
  /** JSON that would take too long to put in order [endless work] */
  JSON_COMPLEX: -25,
  /** no envelope of `signed` and `signatures` */
  ENVELOPE_INVALID: -30,
  /** one key id signs twice [one signature counted twice] */
  SIGNATURE_DUPLICATE: -31,
  /** metadata without a field that it must have, or with one of the wrong kind */
  METADATA_INVALID: -32,
  /** metadata of another role [one role's file served as another's] */
  TYPE_MISMATCH: -33,
  /** a specification version that this client does not read */
  SPEC_VERSION: -34,
  /** a version that is not a whole number above 0 */
  VERSION_INVALID: -35,
  /** a threshold that is not a whole number above 0, or larger than this client counts [threshold 0] */
  THRESHOLD_INVALID: -36,
  /** an expiry date that is not a date */
  EXPIRES_INVALID: -37,
  /** more keys or signatures for one role than this client reads [endless work] */
  TOO_MANY_KEYS: -38,
  /** only hashes that this client does not know or trust [weak hash] */
  HASH_UNKNOWN: -39,
  /** too few valid signatures for the threshold [arbitrary software, stolen key below the threshold] */
  SIGNATURES: -40,
  /** a root that is not the next version [root skipped or replayed] */
  ROOT_VERSION: -41,
  /** a version lower than the trusted one [rollback] */
  ROLLBACK: -42,
  /** a file that the trusted snapshot lists is missing or has a lower version [rollback by snapshot] */
  SNAPSHOT_ROLLBACK: -43,
  /** a version other than the one that was announced [mix-and-match] */
  VERSION_MISMATCH: -44,
  /** expired [freeze] */
  EXPIRED: -45,
  /** not the bytes whose hash was announced [mix-and-match, tampering] */
  HASH_MISMATCH: -46,
  /** not the length that was announced [mix-and-match, tampering] */
  LENGTH_MISMATCH: -47,
  /** more bytes than allowed [endless data] */
  TOO_LONG: -48,
  /** more root versions than one check follows; the next check goes on [endless data] */
  TOO_MANY_ROOTS: -49,
  /** a delegated role that the snapshot does not list */
  ROLE_UNLISTED: -50,
  /** more delegated roles than one search looks into [endless data] */
  TOO_MANY_ROLES: -51,
  /** the time is not known, and this device is configured to need it [freeze] */
  TIME_UNKNOWN: -52,
  /** the Director's targets delegate to others [arbitrary software with a stolen Director key] */
  DIRECTOR_DELEGATES: -53,
  /** the Director's targets name one ECU twice [mix-and-match] */
  ECU_DUPLICATE: -54,
  /** the Director's targets name an ECU that this vehicle does not have [metadata of another vehicle replayed] */
  ECU_UNKNOWN: -55,
  /** the Director's targets are not for this vehicle [metadata of another vehicle replayed] */
  VEHICLE_MISMATCH: -56,
  /** length or hashes of one target differ between Director and Image repository [mix-and-match, arbitrary software with one stolen repository] */
  TARGET_MISMATCH: -57,
  /** custom fields of one target that must match differ between Director and Image repository [mix-and-match, rollback with one stolen repository] */
  CUSTOM_MISMATCH: -58,
  /** a target that is not for the hardware of its ECU [wrong hardware] */
  HARDWARE_MISMATCH: -59,
  /** a file name that could leave its folder [path traversal] */
  PATH_INVALID: -60,
  /** a file name longer than this client asks for */
  NAME_TOO_LONG: -61,
  /** an image larger than the slot */
  IMAGE_TOO_LARGE: -62,
  /** not the image that was signed [tampered image] */
  IMAGE_MISMATCH: -63,
  /** a security counter below the one of this device [downgrade to a vulnerable release] */
  COUNTER_ROLLBACK: -64,
  /** the new image failed its self-test and the old one returned */
  SELF_TEST_FAILED: -65,
  /** the new image did not confirm itself in time and the old one returned */
  TRIAL_FAILED: -66,
  /** no role that is trusted for it lists the target that was asked for */
  TARGET_UNKNOWN: -67,
  /** bytes that are no patch of this image, or would read or write outside of it [tampered patch] */
  PATCH_INVALID: -68,
  /** a patch of a kind that this client does not read */
  PATCH_UNKNOWN: -69,
  /** the image is encrypted, and this device has no key */
  KEY_MISSING: -70,
  /** the image is encrypted, but not for the key of this device */
  NOT_A_RECIPIENT: -71,
  /** not the encrypted bytes that were made for this device [tampered payload] */
  DECRYPTION: -72,
  /** the image is encrypted, and a half of the journal does not hold where that stands */
  JOURNAL_TOO_SMALL: -73,
  /** releases that do not go together: one requires or excludes another [mix-and-match, partial bundle] */
  SET_REFUSED: -74,
  /** too few of the roles that a target is delegated to say the same of it [arbitrary software with one stolen key] */
  ROLES_DISAGREE: -77,
  /** the repository could not be reached */
  NETWORK: -80,
  /** the repository does not have a file that it must have */
  NOT_FOUND: -81,
  /** the answer begins at another offset than was asked for */
  RANGE: -82,
  /** fewer bytes than announced; the rest is fetched later */
  TRUNCATED: -83,
  /** bytes that came before came again, and were others [a file that changes under a download] */
  FILE_CHANGED: -84,
  /** not an image that the bootloader of this board starts */
  IMAGE_FORMAT: -90,
  /** an image for another chip [wrong hardware] */
  WRONG_CHIP: -91,
  /** bytes behind the end of the image, which nobody looks at [unsigned code] */
  IMAGE_TRAILING: -92,
  /** the checksum or hash in the image is not that of its bytes */
  IMAGE_CORRUPT: -93,
  /** a field of the image in a place where no signature covers it, or none can [unsigned field] */
  IMAGE_UNPROTECTED: -94,
  /** the security counter in the image is not the one that was signed [downgrade to a vulnerable release] */
  IMAGE_COUNTER: -95,
  /** not signed by the key that the bootloader trusts [arbitrary software] */
  IMAGE_SIGNATURE: -96,
  /** no time server answers, or this board has no random numbers to ask with [freeze by silence] */
  TIME_MISSING: -110,
  /** no answer of a time server in a version that this client reads [tampered answer] */
  TIME_INVALID: -111,
  /** the answer to another request [replayed time] */
  TIME_REPLAYED: -112,
  /** not signed by the time server, or not by whom it delegates to [forged time] */
  TIME_SIGNATURE: -113,
  /** a time outside of what the time server delegated [stolen delegated key] */
  TIME_DELEGATION: -114,
  /** a time before what is known to have passed [freeze, rollback of the clock] */
  TIME_ROLLBACK: -115,
  /** a time far behind all that is signed, or given so roughly that it says nothing [time server that locks devices up] */
  TIME_ABSURD: -116,
  /** not the core that this firmware was built with [tampered core] */
  MODULE_HASH: -100,
  /** a core that this host cannot load */
  MODULE_INVALID: -101,
  /** a core of another ABI version */
  ABI_VERSION: -102,
  /** too little memory for the core */
  MEMORY: -103,
  /** the core stopped at a bug of its own */
  TRAP: -104,
  /** the core took longer than this host allows */
  DEADLINE: -105,
  /** a file that is no bundle, or not a whole one [truncation] */
  BUNDLE_INVALID: -106,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What a status means to a person: its name, the finding, and the attack that it stops (empty: none). */
export interface StatusText {
  readonly name: string;
  readonly message: string;
  readonly attack: string;
}

export const STATUS_TEXTS: ReadonlyMap<number, StatusText> = new Map([
  [
    0,
    {
      name: 'OK',
      message: 'done',
      attack: '',
    },
  ],
  [
    1,
    {
      name: 'UP_TO_DATE',
      message: 'the newest release for this device is already installed',
      attack: '',
    },
  ],
  [
    2,
    {
      name: 'NOT_FOR_HARDWARE',
      message: 'a newer release exists, but not for this hardware',
      attack: 'wrong hardware',
    },
  ],
  [
    3,
    {
      name: 'RELEASE_FAILED_BEFORE',
      message: 'the newest release failed its trial on this device and is not tried again',
      attack: '',
    },
  ],
  [
    4,
    {
      name: 'READY_TO_REBOOT',
      message: 'a verified image is selected and runs after a reboot',
      attack: '',
    },
  ],
  [
    5,
    {
      name: 'TARGET_VERIFIED',
      message: 'the target that was asked for has arrived and is what was signed',
      attack: '',
    },
  ],
  [
    6,
    {
      name: 'OPTED_OUT',
      message: 'a newer release exists, but the user has opted out of updates',
      attack: '',
    },
  ],
  [
    7,
    {
      name: 'UPDATE_AVAILABLE',
      message: "a newer release exists and waits for the user's approval",
      attack: '',
    },
  ],
  [
    8,
    {
      name: 'POSTPONED',
      message: 'a newer release exists, but the user has postponed it',
      attack: '',
    },
  ],
  [
    -1,
    {
      name: 'FLASH_READ',
      message: 'the flash could not be read',
      attack: '',
    },
  ],
  [
    -2,
    {
      name: 'FLASH_WRITE',
      message: 'the flash could not be written',
      attack: '',
    },
  ],
  [
    -3,
    {
      name: 'FLASH_ERASE',
      message: 'the flash could not be erased',
      attack: '',
    },
  ],
  [
    -4,
    {
      name: 'FLASH_VERIFY',
      message: 'what was written to flash does not read back the same',
      attack: '',
    },
  ],
  [
    -5,
    {
      name: 'STORE_CORRUPT',
      message: 'the trust store is damaged and holds no usable root',
      attack: '',
    },
  ],
  [
    -6,
    {
      name: 'STORE_FULL',
      message: 'the file does not fit the trust store of this board',
      attack: '',
    },
  ],
  [
    -7,
    {
      name: 'NOT_PROVISIONED',
      message: 'the device has no root of trust yet: provision it',
      attack: '',
    },
  ],
  [
    -8,
    {
      name: 'ALREADY_PROVISIONED',
      message: 'the device has its root of trust already',
      attack: '',
    },
  ],
  [
    -9,
    {
      name: 'WRONG_STATE',
      message: 'the call does not belong here',
      attack: '',
    },
  ],
  [
    -10,
    {
      name: 'BAD_ARGUMENT',
      message: 'an argument is out of range',
      attack: '',
    },
  ],
  [
    -11,
    {
      name: 'CONFIG_INVALID',
      message: 'the device configuration is not valid',
      attack: '',
    },
  ],
  [
    -12,
    {
      name: 'LAYOUT_INVALID',
      message: 'the flash layout that the host describes cannot be used',
      attack: '',
    },
  ],
  [
    -13,
    {
      name: 'COUNTER',
      message: 'the security counter of the board could not be raised',
      attack: '',
    },
  ],
  [
    -14,
    {
      name: 'BOOT',
      message: 'the boot selection of the board failed',
      attack: '',
    },
  ],
  [
    -15,
    {
      name: 'POSTPONE_LIMIT',
      message: 'the update was postponed for as long as it may be',
      attack: '',
    },
  ],
  [
    -20,
    {
      name: 'JSON_SYNTAX',
      message: 'not JSON',
      attack: '',
    },
  ],
  [
    -21,
    {
      name: 'JSON_DEPTH',
      message: 'JSON nested too deeply',
      attack: 'crash by crafted metadata',
    },
  ],
  [
    -22,
    {
      name: 'JSON_UTF8',
      message: 'text that is not valid UTF-8',
      attack: '',
    },
  ],
  [
    -23,
    {
      name: 'JSON_NUMBER',
      message: 'a number that canonical JSON does not have (fraction, exponent)',
      attack: '',
    },
  ],
  [
    -24,
    {
      name: 'JSON_DUPLICATE',
      message: 'a name that occurs twice in one object',
      attack: 'two readers, two meanings',
    },
  ],
  [
    -25,
    {
      name: 'JSON_COMPLEX',
      message: 'JSON that would take too long to put in order',
      attack: 'endless work',
    },
  ],
  [
    -30,
    {
      name: 'ENVELOPE_INVALID',
      message: 'no envelope of `signed` and `signatures`',
      attack: '',
    },
  ],
  [
    -31,
    {
      name: 'SIGNATURE_DUPLICATE',
      message: 'one key id signs twice',
      attack: 'one signature counted twice',
    },
  ],
  [
    -32,
    {
      name: 'METADATA_INVALID',
      message: 'metadata without a field that it must have, or with one of the wrong kind',
      attack: '',
    },
  ],
  [
    -33,
    {
      name: 'TYPE_MISMATCH',
      message: 'metadata of another role',
      attack: "one role's file served as another's",
    },
  ],
  [
    -34,
    {
      name: 'SPEC_VERSION',
      message: 'a specification version that this client does not read',
      attack: '',
    },
  ],
  [
    -35,
    {
      name: 'VERSION_INVALID',
      message: 'a version that is not a whole number above 0',
      attack: '',
    },
  ],
  [
    -36,
    {
      name: 'THRESHOLD_INVALID',
      message: 'a threshold that is not a whole number above 0, or larger than this client counts',
      attack: 'threshold 0',
    },
  ],
  [
    -37,
    {
      name: 'EXPIRES_INVALID',
      message: 'an expiry date that is not a date',
      attack: '',
    },
  ],
  [
    -38,
    {
      name: 'TOO_MANY_KEYS',
      message: 'more keys or signatures for one role than this client reads',
      attack: 'endless work',
    },
  ],
  [
    -39,
    {
      name: 'HASH_UNKNOWN',
      message: 'only hashes that this client does not know or trust',
      attack: 'weak hash',
    },
  ],
  [
    -40,
    {
      name: 'SIGNATURES',
      message: 'too few valid signatures for the threshold',
      attack: 'arbitrary software, stolen key below the threshold',
    },
  ],
  [
    -41,
    {
      name: 'ROOT_VERSION',
      message: 'a root that is not the next version',
      attack: 'root skipped or replayed',
    },
  ],
  [
    -42,
    {
      name: 'ROLLBACK',
      message: 'a version lower than the trusted one',
      attack: 'rollback',
    },
  ],
  [
    -43,
    {
      name: 'SNAPSHOT_ROLLBACK',
      message: 'a file that the trusted snapshot lists is missing or has a lower version',
      attack: 'rollback by snapshot',
    },
  ],
  [
    -44,
    {
      name: 'VERSION_MISMATCH',
      message: 'a version other than the one that was announced',
      attack: 'mix-and-match',
    },
  ],
  [
    -45,
    {
      name: 'EXPIRED',
      message: 'expired',
      attack: 'freeze',
    },
  ],
  [
    -46,
    {
      name: 'HASH_MISMATCH',
      message: 'not the bytes whose hash was announced',
      attack: 'mix-and-match, tampering',
    },
  ],
  [
    -47,
    {
      name: 'LENGTH_MISMATCH',
      message: 'not the length that was announced',
      attack: 'mix-and-match, tampering',
    },
  ],
  [
    -48,
    {
      name: 'TOO_LONG',
      message: 'more bytes than allowed',
      attack: 'endless data',
    },
  ],
  [
    -49,
    {
      name: 'TOO_MANY_ROOTS',
      message: 'more root versions than one check follows; the next check goes on',
      attack: 'endless data',
    },
  ],
  [
    -50,
    {
      name: 'ROLE_UNLISTED',
      message: 'a delegated role that the snapshot does not list',
      attack: '',
    },
  ],
  [
    -51,
    {
      name: 'TOO_MANY_ROLES',
      message: 'more delegated roles than one search looks into',
      attack: 'endless data',
    },
  ],
  [
    -52,
    {
      name: 'TIME_UNKNOWN',
      message: 'the time is not known, and this device is configured to need it',
      attack: 'freeze',
    },
  ],
  [
    -53,
    {
      name: 'DIRECTOR_DELEGATES',
      message: "the Director's targets delegate to others",
      attack: 'arbitrary software with a stolen Director key',
    },
  ],
  [
    -54,
    {
      name: 'ECU_DUPLICATE',
      message: "the Director's targets name one ECU twice",
      attack: 'mix-and-match',
    },
  ],
  [
    -55,
    {
      name: 'ECU_UNKNOWN',
      message: "the Director's targets name an ECU that this vehicle does not have",
      attack: 'metadata of another vehicle replayed',
    },
  ],
  [
    -56,
    {
      name: 'VEHICLE_MISMATCH',
      message: "the Director's targets are not for this vehicle",
      attack: 'metadata of another vehicle replayed',
    },
  ],
  [
    -57,
    {
      name: 'TARGET_MISMATCH',
      message: 'length or hashes of one target differ between Director and Image repository',
      attack: 'mix-and-match, arbitrary software with one stolen repository',
    },
  ],
  [
    -58,
    {
      name: 'CUSTOM_MISMATCH',
      message: 'custom fields of one target that must match differ between Director and Image repository',
      attack: 'mix-and-match, rollback with one stolen repository',
    },
  ],
  [
    -59,
    {
      name: 'HARDWARE_MISMATCH',
      message: 'a target that is not for the hardware of its ECU',
      attack: 'wrong hardware',
    },
  ],
  [
    -60,
    {
      name: 'PATH_INVALID',
      message: 'a file name that could leave its folder',
      attack: 'path traversal',
    },
  ],
  [
    -61,
    {
      name: 'NAME_TOO_LONG',
      message: 'a file name longer than this client asks for',
      attack: '',
    },
  ],
  [
    -62,
    {
      name: 'IMAGE_TOO_LARGE',
      message: 'an image larger than the slot',
      attack: '',
    },
  ],
  [
    -63,
    {
      name: 'IMAGE_MISMATCH',
      message: 'not the image that was signed',
      attack: 'tampered image',
    },
  ],
  [
    -64,
    {
      name: 'COUNTER_ROLLBACK',
      message: 'a security counter below the one of this device',
      attack: 'downgrade to a vulnerable release',
    },
  ],
  [
    -65,
    {
      name: 'SELF_TEST_FAILED',
      message: 'the new image failed its self-test and the old one returned',
      attack: '',
    },
  ],
  [
    -66,
    {
      name: 'TRIAL_FAILED',
      message: 'the new image did not confirm itself in time and the old one returned',
      attack: '',
    },
  ],
  [
    -67,
    {
      name: 'TARGET_UNKNOWN',
      message: 'no role that is trusted for it lists the target that was asked for',
      attack: '',
    },
  ],
  [
    -68,
    {
      name: 'PATCH_INVALID',
      message: 'bytes that are no patch of this image, or would read or write outside of it',
      attack: 'tampered patch',
    },
  ],
  [
    -69,
    {
      name: 'PATCH_UNKNOWN',
      message: 'a patch of a kind that this client does not read',
      attack: '',
    },
  ],
  [
    -70,
    {
      name: 'KEY_MISSING',
      message: 'the image is encrypted, and this device has no key',
      attack: '',
    },
  ],
  [
    -71,
    {
      name: 'NOT_A_RECIPIENT',
      message: 'the image is encrypted, but not for the key of this device',
      attack: '',
    },
  ],
  [
    -72,
    {
      name: 'DECRYPTION',
      message: 'not the encrypted bytes that were made for this device',
      attack: 'tampered payload',
    },
  ],
  [
    -73,
    {
      name: 'JOURNAL_TOO_SMALL',
      message: 'the image is encrypted, and a half of the journal does not hold where that stands',
      attack: '',
    },
  ],
  [
    -74,
    {
      name: 'SET_REFUSED',
      message: 'releases that do not go together: one requires or excludes another',
      attack: 'mix-and-match, partial bundle',
    },
  ],
  [
    -77,
    {
      name: 'ROLES_DISAGREE',
      message: 'too few of the roles that a target is delegated to say the same of it',
      attack: 'arbitrary software with one stolen key',
    },
  ],
  [
    -80,
    {
      name: 'NETWORK',
      message: 'the repository could not be reached',
      attack: '',
    },
  ],
  [
    -81,
    {
      name: 'NOT_FOUND',
      message: 'the repository does not have a file that it must have',
      attack: '',
    },
  ],
  [
    -82,
    {
      name: 'RANGE',
      message: 'the answer begins at another offset than was asked for',
      attack: '',
    },
  ],
  [
    -83,
    {
      name: 'TRUNCATED',
      message: 'fewer bytes than announced; the rest is fetched later',
      attack: '',
    },
  ],
  [
    -84,
    {
      name: 'FILE_CHANGED',
      message: 'bytes that came before came again, and were others',
      attack: 'a file that changes under a download',
    },
  ],
  [
    -90,
    {
      name: 'IMAGE_FORMAT',
      message: 'not an image that the bootloader of this board starts',
      attack: '',
    },
  ],
  [
    -91,
    {
      name: 'WRONG_CHIP',
      message: 'an image for another chip',
      attack: 'wrong hardware',
    },
  ],
  [
    -92,
    {
      name: 'IMAGE_TRAILING',
      message: 'bytes behind the end of the image, which nobody looks at',
      attack: 'unsigned code',
    },
  ],
  [
    -93,
    {
      name: 'IMAGE_CORRUPT',
      message: 'the checksum or hash in the image is not that of its bytes',
      attack: '',
    },
  ],
  [
    -94,
    {
      name: 'IMAGE_UNPROTECTED',
      message: 'a field of the image in a place where no signature covers it, or none can',
      attack: 'unsigned field',
    },
  ],
  [
    -95,
    {
      name: 'IMAGE_COUNTER',
      message: 'the security counter in the image is not the one that was signed',
      attack: 'downgrade to a vulnerable release',
    },
  ],
  [
    -96,
    {
      name: 'IMAGE_SIGNATURE',
      message: 'not signed by the key that the bootloader trusts',
      attack: 'arbitrary software',
    },
  ],
  [
    -110,
    {
      name: 'TIME_MISSING',
      message: 'no time server answers, or this board has no random numbers to ask with',
      attack: 'freeze by silence',
    },
  ],
  [
    -111,
    {
      name: 'TIME_INVALID',
      message: 'no answer of a time server in a version that this client reads',
      attack: 'tampered answer',
    },
  ],
  [
    -112,
    {
      name: 'TIME_REPLAYED',
      message: 'the answer to another request',
      attack: 'replayed time',
    },
  ],
  [
    -113,
    {
      name: 'TIME_SIGNATURE',
      message: 'not signed by the time server, or not by whom it delegates to',
      attack: 'forged time',
    },
  ],
  [
    -114,
    {
      name: 'TIME_DELEGATION',
      message: 'a time outside of what the time server delegated',
      attack: 'stolen delegated key',
    },
  ],
  [
    -115,
    {
      name: 'TIME_ROLLBACK',
      message: 'a time before what is known to have passed',
      attack: 'freeze, rollback of the clock',
    },
  ],
  [
    -116,
    {
      name: 'TIME_ABSURD',
      message: 'a time far behind all that is signed, or given so roughly that it says nothing',
      attack: 'time server that locks devices up',
    },
  ],
  [
    -100,
    {
      name: 'MODULE_HASH',
      message: 'not the core that this firmware was built with',
      attack: 'tampered core',
    },
  ],
  [
    -101,
    {
      name: 'MODULE_INVALID',
      message: 'a core that this host cannot load',
      attack: '',
    },
  ],
  [
    -102,
    {
      name: 'ABI_VERSION',
      message: 'a core of another ABI version',
      attack: '',
    },
  ],
  [
    -103,
    {
      name: 'MEMORY',
      message: 'too little memory for the core',
      attack: '',
    },
  ],
  [
    -104,
    {
      name: 'TRAP',
      message: 'the core stopped at a bug of its own',
      attack: '',
    },
  ],
  [
    -105,
    {
      name: 'DEADLINE',
      message: 'the core took longer than this host allows',
      attack: '',
    },
  ],
  [
    -106,
    {
      name: 'BUNDLE_INVALID',
      message: 'a file that is no bundle, or not a whole one',
      attack: 'truncation',
    },
  ],
]);

/** What the module exports. Every value is an i32; sizes, offsets and seconds are read as u32. */
export type CoreExports = {
  readonly memory: WebAssembly.Memory;
  /**
   * Writes the path of one of the Director's targets into the buffer; its length. NOT_FOUND: there are
   * not so many. WRONG_STATE: the last check found a fault in the metadata.
   */
  director_target?(index: number): number;
  /**
   * The answer of a time server, so many bytes, is in the buffer. Negative: what is wrong with it;
   * another answer may follow, or another request. 0 bytes: there is none to be had, and the check goes
   * on without, or ends with that.
   */
  time_answer?(length: number): number;
  /**
   * Writes a public key of this device into the buffer: 0 the one that payloads are encrypted for
   * (X25519), 1 the one that its reports are signed with (Ed25519). Its length; or KEY_MISSING.
   */
  public_key_read?(which: number): number;
  /** How updates go from now on: see `Mode`. WRONG_STATE: not in the middle of a check. */
  policy_set?(mode: number): number;
  /**
   * Chooses what is signed of the newest release that the last check found for this device, installed or
   * not, for `trusted_read`: its `custom`, JSON as it was received, with what there is to tell the user.
   * Length; 0: there is none.
   */
  release_find?(): number;
  /**
   * The user wants what is newest, of all components: it is installed at the next step, whatever the
   * policy and however it was postponed. After ASK: the device may be disturbed now. WRONG_STATE: there
   * is nothing to approve of.
   */
  update_approve?(): number;
  /**
   * Not before `until`, seconds since 1970. However often this is called, it ends `maxPostpone` seconds
   * after the first time: then POSTPONE_LIMIT, and nothing is changed. TIME_UNKNOWN: a device without
   * the time cannot wait for one. On trial, whatever `until`: the image before returns with the next
   * boot, and this one may be installed again.
   */
  update_postpone?(until: number): number;
  /** Bytes of the log area; 0: this board keeps no log. */
  log_length?(): number;
  /**
   * Puts what the log area holds from `offset` on into the buffer, the oldest block first: entries, and
   * erased bytes between them (docs/formats.md). Bytes; 0: the end.
   */
  log_read?(offset: number): number;
  /** All was read: writes the signature into the buffer; its length. */
  manifest_end?(): number;
  /**
   * Reads the next bytes of the manifest, in canonical form, from the buffer; the first piece has 8 or
   * more. KEY_MISSING: no key, or no random bytes, without which nothing is signed that passes but once.
   * WRONG_STATE: report_write comes before it.
   */
  manifest_write?(length: number): number;
  /** The report was sent, or not: the check goes on with either. */
  report_end?(result: number): number;
  /**
   * Writes this ECU's report into the buffer, `signed` in canonical form; its length. Behind it are the
   * 64 bytes of its signature, where the core has a key. Each call makes another report. WRONG_STATE: in
   * the middle of a check, or this device is not told what its first image was.
   */
  report_write?(): number;
  /**
   * Chooses the component that the next two tell of; 0 is the main one. Returns how many there are;
   * BAD_ARGUMENT: not so many.
   */
  component_choose?(wanted: number): number;
  /** A number that tells of the component. */
  component_read?(field: number): number;
  /** Writes a text that tells of the component into the buffer and returns its length. */
  component_text?(field: number): number;
  abi_version(): number;
  agent_step(now: number): number;
  agent_until(): number;
  io_capacity(): number;
  io_pointer(): number;
  /**
   * Looks for the target whose path, of so many bytes, is in the buffer, with the metadata of the last
   * check; what the steps after it fetch are delegated roles and then the target, which the core
   * verifies and does not keep. The outcome is TARGET_VERIFIED or a finding. WRONG_STATE: not between
   * two checks, or the last one found a fault in the metadata.
   */
  target_find(length: number): number;
  /** An answer begins, at this byte of the file. Called again, it starts over. */
  fetch_begin(offset: number): number;
  /** The answer has ended, or there was none: what comes of it. */
  fetch_end(result: number): number;
  /**
   * While the next bytes of the image are on their way: erases where they will go. 1: it did, 0: nothing
   * is to be erased now.
   */
  fetch_erase_ahead(): number;
  fetch_kind(): number;
  fetch_limit(): number;
  fetch_name_length(): number;
  fetch_offset(): number;
  /** The next bytes of the answer, in the buffer. */
  fetch_write(length: number): number;
  /** Where the name of the file that is wanted stands. */
  fetch_name(): number;
  provision_begin(wanted: number): number;
  provision_end(): number;
  provision_write(length: number): number;
  /**
   * Mounts what is on flash and takes up what a reboot or a power cut interrupted. Negative: nothing can
   * be done. What became of an interrupted install is the outcome that `state_read` tells.
   */
  core_start(): number;
  state_read(field: number): number;
  /** Writes a text into the buffer and returns its length. */
  text_read(field: number): number;
  /** The image on trial works: it becomes permanent. */
  image_confirm(): number;
  /** The image on trial does not work: the old one returns with the next boot. */
  image_reject(): number;
  /** The same for a delegated role, whose name and ".json", so many bytes, are in the buffer. */
  trusted_find(length: number): number;
  /**
   * Chooses the trusted file of a role, or of 8 and a role of the Director, for `trusted_read`. Its
   * length in bytes; 0: there is none.
   */
  trusted_length(role: number): number;
  /**
   * Puts what the file has from `offset` on into the buffer, byte for byte as it was received. Bytes; 0:
   * its end.
   */
  trusted_read(offset: number): number;
};

/** What the module imports from `moult`. Every value is an i32; sizes, offsets and seconds are read as u32. */
export type CoreImports = {
  /**
   * Reads `length` bytes at `offset` of an area into `pointer`. Any alignment. 0, or negative:
   * unreadable.
   */
  flash_read(area: number, offset: number, pointer: number, length: number): number;
  /**
   * Programs `length` bytes from `pointer`. Offset and length are multiples of the area's write unit and
   * the units are erased. 0, or negative: not written.
   */
  flash_write(area: number, offset: number, pointer: number, length: number): number;
  /** Erases `length` bytes; both ends are erase block boundaries. 0, or negative: not erased. */
  flash_erase(area: number, offset: number, length: number): number;
  /** The size of an area in bytes (a sum of whole erase blocks). 0: there is no such area. */
  flash_size(area: number): number;
  /** The offset one past the erase block that contains `offset`. Blocks may differ in size. */
  flash_block_end(area: number, offset: number): number;
  /** The write unit in bits 0 to 15 (1 to 32, a power of two), the erased byte in bits 16 to 23. */
  flash_unit(area: number): number;
  /** The security counter, monotonic in hardware; negative: this board has none. */
  counter_read(): number;
  /** Raises the security counter to `value`; a lower value changes nothing. 0, or negative: not raised. */
  counter_advance(value: number): number;
  /**
   * Bits 0 to 7: the slots that run, bit k set when component k runs in its slot B; bit 8 set: they run
   * on trial. Negative: unknown.
   */
  boot_state(): number;
  /**
   * From the next boot on, try the slots of this bit map, all at once; without a confirm within the
   * host's attempts, those that are confirmed now return.
   */
  boot_select(slots: number): number;
  /** Makes the running slots permanent. Doing it twice is doing it once. */
  boot_confirm(): number;
  /**
   * Ends a trial, or takes back a selection that was not tried yet: from the next boot on the slots
   * before it run. With neither it changes nothing. Doing it twice is doing it once.
   */
  boot_revert(): number;
  /**
   * Fills `length` bytes at `pointer` with random bytes that nobody can foresee. 0; or negative: this
   * board has no source of them, and the bytes are of no worth.
   */
  entropy(pointer: number, length: number): number;
  /**
   * One block of SHA-256 (FIPS 180-4, 6.2.2), where the host has hardware or native code for it: the
   * state at `state`, eight words in the processor's order, takes in the 64 bytes at `block`. 0; or
   * negative: nothing was done, this host does not do it, and is not asked again. The core then does it
   * itself, with the same result.
   */
  sha256_compress(state: number, block: number): number;
};
