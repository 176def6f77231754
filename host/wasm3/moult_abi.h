/* Generated from the core by scripts/abi.ts. Do not edit. */
#ifndef MOULT_ABI_H
#define MOULT_ABI_H

#define MOULT_ABI_VERSION 4

/* Bytes of linear memory, from address 0, that the core never leaves. */
#define MOULT_LINEAR_MEMORY 24576

enum moult_action {
  /* nothing to do before `agent_until()` */
  MOULT_ACTION_WAIT = 0,
  /* fetch what the fetch_ exports describe */
  MOULT_ACTION_FETCH = 1,
  /* a new image runs on trial: test it, then image_confirm or image_reject */
  MOULT_ACTION_SELF_TEST = 2,
  /* boot again: another slot is selected */
  MOULT_ACTION_REBOOT = 3,
  /* more work is left: call agent_step again (and feed the watchdog first) */
  MOULT_ACTION_CONTINUE = 4,
  /* an image is ready and the device would boot again: update_approve now, or update_postpone */
  MOULT_ACTION_ASK = 5,
  /* a check begins: send what is installed, report_write, and on a Primary the manifest; then report_end */
  MOULT_ACTION_REPORT = 6,
  /* send the datagram in the buffer, all of it, to a time server; then call time_answer, or this again for another request */
  MOULT_ACTION_TIME = 7,
};

enum moult_area {
  /* one bank of the trust store */
  MOULT_AREA_STORE_A = 0,
  /* the other bank of the trust store */
  MOULT_AREA_STORE_B = 1,
  /* progress of the current install */
  MOULT_AREA_JOURNAL = 2,
  /* image slot 0 */
  MOULT_AREA_SLOT_A = 3,
  /* image slot 1 */
  MOULT_AREA_SLOT_B = 4,
  /* the log; a board may have none */
  MOULT_AREA_LOG = 6,
};

enum moult_fetch_kind {
  /* below the metadata URL */
  MOULT_FETCH_KIND_METADATA = 0,
  /* below the targets URL */
  MOULT_FETCH_KIND_TARGET = 1,
  /* below the metadata URL of the Director */
  MOULT_FETCH_KIND_DIRECTOR = 2,
};

enum moult_log_event {
  /* begins an erase block, and says nothing else */
  MOULT_LOG_EVENT_ANCHOR = 0,
  /* how a check or a start ended; the detail says how often in a row */
  MOULT_LOG_EVENT_OUTCOME = 1,
  /* the device got its configuration and its root of trust */
  MOULT_LOG_EVENT_PROVISIONED = 2,
  /* an install has begun; the detail of this and the next four is a release counter */
  MOULT_LOG_EVENT_INSTALL = 3,
  /* the image on flash is what was signed */
  MOULT_LOG_EVENT_VERIFIED = 4,
  /* its slot is selected for the next boot */
  MOULT_LOG_EVENT_SELECTED = 5,
  /* it runs on trial */
  MOULT_LOG_EVENT_TRIAL = 6,
  /* it is confirmed */
  MOULT_LOG_EVENT_CONFIRMED = 7,
  /* it is given up, and the image before it comes back */
  MOULT_LOG_EVENT_REVERTED = 8,
  /* the user approved of a release; the detail is its counter; where it is not of the main component alone, a number that tells the set from others */
  MOULT_LOG_EVENT_APPROVED = 9,
  /* the user postponed the update; the detail is until when */
  MOULT_LOG_EVENT_POSTPONED = 10,
  /* the user changed the policy, which is the detail */
  MOULT_LOG_EVENT_POLICY = 11,
  /* a time server answers again, or none does, or none as it must; the detail is the time that it says has passed */
  MOULT_LOG_EVENT_TIME = 12,
  /* a report was sent, after one that was not, or could not be sent, after one that was; the detail is its counter */
  MOULT_LOG_EVENT_REPORT = 13,
};

enum moult_mode {
  /* updates are installed as they come */
  MOULT_MODE_AUTOMATIC = 0,
  /* updates are announced, and installed when the user approves */
  MOULT_MODE_NOTIFY = 1,
  /* no updates are wanted */
  MOULT_MODE_OFF = 2,
};

