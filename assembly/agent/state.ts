// What a host may know of the device: numbers and texts, for people, logs and reports.

import { ComponentField, ComponentText, State, Text } from "../abi";
import * as host from "../host";
import { slot_received } from "../install/slots";
import { IO_BUFFER } from "../memory";
import { reader_seek, reader_string, reader_text, TEXT_CAPACITY } from "../json/reader";
import { Status } from "../status";
import { install, install_component, install_version, Stage } from "../storage/journal";
import { Kind, store_entry } from "../storage/record";
import { trusted_open_place, trusted_reader } from "../tuf/trusted";
import { clock } from "./clock";
import { components, component_hardware, component_name, part_at, part_version, staged_at } from "./components";
import { config_component, config_hardware } from "./config";
import { device, device_version } from "./device";
import { agent_role, agent_status, run } from "./run";
import { policy } from "./policy";
import { elsewhere } from "./selection";

export function state_read(field: State): i32 {
  const installing = install.stage != Stage.NONE;
  switch (field) {
    case State.RUNNING_SLOT:
      return host.boot_state() & 1;
    case State.ON_TRIAL:
      return (host.boot_state() >> 8) & 1;
    case State.ROOT_VERSION:
    case State.TIMESTAMP_VERSION:
    case State.SNAPSHOT_VERSION:
    case State.TARGETS_VERSION:
      return store_entry(Kind.ROOT + field - State.ROOT_VERSION).version;
    case State.LATEST_TIME:
      return device.time;
    case State.SECURITY_COUNTER:
      return device.security;
    case State.INSTALLED_RELEASE:
      return device.release;
    case State.CANDIDATE_RELEASE:
      return installing ? install.release : 0;
    case State.IMAGE_LENGTH:
      return installing ? install.length : 0;
    case State.IMAGE_OFFSET:
      return install.stage == Stage.DOWNLOADING ? max(install.offset, slot_received()) : installing ? install.length : 0;
    case State.CHECK_STATUS:
      return agent_status();
    case State.CHECK_ROLE:
      return agent_role();
    case State.MEMORY_USED:
      return <i32>__heap_base;
    case State.TIME_KNOWN:
      return i32(!isDefined(SMALL) && clock.finding == Status.OK);
    case State.POLICY:
      return isDefined(SMALL) ? 0 : policy.mode;
    case State.POSTPONED_UNTIL:
      return isDefined(SMALL) ? 0 : policy.until;
    case State.DOWNTIME:
      return isDefined(SMALL) ? 0 : policy.downtime;
    default:
      return isDefined(SMALL) ? Status.BAD_ARGUMENT : other_state(field);
  }
}

/** What the small core does not tell. */
function other_state(field: State): i32 {
  if (field == State.CHECK_REPOSITORY) return i32(run.outcome_director);
  return field == State.TIME_STATUS ? clock.finding : Status.BAD_ARGUMENT;
}

/** Writes a text into the buffer and returns its length. */
export function text_read(field: Text): i32 {
  switch (field) {
    case Text.HARDWARE_ID:
      return put(config_hardware());
    case Text.COMPONENT:
      return put(config_component());
    case Text.INSTALLED_VERSION:
      return put(device_version());
    case Text.CANDIDATE_VERSION:
      return put(install_version());
    case Text.OTHER_HARDWARE_PATH:
      return put_other_path();
    default:
      return Status.BAD_ARGUMENT;
  }
}

let component: i32 = 0;

/**
 * Chooses the component that the next two tell of; 0 is the main one. Returns how many there are; BAD_ARGUMENT: not so
 * many.
 */
export function component_choose(wanted: i32): i32 {
  if (<u32>wanted >= <u32>components()) return Status.BAD_ARGUMENT;
  component = wanted;
  return components();
}

/** A number that tells of the component. */
export function component_read(field: ComponentField): i32 {
  switch (field) {
    case ComponentField.INSTALLED_RELEASE:
      return part_at(component).release;
    case ComponentField.SECURITY_COUNTER:
      return part_at(component).security;
    case ComponentField.RUNNING_SLOT:
      return (host.boot_state() >> component) & 1;
    case ComponentField.CANDIDATE_RELEASE:
      return is_installing() ? install.release : component != 0 ? staged_at(component).release : 0;
    default:
      return Status.BAD_ARGUMENT;
  }
}

/** Writes a text that tells of the component into the buffer and returns its length. */
export function component_text(field: ComponentText): i32 {
  switch (field) {
    case ComponentText.COMPONENT:
      return put(component_name(component));
    case ComponentText.HARDWARE_ID:
      return put(component_hardware(component));
    case ComponentText.INSTALLED_VERSION:
      return put(part_version(part_at(component)));
    case ComponentText.CANDIDATE_VERSION:
      return is_installing() ? put(install_version()) : component != 0 ? put(part_version(staged_at(component))) : 0;
    default:
      return Status.BAD_ARGUMENT;
  }
}

function is_installing(): bool {
  return install.stage != Stage.NONE && install_component() == component;
}

/** A text that is kept as its length and its bytes. */
function put(counted: usize): i32 {
  const length = load<u8>(counted);
  memory.copy(IO_BUFFER, counted + 1, length);
  return length;
}

function put_other_path(): i32 {
  if (elsewhere.release == 0 || trusted_open_place(elsewhere.place) != Status.OK) return 0;
  reader_seek(trusted_reader, elsewhere.path);
  if (!reader_string(trusted_reader)) return 0;
  const length = min(trusted_reader.text_length, TEXT_CAPACITY);
  memory.copy(IO_BUFFER, reader_text(trusted_reader), length);
  return length;
}
