/* The functions of moult.h that call exports: the same whatever engine runs them. */
#include <string.h>

#include "engine.h"

int32_t moult_check(moult *core) {
  uint32_t version = 0;
  int32_t status = moult_call(core, MOULT_EXPORT_abi_version, 0, &version);
  if (status == 0 && version != MOULT_ABI_VERSION) status = MOULT_STATUS_ABI_VERSION;
  if (status == 0) status = moult_call(core, MOULT_EXPORT_io_pointer, 0, &core->io_pointer);
  if (status == 0) status = moult_call(core, MOULT_EXPORT_io_capacity, 0, &core->io_capacity);
  if (status == 0 && (core->io_capacity == 0 || moult_memory_at(core, core->io_pointer, core->io_capacity) == NULL))
    status = MOULT_STATUS_MODULE_INVALID;
  return status;
}

/* As moult_call, for exports that return a status. */
static int32_t call_status(moult *core, enum moult_export function, uint32_t argument) {
  uint32_t result = 0;
  int32_t status = moult_call(core, function, argument, &result);
  return status != 0 ? status : (int32_t)result;
}

int32_t moult_core_start(moult *core) { return call_status(core, MOULT_EXPORT_core_start, 0); }

/* Hands any number of bytes to an export in pieces that fit the buffer, until it objects. */
static int32_t write_all(moult *core, enum moult_export function, const void *bytes, uint32_t length) {
  const uint8_t *next = bytes;
  int32_t status = core->runtime == NULL ? call_status(core, function, 0) : MOULT_STATUS_OK;
  while (length > 0 && status >= 0) {
    uint32_t part = length < core->io_capacity ? length : core->io_capacity;
    memcpy(moult_memory_at(core, core->io_pointer, part), next, part);
    status = call_status(core, function, part);
    next += part;
    length -= part;
  }
  return status;
}

/* Copies a text out of linear memory and closes it with a 0. */
static int32_t copy_text(const moult *core, uint32_t pointer, uint32_t length, char *to, uint32_t capacity) {
  const uint8_t *from = moult_memory_at(core, pointer, length);
  if (from == NULL || length >= capacity) return MOULT_STATUS_BAD_ARGUMENT;
  memcpy(to, from, length);
  to[length] = 0;
  return (int32_t)length;
}

int32_t moult_provision_begin(moult *core, int32_t part) {
  return call_status(core, MOULT_EXPORT_provision_begin, (uint32_t)part);
}

int32_t moult_provision_write(moult *core, const void *bytes, uint32_t length) {
  return write_all(core, MOULT_EXPORT_provision_write, bytes, length);
}

int32_t moult_provision_end(moult *core) { return call_status(core, MOULT_EXPORT_provision_end, 0); }

int32_t moult_agent_step(moult *core, uint32_t now) { return call_status(core, MOULT_EXPORT_agent_step, now); }

int32_t moult_agent_until(moult *core, uint32_t *seconds) {
  return moult_call(core, MOULT_EXPORT_agent_until, 0, seconds);
}

int32_t moult_fetch_kind(moult *core) { return call_status(core, MOULT_EXPORT_fetch_kind, 0); }

int32_t moult_fetch_name(moult *core, char *name, uint32_t capacity) {
  uint32_t pointer = 0;
  uint32_t length = 0;
  int32_t status = moult_call(core, MOULT_EXPORT_fetch_name, 0, &pointer);
  if (status == 0) status = moult_call(core, MOULT_EXPORT_fetch_name_length, 0, &length);
  return status != 0 ? status : copy_text(core, pointer, length, name, capacity);
}

int32_t moult_fetch_offset(moult *core, uint32_t *offset) {
  return moult_call(core, MOULT_EXPORT_fetch_offset, 0, offset);
}

int32_t moult_fetch_limit(moult *core, uint32_t *limit) {
  return moult_call(core, MOULT_EXPORT_fetch_limit, 0, limit);
}

int32_t moult_fetch_begin(moult *core, uint32_t offset) {
  return call_status(core, MOULT_EXPORT_fetch_begin, offset);
}

int32_t moult_fetch_write(moult *core, const void *bytes, uint32_t length) {
  return write_all(core, MOULT_EXPORT_fetch_write, bytes, length);
}

int32_t moult_fetch_erase_ahead(moult *core) { return call_status(core, MOULT_EXPORT_fetch_erase_ahead, 0); }

int32_t moult_fetch_end(moult *core, int32_t result) {
  return call_status(core, MOULT_EXPORT_fetch_end, (uint32_t)result);
}

const uint8_t *moult_time_request(const moult *core, uint32_t *length) {
  *length = core->runtime == NULL ? 0 : core->io_capacity;
  return *length == 0 ? NULL : moult_memory_at(core, core->io_pointer, *length);
}