enum moult_part {
  /* the device configuration */
  MOULT_PART_CONFIG = 0,
  /* the first root of trust */
  MOULT_PART_ROOT = 1,
  /* 32 bytes of secret, for the key that payloads are encrypted for and the one that reports are signed with; or none: the core makes them */
  MOULT_PART_KEY = 2,
  /* the trusted root of the Director, in mode "full", before the last part: that of the Image repository */
  MOULT_PART_DIRECTOR = 3,
};

enum moult_role {
  /* signs the keys of all roles */
  MOULT_ROLE_ROOT = 0,
  /* says what is newest */
  MOULT_ROLE_TIMESTAMP = 1,
  /* says which versions belong together */
  MOULT_ROLE_SNAPSHOT = 2,
  /* says what may be installed */
  MOULT_ROLE_TARGETS = 3,
  /* the image itself */
  MOULT_ROLE_IMAGE = 4,
  /* no role in particular */
  MOULT_ROLE_NONE = 5,
  /* a role that targets or another delegated role delegates to */
  MOULT_ROLE_DELEGATED = 6,
  /* says which of the Director's offline targets belong together */
  MOULT_ROLE_OFFLINE_SNAPSHOT = 7,
  /* says what may be installed without the Director */
  MOULT_ROLE_OFFLINE_TARGETS = 8,
};

enum moult_state {
  /* the slot that runs, 0 or 1 */
  MOULT_STATE_RUNNING_SLOT = 0,
  /* 1: it runs on trial */
  MOULT_STATE_ON_TRIAL = 1,
  /* version of the trusted root; 0: not provisioned */
  MOULT_STATE_ROOT_VERSION = 2,
  /* version of the trusted timestamp; 0: none */
  MOULT_STATE_TIMESTAMP_VERSION = 3,
  /* version of the trusted snapshot; 0: none */
  MOULT_STATE_SNAPSHOT_VERSION = 4,
  /* version of the trusted targets; 0: none */
  MOULT_STATE_TARGETS_VERSION = 5,
  /* the latest time that is known to have passed, seconds since 1970 */
  MOULT_STATE_LATEST_TIME = 6,
  /* the security counter */
  MOULT_STATE_SECURITY_COUNTER = 7,
  /* release counter of the confirmed image */
  MOULT_STATE_INSTALLED_RELEASE = 8,
  /* release counter of the image that is being installed or tried; 0: none */
  MOULT_STATE_CANDIDATE_RELEASE = 9,
  /* length of that image in bytes */
  MOULT_STATE_IMAGE_LENGTH = 10,
  /* bytes of it that are in the slot */
  MOULT_STATE_IMAGE_OFFSET = 11,
  /* status of the last check */
  MOULT_STATE_CHECK_STATUS = 12,
  /* the role that this status concerns */
  MOULT_STATE_CHECK_ROLE = 13,
  /* bytes of linear memory in use, from address 0 */
  MOULT_STATE_MEMORY_USED = 14,
  /* 1: the last check had the time, from the host or a time server; 0: it judged by the latest known time */
  MOULT_STATE_TIME_KNOWN = 15,
  /* how updates go: a Mode */
  MOULT_STATE_POLICY = 16,
  /* until when the update is postponed, seconds since 1970; 0: it is not */
  MOULT_STATE_POSTPONED_UNTIL = 17,
  /* seconds that the last install kept the device from its work: from before the reboot until the image was judged */
  MOULT_STATE_DOWNTIME = 18,
  /* the repository that the status of the last check concerns: 1 the Director, 0 the Image repository or the only one */
  MOULT_STATE_CHECK_REPOSITORY = 19,
  /* how the last check came by the time: 0, or what is wrong with the answers of time servers */
  MOULT_STATE_TIME_STATUS = 20,
};

enum moult_component_field {
  /* release counter of the confirmed image */
  MOULT_COMPONENT_FIELD_INSTALLED_RELEASE = 0,
  /* the security counter below which none of its images runs */
  MOULT_COMPONENT_FIELD_SECURITY_COUNTER = 1,
  /* the slot that runs, 0 or 1 */
  MOULT_COMPONENT_FIELD_RUNNING_SLOT = 2,
  /* release counter of the image that is being installed or tried, or waits in its slot for others; 0: none */
  MOULT_COMPONENT_FIELD_CANDIDATE_RELEASE = 3,
};

