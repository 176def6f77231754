// Every status of the core. Append only: a number keeps its meaning for ever, in logs, reports and hosts.
// The comment is what a person reads: the finding, then in brackets the attack that it stops.
// `scripts/abi.ts` copies names, numbers and comments into host/node/abi.ts and host/wasm3/moult_abi.h.

export const enum Status {
  /** done */
  OK = 0,

  // Results of a check that found no fault.
  /** the newest release for this device is already installed */
  UP_TO_DATE = 1,
  /** a newer release exists, but not for this hardware [wrong hardware] */
  NOT_FOR_HARDWARE = 2,
  /** the newest release failed its trial on this device and is not tried again */
  RELEASE_FAILED_BEFORE = 3,
  /** a verified image is selected and runs after a reboot */
  READY_TO_REBOOT = 4,
  /** the target that was asked for has arrived and is what was signed */
  TARGET_VERIFIED = 5,
  /** a newer release exists, but the user has opted out of updates */
  OPTED_OUT = 6,
  /** a newer release exists and waits for the user's approval */
  UPDATE_AVAILABLE = 7,
  /** a newer release exists, but the user has postponed it */
  POSTPONED = 8,

  // Storage and calls.
  /** the flash could not be read */
  FLASH_READ = -1,
  /** the flash could not be written */
  FLASH_WRITE = -2,
  /** the flash could not be erased */
  FLASH_ERASE = -3,
  /** what was written to flash does not read back the same */
  FLASH_VERIFY = -4,
  /** the trust store is damaged and holds no usable root */
  STORE_CORRUPT = -5,
  /** the file does not fit the trust store of this board */
  STORE_FULL = -6,
  /** the device has no root of trust yet: provision it */
  NOT_PROVISIONED = -7,
  /** the device has its root of trust already */
  ALREADY_PROVISIONED = -8,
  /** the call does not belong here */
  WRONG_STATE = -9,
  /** an argument is out of range */
  BAD_ARGUMENT = -10,
  /** the device configuration is not valid */
  CONFIG_INVALID = -11,
  /** the flash layout that the host describes cannot be used */
  LAYOUT_INVALID = -12,
  /** the security counter of the board could not be raised */
  COUNTER = -13,
  /** the boot selection of the board failed */
  BOOT = -14,
  /** the update was postponed for as long as it may be */
  POSTPONE_LIMIT = -15,

  // Reading JSON.
  /** not JSON */
  JSON_SYNTAX = -20,
  /** JSON nested too deeply [crash by crafted metadata] */
  JSON_DEPTH = -21,
  /** text that is not valid UTF-8 */
  JSON_UTF8 = -22,
  /** a number that canonical JSON does not have (fraction, exponent) */
  JSON_NUMBER = -23,
  /** a name that occurs twice in one object [two readers, two meanings] */
  JSON_DUPLICATE = -24,
  /** JSON that would take too long to put in order [endless work] */
  JSON_COMPLEX = -25,

  // Metadata that is not what it must be.
  /** no envelope of `signed` and `signatures` */
  ENVELOPE_INVALID = -30,
  /** one key id signs twice [one signature counted twice] */
  SIGNATURE_DUPLICATE = -31,
  /** metadata without a field that it must have, or with one of the wrong kind */
  METADATA_INVALID = -32,
  /** metadata of another role [one role's file served as another's] */
  TYPE_MISMATCH = -33,
  /** a specification version that this client does not read */
  SPEC_VERSION = -34,
  /** a version that is not a whole number above 0 */
  VERSION_INVALID = -35,
  /** a threshold that is not a whole number above 0, or larger than this client counts [threshold 0] */
  THRESHOLD_INVALID = -36,
  /** an expiry date that is not a date */
  EXPIRES_INVALID = -37,
  /** more keys or signatures for one role than this client reads [endless work] */
  TOO_MANY_KEYS = -38,
  /** only hashes that this client does not know or trust [weak hash] */
  HASH_UNKNOWN = -39,

  // Metadata that is refused.
  /** too few valid signatures for the threshold [arbitrary software, stolen key below the threshold] */
  SIGNATURES = -40,
  /** a root that is not the next version [root skipped or replayed] */
  ROOT_VERSION = -41,
  /** a version lower than the trusted one [rollback] */
  ROLLBACK = -42,
  /** a file that the trusted snapshot lists is missing or has a lower version [rollback by snapshot] */
  SNAPSHOT_ROLLBACK = -43,
  /** a version other than the one that was announced [mix-and-match] */
  VERSION_MISMATCH = -44,
  /** expired [freeze] */
  EXPIRED = -45,
  /** not the bytes whose hash was announced [mix-and-match, tampering] */
  HASH_MISMATCH = -46,
  /** not the length that was announced [mix-and-match, tampering] */
  LENGTH_MISMATCH = -47,
  /** more bytes than allowed [endless data] */
  TOO_LONG = -48,
  /** more root versions than one check follows; the next check goes on [endless data] */
  TOO_MANY_ROOTS = -49,
  /** a delegated role that the snapshot does not list */
  ROLE_UNLISTED = -50,
  /** more delegated roles than one search looks into [endless data] */
  TOO_MANY_ROLES = -51,
  /** the time is not known, and this device is configured to need it [freeze] */
  TIME_UNKNOWN = -52,
  /** the Director's targets delegate to others [arbitrary software with a stolen Director key] */
  DIRECTOR_DELEGATES = -53,
  /** the Director's targets name one ECU twice [mix-and-match] */
  ECU_DUPLICATE = -54,
  /** the Director's targets name an ECU that this vehicle does not have [metadata of another vehicle replayed] */
  ECU_UNKNOWN = -55,
  /** the Director's targets are not for this vehicle [metadata of another vehicle replayed] */
  VEHICLE_MISMATCH = -56,
  /** length or hashes of one target differ between Director and Image repository [mix-and-match, arbitrary software with one stolen repository] */
  TARGET_MISMATCH = -57,
  /** custom fields of one target that must match differ between Director and Image repository [mix-and-match, rollback with one stolen repository] */
  CUSTOM_MISMATCH = -58,
  /** a target that is not for the hardware of its ECU [wrong hardware] */
  HARDWARE_MISMATCH = -59,

  // Images.
  /** a file name that could leave its folder [path traversal] */
  PATH_INVALID = -60,
  /** a file name longer than this client asks for */
  NAME_TOO_LONG = -61,
  /** an image larger than the slot */
  IMAGE_TOO_LARGE = -62,
  /** not the image that was signed [tampered image] */
  IMAGE_MISMATCH = -63,
  /** a security counter below the one of this device [downgrade to a vulnerable release] */
  COUNTER_ROLLBACK = -64,
  /** the new image failed its self-test and the old one returned */
  SELF_TEST_FAILED = -65,
  /** the new image did not confirm itself in time and the old one returned */
  TRIAL_FAILED = -66,
  /** no role that is trusted for it lists the target that was asked for */
  TARGET_UNKNOWN = -67,
  /** bytes that are no patch of this image, or would read or write outside of it [tampered patch] */
  PATCH_INVALID = -68,
  /** a patch of a kind that this client does not read */
  PATCH_UNKNOWN = -69,
  /** the image is encrypted, and this device has no key */
  KEY_MISSING = -70,
  /** the image is encrypted, but not for the key of this device */
  NOT_A_RECIPIENT = -71,
  /** not the encrypted bytes that were made for this device [tampered payload] */
  DECRYPTION = -72,
  /** the image is encrypted, and a half of the journal does not hold where that stands */
  JOURNAL_TOO_SMALL = -73,
  /** releases that do not go together: one requires or excludes another [mix-and-match, partial bundle] */
  SET_REFUSED = -74,
  /** too few of the roles that a target is delegated to say the same of it [arbitrary software with one stolen key] */
  ROLES_DISAGREE = -77,

  // Transport.
  /** the repository could not be reached */
  NETWORK = -80,
  /** the repository does not have a file that it must have */
  NOT_FOUND = -81,
  /** the answer begins at another offset than was asked for */
  RANGE = -82,
  /** fewer bytes than announced; the rest is fetched later */
  TRUNCATED = -83,
  /** bytes that came before came again, and were others [a file that changes under a download] */
  FILE_CHANGED = -84,

  // What an image says of itself.
  /** not an image that the bootloader of this board starts */
  IMAGE_FORMAT = -90,
  /** an image for another chip [wrong hardware] */
  WRONG_CHIP = -91,
  /** bytes behind the end of the image, which nobody looks at [unsigned code] */
  IMAGE_TRAILING = -92,
  /** the checksum or hash in the image is not that of its bytes */
  IMAGE_CORRUPT = -93,
  /** a field of the image in a place where no signature covers it, or none can [unsigned field] */
  IMAGE_UNPROTECTED = -94,
  /** the security counter in the image is not the one that was signed [downgrade to a vulnerable release] */
  IMAGE_COUNTER = -95,
  /** not signed by the key that the bootloader trusts [arbitrary software] */
  IMAGE_SIGNATURE = -96,

  // Signed time.
  /** no time server answers, or this board has no random numbers to ask with [freeze by silence] */
  TIME_MISSING = -110,
  /** no answer of a time server in a version that this client reads [tampered answer] */
  TIME_INVALID = -111,
  /** the answer to another request [replayed time] */
  TIME_REPLAYED = -112,
  /** not signed by the time server, or not by whom it delegates to [forged time] */
  TIME_SIGNATURE = -113,
  /** a time outside of what the time server delegated [stolen delegated key] */
  TIME_DELEGATION = -114,
  /** a time before what is known to have passed [freeze, rollback of the clock] */
  TIME_ROLLBACK = -115,
  /** a time far behind all that is signed, or given so roughly that it says nothing [time server that locks devices up] */
  TIME_ABSURD = -116,

  // What hosts find; the core returns none of these.
  /** not the core that this firmware was built with [tampered core] */
  MODULE_HASH = -100,
  /** a core that this host cannot load */
  MODULE_INVALID = -101,
  /** a core of another ABI version */
  ABI_VERSION = -102,
  /** too little memory for the core */
  MEMORY = -103,
  /** the core stopped at a bug of its own */
  TRAP = -104,
  /** the core took longer than this host allows */
  DEADLINE = -105,
  /** a file that is no bundle, or not a whole one [truncation] */
  BUNDLE_INVALID = -106,
}
