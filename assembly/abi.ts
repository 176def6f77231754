// The numbers that cross the ABI, statuses apart. Append only, like those.
// `scripts/abi.ts` copies them into host/node/abi.ts and host/wasm3/moult_abi.h.

export const ABI_VERSION: i32 = 4;

export const enum Action {
  /** nothing to do before `agent_until()` */
  WAIT = 0,
  /** fetch what the fetch_ exports describe */
  FETCH = 1,
  /** a new image runs on trial: test it, then image_confirm or image_reject */
  SELF_TEST = 2,
  /** boot again: another slot is selected */
  REBOOT = 3,
  /** more work is left: call agent_step again (and feed the watchdog first) */
  CONTINUE = 4,
  /** an image is ready and the device would boot again: update_approve now, or update_postpone */
  ASK = 5,
  /** a check begins: send what is installed, report_write, and on a Primary the manifest; then report_end */
  REPORT = 6,
  /** send the datagram in the buffer, all of it, to a time server; then call time_answer, or this again for another request */
  TIME = 7,
}

export const enum Area {
  /** one bank of the trust store */
  STORE_A = 0,
  /** the other bank of the trust store */
  STORE_B = 1,
  /** progress of the current install */
  JOURNAL = 2,
  /** image slot 0 */
  SLOT_A = 3,
  /** image slot 1 */
  SLOT_B = 4,
  /** the log; a board may have none */
  LOG = 6,
}

export const enum FetchKind {
  /** below the metadata URL */
  METADATA = 0,
  /** below the targets URL */
  TARGET = 1,
  /** below the metadata URL of the Director */
  DIRECTOR = 2,
}

export const enum LogEvent {
  /** begins an erase block, and says nothing else */
  ANCHOR = 0,
  /** how a check or a start ended; the detail says how often in a row */
  OUTCOME = 1,
  /** the device got its configuration and its root of trust */
  PROVISIONED = 2,
  /** an install has begun; the detail of this and the next four is a release counter */
  INSTALL = 3,
  /** the image on flash is what was signed */
  VERIFIED = 4,
  /** its slot is selected for the next boot */
  SELECTED = 5,
  /** it runs on trial */
  TRIAL = 6,
  /** it is confirmed */
  CONFIRMED = 7,
  /** it is given up, and the image before it comes back */
  REVERTED = 8,
  /** the user approved of a release; the detail is its counter; where it is not of the main component alone, a number that tells the set from others */
  APPROVED = 9,
  /** the user postponed the update; the detail is until when */
  POSTPONED = 10,
  /** the user changed the policy, which is the detail */
  POLICY = 11,
  /** a time server answers again, or none does, or none as it must; the detail is the time that it says has passed */
  TIME = 12,
  /** a report was sent, after one that was not, or could not be sent, after one that was; the detail is its counter */
  REPORT = 13,
}

export const enum Mode {
  /** updates are installed as they come */
  AUTOMATIC = 0,
  /** updates are announced, and installed when the user approves */
  NOTIFY = 1,
  /** no updates are wanted */
  OFF = 2,
}

export const enum Part {
  /** the device configuration */
  CONFIG = 0,
  /** the first root of trust */
  ROOT = 1,
  /** 32 bytes of secret, for the key that payloads are encrypted for and the one that reports are signed with; or none: the core makes them */
  KEY = 2,
  /** the trusted root of the Director, in mode "full", before the last part: that of the Image repository */
  DIRECTOR = 3,
}

export const enum Role {
  /** signs the keys of all roles */
  ROOT = 0,
  /** says what is newest */
  TIMESTAMP = 1,
  /** says which versions belong together */
  SNAPSHOT = 2,
  /** says what may be installed */
  TARGETS = 3,
  /** the image itself */
  IMAGE = 4,
  /** no role in particular */
  NONE = 5,
  /** a role that targets or another delegated role delegates to */
  DELEGATED = 6,
  /** says which of the Director's offline targets belong together */
  OFFLINE_SNAPSHOT = 7,
  /** says what may be installed without the Director */
  OFFLINE_TARGETS = 8,
}

export const enum State {
  /** the slot that runs, 0 or 1 */
  RUNNING_SLOT = 0,
  /** 1: it runs on trial */
  ON_TRIAL = 1,
  /** version of the trusted root; 0: not provisioned */
  ROOT_VERSION = 2,
  /** version of the trusted timestamp; 0: none */
  TIMESTAMP_VERSION = 3,
  /** version of the trusted snapshot; 0: none */
  SNAPSHOT_VERSION = 4,
  /** version of the trusted targets; 0: none */
  TARGETS_VERSION = 5,
  /** the latest time that is known to have passed, seconds since 1970 */
  LATEST_TIME = 6,
  /** the security counter */
  SECURITY_COUNTER = 7,
  /** release counter of the confirmed image */
  INSTALLED_RELEASE = 8,
  /** release counter of the image that is being installed or tried; 0: none */
  CANDIDATE_RELEASE = 9,
  /** length of that image in bytes */
  IMAGE_LENGTH = 10,
  /** bytes of it that are in the slot */
  IMAGE_OFFSET = 11,
  /** status of the last check */
  CHECK_STATUS = 12,
  /** the role that this status concerns */
  CHECK_ROLE = 13,
  /** bytes of linear memory in use, from address 0 */
  MEMORY_USED = 14,
  /** 1: the last check had the time, from the host or a time server; 0: it judged by the latest known time */
  TIME_KNOWN = 15,
  /** how updates go: a Mode */
  POLICY = 16,
  /** until when the update is postponed, seconds since 1970; 0: it is not */
  POSTPONED_UNTIL = 17,
  /** seconds that the last install kept the device from its work: from before the reboot until the image was judged */
  DOWNTIME = 18,
  /** the repository that the status of the last check concerns: 1 the Director, 0 the Image repository or the only one */
  CHECK_REPOSITORY = 19,
  /** how the last check came by the time: 0, or what is wrong with the answers of time servers */
  TIME_STATUS = 20,
}

export const enum ComponentField {
  /** release counter of the confirmed image */
  INSTALLED_RELEASE = 0,
  /** the security counter below which none of its images runs */
  SECURITY_COUNTER = 1,
  /** the slot that runs, 0 or 1 */
  RUNNING_SLOT = 2,
  /** release counter of the image that is being installed or tried, or waits in its slot for others; 0: none */
  CANDIDATE_RELEASE = 3,
}

export const enum ComponentText {
  /** its name */
  COMPONENT = 0,
  /** the hardware id that its releases are for */
  HARDWARE_ID = 1,
  /** version of the confirmed image */
  INSTALLED_VERSION = 2,
  /** version of the image that is being installed or tried, or waits in its slot for others */
  CANDIDATE_VERSION = 3,
}

export const enum Text {
  /** the hardware id that the device was provisioned with */
  HARDWARE_ID = 0,
  /** the component that the slots hold */
  COMPONENT = 1,
  /** version of the confirmed image */
  INSTALLED_VERSION = 2,
  /** version of the image that is being installed or tried */
  CANDIDATE_VERSION = 3,
  /** path of the newest release that was seen for another hardware */
  OTHER_HARDWARE_PATH = 4,
}