enum moult_component_text {
  /* its name */
  MOULT_COMPONENT_TEXT_COMPONENT = 0,
  /* the hardware id that its releases are for */
  MOULT_COMPONENT_TEXT_HARDWARE_ID = 1,
  /* version of the confirmed image */
  MOULT_COMPONENT_TEXT_INSTALLED_VERSION = 2,
  /* version of the image that is being installed or tried, or waits in its slot for others */
  MOULT_COMPONENT_TEXT_CANDIDATE_VERSION = 3,
};

enum moult_text {
  /* the hardware id that the device was provisioned with */
  MOULT_TEXT_HARDWARE_ID = 0,
  /* the component that the slots hold */
  MOULT_TEXT_COMPONENT = 1,
  /* version of the confirmed image */
  MOULT_TEXT_INSTALLED_VERSION = 2,
  /* version of the image that is being installed or tried */
  MOULT_TEXT_CANDIDATE_VERSION = 3,
  /* path of the newest release that was seen for another hardware */
  MOULT_TEXT_OTHER_HARDWARE_PATH = 4,
};

enum moult_status {
  /* done */
  MOULT_STATUS_OK = 0,
  /* the newest release for this device is already installed */
  MOULT_STATUS_UP_TO_DATE = 1,
  /* a newer release exists, but not for this hardware [wrong hardware] */
  MOULT_STATUS_NOT_FOR_HARDWARE = 2,
  /* the newest release failed its trial on this device and is not tried again */
  MOULT_STATUS_RELEASE_FAILED_BEFORE = 3,
  /* a verified image is selected and runs after a reboot */
  MOULT_STATUS_READY_TO_REBOOT = 4,
  /* the target that was asked for has arrived and is what was signed */
  MOULT_STATUS_TARGET_VERIFIED = 5,
  /* a newer release exists, but the user has opted out of updates */
  MOULT_STATUS_OPTED_OUT = 6,
  /* a newer release exists and waits for the user's approval */
  MOULT_STATUS_UPDATE_AVAILABLE = 7,
  /* a newer release exists, but the user has postponed it */
  MOULT_STATUS_POSTPONED = 8,
  /* the flash could not be read */
  MOULT_STATUS_FLASH_READ = -1,
  /* the flash could not be written */
  MOULT_STATUS_FLASH_WRITE = -2,
  /* the flash could not be erased */
  MOULT_STATUS_FLASH_ERASE = -3,
  /* what was written to flash does not read back the same */
  MOULT_STATUS_FLASH_VERIFY = -4,
  /* the trust store is damaged and holds no usable root */
  MOULT_STATUS_STORE_CORRUPT = -5,
  /* the file does not fit the trust store of this board */
  MOULT_STATUS_STORE_FULL = -6,
  /* the device has no root of trust yet: provision it */
  MOULT_STATUS_NOT_PROVISIONED = -7,
  /* the device has its root of trust already */
  MOULT_STATUS_ALREADY_PROVISIONED = -8,
  /* the call does not belong here */
  MOULT_STATUS_WRONG_STATE = -9,
  /* an argument is out of range */
  MOULT_STATUS_BAD_ARGUMENT = -10,
  /* the device configuration is not valid */
  MOULT_STATUS_CONFIG_INVALID = -11,
  /* the flash layout that the host describes cannot be used */
  MOULT_STATUS_LAYOUT_INVALID = -12,
  /* the security counter of the board could not be raised */
  MOULT_STATUS_COUNTER = -13,
  /* the boot selection of the board failed */
  MOULT_STATUS_BOOT = -14,
  /* the update was postponed for as long as it may be */
  MOULT_STATUS_POSTPONE_LIMIT = -15,
  /* not JSON */
  MOULT_STATUS_JSON_SYNTAX = -20,
  /* JSON nested too deeply [crash by crafted metadata] */
  MOULT_STATUS_JSON_DEPTH = -21,
  /* text that is not valid UTF-8 */
  MOULT_STATUS_JSON_UTF8 = -22,
  /* a number that canonical JSON does not have (fraction, exponent) */
  MOULT_STATUS_JSON_NUMBER = -23,
  /* a name that occurs twice in one object [two readers, two meanings] */
  MOULT_STATUS_JSON_DUPLICATE = -24,
  /* JSON that would take too long to put in order [endless work] */
  MOULT_STATUS_JSON_COMPLEX = -25,
  /* no envelope of `signed` and `signatures` */
  MOULT_STATUS_ENVELOPE_INVALID = -30,
  /* one key id signs twice [one signature counted twice] */
  MOULT_STATUS_SIGNATURE_DUPLICATE = -31,
  /* metadata without a field that it must have, or with one of the wrong kind */
  MOULT_STATUS_METADATA_INVALID = -32,
  /* metadata of another role [one role's file served as another's] */
  MOULT_STATUS_TYPE_MISMATCH = -33,
  /* a specification version that this client does not read */
  MOULT_STATUS_SPEC_VERSION = -34,
  /* a version that is not a whole number above 0 */
  MOULT_STATUS_VERSION_INVALID = -35,
  /* a threshold that is not a whole number above 0, or larger than this client counts [threshold 0] */
  MOULT_STATUS_THRESHOLD_INVALID = -36,
  /* an expiry date that is not a date */
  MOULT_STATUS_EXPIRES_INVALID = -37,
  /* more keys or signatures for one role than this client reads [endless work] */
  MOULT_STATUS_TOO_MANY_KEYS = -38,
  /* only hashes that this client does not know or trust [weak hash] */
  MOULT_STATUS_HASH_UNKNOWN = -39,
  /* too few valid signatures for the threshold [arbitrary software, stolen key below the threshold] */
  MOULT_STATUS_SIGNATURES = -40,
  /* a root that is not the next version [root skipped or replayed] */
  MOULT_STATUS_ROOT_VERSION = -41,
  /* a version lower than the trusted one [rollback] */
  MOULT_STATUS_ROLLBACK = -42,
  /* a file that the trusted snapshot lists is missing or has a lower version [rollback by snapshot] */
  MOULT_STATUS_SNAPSHOT_ROLLBACK = -43,
  /* a version other than the one that was announced [mix-and-match] */
  MOULT_STATUS_VERSION_MISMATCH = -44,
  /* expired [freeze] */
  MOULT_STATUS_EXPIRED = -45,
  /* not the bytes whose hash was announced [mix-and-match, tampering] */
  MOULT_STATUS_HASH_MISMATCH = -46,
  /* not the length that was announced [mix-and-match, tampering] */
  MOULT_STATUS_LENGTH_MISMATCH = -47,
  /* more bytes than allowed [endless data] */
  MOULT_STATUS_TOO_LONG = -48,
  /* more root versions than one check follows; the next check goes on [endless data] */
  MOULT_STATUS_TOO_MANY_ROOTS = -49,
  /* a delegated role that the snapshot does not list */
  MOULT_STATUS_ROLE_UNLISTED = -50,
  /* more delegated roles than one search looks into [endless data] */
  MOULT_STATUS_TOO_MANY_ROLES = -51,
  /* the time is not known, and this device is configured to need it [freeze] */
  MOULT_STATUS_TIME_UNKNOWN = -52,
  /* the Director's targets delegate to others [arbitrary software with a stolen Director key] */
  MOULT_STATUS_DIRECTOR_DELEGATES = -53,
  /* the Director's targets name one ECU twice [mix-and-match] */
  MOULT_STATUS_ECU_DUPLICATE = -54,
  /* the Director's targets name an ECU that this vehicle does not have [metadata of another vehicle replayed] */
  MOULT_STATUS_ECU_UNKNOWN = -55,
  /* the Director's targets are not for this vehicle [metadata of another vehicle replayed] */
  MOULT_STATUS_VEHICLE_MISMATCH = -56,
  /* length or hashes of one target differ between Director and Image repository [mix-and-match, arbitrary software with one stolen repository] */
  MOULT_STATUS_TARGET_MISMATCH = -57,
  /* custom fields of one target that must match differ between Director and Image repository [mix-and-match, rollback with one stolen repository] */
  MOULT_STATUS_CUSTOM_MISMATCH = -58,
  /* a target that is not for the hardware of its ECU [wrong hardware] */
  MOULT_STATUS_HARDWARE_MISMATCH = -59,
  /* a file name that could leave its folder [path traversal] */
  MOULT_STATUS_PATH_INVALID = -60,
  /* a file name longer than this client asks for */
  MOULT_STATUS_NAME_TOO_LONG = -61,
  /* an image larger than the slot */
  MOULT_STATUS_IMAGE_TOO_LARGE = -62,
  /* not the image that was signed [tampered image] */
  MOULT_STATUS_IMAGE_MISMATCH = -63,
  /* a security counter below the one of this device [downgrade to a vulnerable release] */
  MOULT_STATUS_COUNTER_ROLLBACK = -64,
  /* the new image failed its self-test and the old one returned */
  MOULT_STATUS_SELF_TEST_FAILED = -65,
  /* the new image did not confirm itself in time and the old one returned */
  MOULT_STATUS_TRIAL_FAILED = -66,
  /* no role that is trusted for it lists the target that was asked for */
  MOULT_STATUS_TARGET_UNKNOWN = -67,
  /* bytes that are no patch of this image, or would read or write outside of it [tampered patch] */
  MOULT_STATUS_PATCH_INVALID = -68,
  /* a patch of a kind that this client does not read */
  MOULT_STATUS_PATCH_UNKNOWN = -69,
  /* the image is encrypted, and this device has no key */
  MOULT_STATUS_KEY_MISSING = -70,
  /* the image is encrypted, but not for the key of this device */
  MOULT_STATUS_NOT_A_RECIPIENT = -71,
  /* not the encrypted bytes that were made for this device [tampered payload] */
  MOULT_STATUS_DECRYPTION = -72,
  /* the image is encrypted, and a half of the journal does not hold where that stands */
  MOULT_STATUS_JOURNAL_TOO_SMALL = -73,
  /* releases that do not go together: one requires or excludes another [mix-and-match, partial bundle] */
  MOULT_STATUS_SET_REFUSED = -74,
  /* too few of the roles that a target is delegated to say the same of it [arbitrary software with one stolen key] */
  MOULT_STATUS_ROLES_DISAGREE = -77,
  /* the repository could not be reached */
  MOULT_STATUS_NETWORK = -80,
  /* the repository does not have a file that it must have */
  MOULT_STATUS_NOT_FOUND = -81,
  /* the answer begins at another offset than was asked for */
  MOULT_STATUS_RANGE = -82,
  /* fewer bytes than announced; the rest is fetched later */
  MOULT_STATUS_TRUNCATED = -83,
  /* bytes that came before came again, and were others [a file that changes under a download] */
  MOULT_STATUS_FILE_CHANGED = -84,
  /* not an image that the bootloader of this board starts */
  MOULT_STATUS_IMAGE_FORMAT = -90,
  /* an image for another chip [wrong hardware] */
  MOULT_STATUS_WRONG_CHIP = -91,
  /* bytes behind the end of the image, which nobody looks at [unsigned code] */
  MOULT_STATUS_IMAGE_TRAILING = -92,
  /* the checksum or hash in the image is not that of its bytes */
  MOULT_STATUS_IMAGE_CORRUPT = -93,
  /* a field of the image in a place where no signature covers it, or none can [unsigned field] */
  MOULT_STATUS_IMAGE_UNPROTECTED = -94,
  /* the security counter in the image is not the one that was signed [downgrade to a vulnerable release] */
  MOULT_STATUS_IMAGE_COUNTER = -95,
  /* not signed by the key that the bootloader trusts [arbitrary software] */
  MOULT_STATUS_IMAGE_SIGNATURE = -96,
  /* no time server answers, or this board has no random numbers to ask with [freeze by silence] */
  MOULT_STATUS_TIME_MISSING = -110,
  /* no answer of a time server in a version that this client reads [tampered answer] */
  MOULT_STATUS_TIME_INVALID = -111,
  /* the answer to another request [replayed time] */
  MOULT_STATUS_TIME_REPLAYED = -112,
  /* not signed by the time server, or not by whom it delegates to [forged time] */
  MOULT_STATUS_TIME_SIGNATURE = -113,
  /* a time outside of what the time server delegated [stolen delegated key] */
  MOULT_STATUS_TIME_DELEGATION = -114,
  /* a time before what is known to have passed [freeze, rollback of the clock] */
  MOULT_STATUS_TIME_ROLLBACK = -115,
  /* a time far behind all that is signed, or given so roughly that it says nothing [time server that locks devices up] */
  MOULT_STATUS_TIME_ABSURD = -116,
  /* not the core that this firmware was built with [tampered core] */
  MOULT_STATUS_MODULE_HASH = -100,
  /* a core that this host cannot load */
  MOULT_STATUS_MODULE_INVALID = -101,
  /* a core of another ABI version */
  MOULT_STATUS_ABI_VERSION = -102,
  /* too little memory for the core */
  MOULT_STATUS_MEMORY = -103,
  /* the core stopped at a bug of its own */
  MOULT_STATUS_TRAP = -104,
  /* the core took longer than this host allows */
  MOULT_STATUS_DEADLINE = -105,
  /* a file that is no bundle, or not a whole one [truncation] */
  MOULT_STATUS_BUNDLE_INVALID = -106,
};