int32_t moult_time_answer(moult *core, const void *bytes, uint32_t length) {
  if (length > core->io_capacity) return MOULT_STATUS_TIME_INVALID;
  if (length > 0 && core->runtime != NULL) memcpy(moult_memory_at(core, core->io_pointer, length), bytes, length);
  return call_status(core, MOULT_EXPORT_time_answer, length);
}

int32_t moult_target_find(moult *core, const char *path) {
  size_t length = strlen(path);
  if (length > core->io_capacity) return MOULT_STATUS_NAME_TOO_LONG;
  return length == 0 ? call_status(core, MOULT_EXPORT_target_find, 0)
                     : write_all(core, MOULT_EXPORT_target_find, path, (uint32_t)length);
}

int32_t moult_image_confirm(moult *core) { return call_status(core, MOULT_EXPORT_image_confirm, 0); }

int32_t moult_image_reject(moult *core) { return call_status(core, MOULT_EXPORT_image_reject, 0); }

int32_t moult_public_key_read(moult *core, enum moult_key which, uint8_t key[MOULT_PUBLIC_KEY]) {
  int32_t length = call_status(core, MOULT_EXPORT_public_key_read, which);
  if (length < 0) return length;
  const uint8_t *from = moult_memory_at(core, core->io_pointer, MOULT_PUBLIC_KEY);
  if (from == NULL || length != MOULT_PUBLIC_KEY) return MOULT_STATUS_TRAP;
  memcpy(key, from, MOULT_PUBLIC_KEY);
  return 0;
}

int32_t moult_report_write(moult *core, const uint8_t **report) {
  int32_t length = call_status(core, MOULT_EXPORT_report_write, 0);
  if (length < 0) return length;
  *report = moult_memory_at(core, core->io_pointer, (uint32_t)length + MOULT_SIGNATURE);
  return *report == NULL || length == 0 ? MOULT_STATUS_TRAP : length;
}

int32_t moult_report_end(moult *core, int32_t result) {
  return call_status(core, MOULT_EXPORT_report_end, (uint32_t)result);
}

int32_t moult_state_read(moult *core, int32_t field, uint32_t *value) {
  return moult_call(core, MOULT_EXPORT_state_read, (uint32_t)field, value);
}

int32_t moult_text_read(moult *core, int32_t field, char *text, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_text_read, (uint32_t)field);
  return length < 0 ? length : copy_text(core, core->io_pointer, (uint32_t)length, text, capacity);
}

int32_t moult_log_length(moult *core, uint32_t *length) {
  return moult_call(core, MOULT_EXPORT_log_length, 0, length);
}

int32_t moult_log_read(moult *core, uint32_t offset, void *to, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_log_read, offset);
  if (length <= 0) return length;
  uint32_t taken = (uint32_t)length < capacity ? (uint32_t)length : capacity;
  memcpy(to, moult_memory_at(core, core->io_pointer, taken), taken);
  return (int32_t)taken;
}

int32_t moult_policy_set(moult *core, int32_t mode) {
  return call_status(core, MOULT_EXPORT_policy_set, (uint32_t)mode);
}

int32_t moult_update_approve(moult *core) { return call_status(core, MOULT_EXPORT_update_approve, 0); }

int32_t moult_update_postpone(moult *core, uint32_t until) {
  return call_status(core, MOULT_EXPORT_update_postpone, until);
}

int32_t moult_release_read(moult *core, char *json, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_release_find, 0);
  if (length < 0) return length;
  if ((uint32_t)length >= capacity) return MOULT_STATUS_BAD_ARGUMENT;
  for (int32_t done = 0; done < length;) {
    int32_t part = call_status(core, MOULT_EXPORT_trusted_read, (uint32_t)done);
    if (part <= 0) return part < 0 ? part : MOULT_STATUS_FLASH_READ;
    memcpy(json + done, moult_memory_at(core, core->io_pointer, (uint32_t)part), (size_t)part);
    done += part;
  }
  json[length] = 0;
  return length;
}

int32_t moult_director_target(moult *core, int32_t index, char *path, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_director_target, (uint32_t)index);
  return length < 0 ? length : copy_text(core, core->io_pointer, (uint32_t)length, path, capacity);
}

int32_t moult_component_choose(moult *core, int32_t component) {
  return call_status(core, MOULT_EXPORT_component_choose, (uint32_t)component);
}

int32_t moult_component_read(moult *core, int32_t field, uint32_t *value) {
  return moult_call(core, MOULT_EXPORT_component_read, (uint32_t)field, value);
}

int32_t moult_component_text(moult *core, int32_t field, char *text, uint32_t capacity) {
  int32_t length = call_status(core, MOULT_EXPORT_component_text, (uint32_t)field);
  return length < 0 ? length : copy_text(core, core->io_pointer, (uint32_t)length, text, capacity);
}