/* X(name, value, finding, attack that it stops or "") */
#define MOULT_STATUS_LIST(X) \
  X(OK, 0, "done", "") \
  X(UP_TO_DATE, 1, "the newest release for this device is already installed", "") \
  X(NOT_FOR_HARDWARE, 2, "a newer release exists, but not for this hardware", "wrong hardware") \
  X(RELEASE_FAILED_BEFORE, 3, "the newest release failed its trial on this device and is not tried again", "") \
  X(READY_TO_REBOOT, 4, "a verified image is selected and runs after a reboot", "") \
  X(TARGET_VERIFIED, 5, "the target that was asked for has arrived and is what was signed", "") \
  X(OPTED_OUT, 6, "a newer release exists, but the user has opted out of updates", "") \
  X(UPDATE_AVAILABLE, 7, "a newer release exists and waits for the user's approval", "") \
  X(POSTPONED, 8, "a newer release exists, but the user has postponed it", "") \
  X(FLASH_READ, -1, "the flash could not be read", "") \
  X(FLASH_WRITE, -2, "the flash could not be written", "") \
  X(FLASH_ERASE, -3, "the flash could not be erased", "") \
  X(FLASH_VERIFY, -4, "what was written to flash does not read back the same", "") \
  X(STORE_CORRUPT, -5, "the trust store is damaged and holds no usable root", "") \
  X(STORE_FULL, -6, "the file does not fit the trust store of this board", "") \
  X(NOT_PROVISIONED, -7, "the device has no root of trust yet: provision it", "") \
  X(ALREADY_PROVISIONED, -8, "the device has its root of trust already", "") \
  X(WRONG_STATE, -9, "the call does not belong here", "") \
  X(BAD_ARGUMENT, -10, "an argument is out of range", "") \
  X(CONFIG_INVALID, -11, "the device configuration is not valid", "") \
  X(LAYOUT_INVALID, -12, "the flash layout that the host describes cannot be used", "") \
  X(COUNTER, -13, "the security counter of the board could not be raised", "") \
  X(BOOT, -14, "the boot selection of the board failed", "") \
  X(POSTPONE_LIMIT, -15, "the update was postponed for as long as it may be", "") \
  X(JSON_SYNTAX, -20, "not JSON", "") \
  X(JSON_DEPTH, -21, "JSON nested too deeply", "crash by crafted metadata") \
  X(JSON_UTF8, -22, "text that is not valid UTF-8", "") \
  X(JSON_NUMBER, -23, "a number that canonical JSON does not have (fraction, exponent)", "") \
  X(JSON_DUPLICATE, -24, "a name that occurs twice in one object", "two readers, two meanings") \
  X(JSON_COMPLEX, -25, "JSON that would take too long to put in order", "endless work") \
  X(ENVELOPE_INVALID, -30, "no envelope of `signed` and `signatures`", "") \
  X(SIGNATURE_DUPLICATE, -31, "one key id signs twice", "one signature counted twice") \
  X(METADATA_INVALID, -32, "metadata without a field that it must have, or with one of the wrong kind", "") \
  X(TYPE_MISMATCH, -33, "metadata of another role", "one role's file served as another's") \
  X(SPEC_VERSION, -34, "a specification version that this client does not read", "") \
  X(VERSION_INVALID, -35, "a version that is not a whole number above 0", "") \
  X(THRESHOLD_INVALID, -36, "a threshold that is not a whole number above 0, or larger than this client counts", "threshold 0") \
  X(EXPIRES_INVALID, -37, "an expiry date that is not a date", "") \
  X(TOO_MANY_KEYS, -38, "more keys or signatures for one role than this client reads", "endless work") \
  X(HASH_UNKNOWN, -39, "only hashes that this client does not know or trust", "weak hash") \
  X(SIGNATURES, -40, "too few valid signatures for the threshold", "arbitrary software, stolen key below the threshold") \
  X(ROOT_VERSION, -41, "a root that is not the next version", "root skipped or replayed") \
  X(ROLLBACK, -42, "a version lower than the trusted one", "rollback") \
  X(SNAPSHOT_ROLLBACK, -43, "a file that the trusted snapshot lists is missing or has a lower version", "rollback by snapshot") \
  X(VERSION_MISMATCH, -44, "a version other than the one that was announced", "mix-and-match") \
  X(EXPIRED, -45, "expired", "freeze") \
  X(HASH_MISMATCH, -46, "not the bytes whose hash was announced", "mix-and-match, tampering") \
  X(LENGTH_MISMATCH, -47, "not the length that was announced", "mix-and-match, tampering") \
  X(TOO_LONG, -48, "more bytes than allowed", "endless data") \
  X(TOO_MANY_ROOTS, -49, "more root versions than one check follows; the next check goes on", "endless data") \
  X(ROLE_UNLISTED, -50, "a delegated role that the snapshot does not list", "") \
  X(TOO_MANY_ROLES, -51, "more delegated roles than one search looks into", "endless data") \
  X(TIME_UNKNOWN, -52, "the time is not known, and this device is configured to need it", "freeze") \
  X(DIRECTOR_DELEGATES, -53, "the Director's targets delegate to others", "arbitrary software with a stolen Director key") \
  X(ECU_DUPLICATE, -54, "the Director's targets name one ECU twice", "mix-and-match") \
  X(ECU_UNKNOWN, -55, "the Director's targets name an ECU that this vehicle does not have", "metadata of another vehicle replayed") \
  X(VEHICLE_MISMATCH, -56, "the Director's targets are not for this vehicle", "metadata of another vehicle replayed") \
  X(TARGET_MISMATCH, -57, "length or hashes of one target differ between Director and Image repository", "mix-and-match, arbitrary software with one stolen repository") \
  X(CUSTOM_MISMATCH, -58, "custom fields of one target that must match differ between Director and Image repository", "mix-and-match, rollback with one stolen repository") \
  X(HARDWARE_MISMATCH, -59, "a target that is not for the hardware of its ECU", "wrong hardware") \
  X(PATH_INVALID, -60, "a file name that could leave its folder", "path traversal") \
  X(NAME_TOO_LONG, -61, "a file name longer than this client asks for", "") \
  X(IMAGE_TOO_LARGE, -62, "an image larger than the slot", "") \
  X(IMAGE_MISMATCH, -63, "not the image that was signed", "tampered image") \
  X(COUNTER_ROLLBACK, -64, "a security counter below the one of this device", "downgrade to a vulnerable release") \
  X(SELF_TEST_FAILED, -65, "the new image failed its self-test and the old one returned", "") \
  X(TRIAL_FAILED, -66, "the new image did not confirm itself in time and the old one returned", "") \
  X(TARGET_UNKNOWN, -67, "no role that is trusted for it lists the target that was asked for", "") \
  X(PATCH_INVALID, -68, "bytes that are no patch of this image, or would read or write outside of it", "tampered patch") \
  X(PATCH_UNKNOWN, -69, "a patch of a kind that this client does not read", "") \
  X(KEY_MISSING, -70, "the image is encrypted, and this device has no key", "") \
  X(NOT_A_RECIPIENT, -71, "the image is encrypted, but not for the key of this device", "") \
  X(DECRYPTION, -72, "not the encrypted bytes that were made for this device", "tampered payload") \
  X(JOURNAL_TOO_SMALL, -73, "the image is encrypted, and a half of the journal does not hold where that stands", "") \
  X(SET_REFUSED, -74, "releases that do not go together: one requires or excludes another", "mix-and-match, partial bundle") \
  X(ROLES_DISAGREE, -77, "too few of the roles that a target is delegated to say the same of it", "arbitrary software with one stolen key") \
  X(NETWORK, -80, "the repository could not be reached", "") \
  X(NOT_FOUND, -81, "the repository does not have a file that it must have", "") \
  X(RANGE, -82, "the answer begins at another offset than was asked for", "") \
  X(TRUNCATED, -83, "fewer bytes than announced; the rest is fetched later", "") \
  X(FILE_CHANGED, -84, "bytes that came before came again, and were others", "a file that changes under a download") \
  X(IMAGE_FORMAT, -90, "not an image that the bootloader of this board starts", "") \
  X(WRONG_CHIP, -91, "an image for another chip", "wrong hardware") \
  X(IMAGE_TRAILING, -92, "bytes behind the end of the image, which nobody looks at", "unsigned code") \
  X(IMAGE_CORRUPT, -93, "the checksum or hash in the image is not that of its bytes", "") \
  X(IMAGE_UNPROTECTED, -94, "a field of the image in a place where no signature covers it, or none can", "unsigned field") \
  X(IMAGE_COUNTER, -95, "the security counter in the image is not the one that was signed", "downgrade to a vulnerable release") \
  X(IMAGE_SIGNATURE, -96, "not signed by the key that the bootloader trusts", "arbitrary software") \
  X(TIME_MISSING, -110, "no time server answers, or this board has no random numbers to ask with", "freeze by silence") \
  X(TIME_INVALID, -111, "no answer of a time server in a version that this client reads", "tampered answer") \
  X(TIME_REPLAYED, -112, "the answer to another request", "replayed time") \
  X(TIME_SIGNATURE, -113, "not signed by the time server, or not by whom it delegates to", "forged time") \
  X(TIME_DELEGATION, -114, "a time outside of what the time server delegated", "stolen delegated key") \
  X(TIME_ROLLBACK, -115, "a time before what is known to have passed", "freeze, rollback of the clock") \
  X(TIME_ABSURD, -116, "a time far behind all that is signed, or given so roughly that it says nothing", "time server that locks devices up") \
  X(MODULE_HASH, -100, "not the core that this firmware was built with", "tampered core") \
  X(MODULE_INVALID, -101, "a core that this host cannot load", "") \
  X(ABI_VERSION, -102, "a core of another ABI version", "") \
  X(MEMORY, -103, "too little memory for the core", "") \
  X(TRAP, -104, "the core stopped at a bug of its own", "") \
  X(DEADLINE, -105, "the core took longer than this host allows", "") \
  X(BUNDLE_INVALID, -106, "a file that is no bundle, or not a whole one", "truncation")

/* X(name, signature as wasm3 writes it) */
#define MOULT_EXPORT_LIST(X) \
  X(abi_version, "i()") \
  X(agent_step, "i(i)") \
  X(agent_until, "i()") \
  X(io_capacity, "i()") \
  X(io_pointer, "i()") \
  X(target_find, "i(i)") \
  X(fetch_begin, "i(i)") \
  X(fetch_end, "i(i)") \
  X(fetch_erase_ahead, "i()") \
  X(fetch_kind, "i()") \
  X(fetch_limit, "i()") \
  X(fetch_name_length, "i()") \
  X(fetch_offset, "i()") \
  X(fetch_write, "i(i)") \
  X(fetch_name, "i()") \
  X(provision_begin, "i(i)") \
  X(provision_end, "i()") \
  X(provision_write, "i(i)") \
  X(core_start, "i()") \
  X(state_read, "i(i)") \
  X(text_read, "i(i)") \
  X(image_confirm, "i()") \
  X(image_reject, "i()") \
  X(trusted_find, "i(i)") \
  X(trusted_length, "i(i)") \
  X(trusted_read, "i(i)")

/* The same, of what not every core has. */
#define MOULT_OPTIONAL_EXPORT_LIST(X) \
  X(director_target, "i(i)") \
  X(time_answer, "i(i)") \
  X(public_key_read, "i(i)") \
  X(policy_set, "i(i)") \
  X(release_find, "i()") \
  X(update_approve, "i()") \
  X(update_postpone, "i(i)") \
  X(log_length, "i()") \
  X(log_read, "i(i)") \
  X(manifest_end, "i()") \
  X(manifest_write, "i(i)") \
  X(report_end, "i(i)") \
  X(report_write, "i()") \
  X(component_choose, "i(i)") \
  X(component_read, "i(i)") \
  X(component_text, "i(i)")

#define MOULT_IMPORT_LIST(X) \
  X(flash_read, "i(iiii)") \
  X(flash_write, "i(iiii)") \
  X(flash_erase, "i(iii)") \
  X(flash_size, "i(i)") \
  X(flash_block_end, "i(ii)") \
  X(flash_unit, "i(i)") \
  X(counter_read, "i()") \
  X(counter_advance, "i(i)") \
  X(boot_state, "i()") \
  X(boot_select, "i(i)") \
  X(boot_confirm, "i()") \
  X(boot_revert, "i()") \
  X(entropy, "i(ii)") \
  X(sha256_compress, "i(ii)")

#endif
