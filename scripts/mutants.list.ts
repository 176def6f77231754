// The mutants that scripts/mutants.ts makes: one check of the core each, and what stands there instead.

export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** Below assembly/. */
  readonly file: string;
  /** Exact text, once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Why no test can tell it from the core. */
  readonly equal?: string;
}

/** Mutants of one file: name, text, replacement, and why it is equal if it is. */
export function mutantsOf(
  file: string,
  ...mutants: readonly (readonly [string, string, string, string?])[]
): Mutant[] {
  return mutants.map(([name, find, replace, equal]) => ({
    name,
    file,
    find,
    replace,
    ...(equal && { equal }),
  }));
}

export const MUTANTS: readonly Mutant[] = [
  ...mutantsOf('install/payload.ts', [
    'what comes once more is not compared',
    'return last && !bytes_equal(PASSED_HASH, taken, sha256_used(taken)) ? Status.FILE_CHANGED : Status.OK;',
    'return Status.OK;',
  ]),
  ...mutantsOf(
    'tuf/workflow.ts',
    [
      'root: any version',
      'if (signed.version != trusted_entry(Role.ROOT).version + 1) return',
      'if (false) return',
    ],
    [
      'root: any higher version',
      'signed.version != trusted_entry(Role.ROOT).version + 1',
      'signed.version <= trusted_entry(Role.ROOT).version',
    ],
    [
      'root: not signed by itself',
      `  status = threshold_load(incoming, signed, Role.ROOT);
  if (status == Status.OK) status = threshold_verify(incoming, envelope);
  if (status != Status.OK) return status;
  const kinds`,
      '  const kinds',
    ],
    [
      'root: its other roles are not looked at',
      'const kinds = kinds_to_drop();',
      'const kinds = max(0, kinds_to_drop());',
    ],
    ['root: expiry of the last one', 'if (expired()) return Status.EXPIRED; // 5.3.10, against a freeze', ''],
    ['root: no end of roots', '  if (roots == MAX_ROOTS) return Status.TOO_MANY_ROOTS;\n', ''],
    [
      'root: 404 for any role is fine',
      'if (role == Role.ROOT) return end_of_roots();',
      'return end_of_roots();',
    ],
    [
      'root: consistent_snapshot of the first only',
      'consistent = trusted_signed.consistent && !is_legacy();',
      'consistent = true;',
    ],
    ['recovery: nothing is dropped', 'kinds |= 1 << trusted_kind(each);', 'kinds |= 0;'],
    [
      'recovery: timestamp and snapshot apart',
      'return kinds & both ? kinds | both : kinds;',
      'return kinds;',
    ],
    [
      'recovery: targets keys do not matter',
      'if (status != Status.OK || !keys_satisfy_noted(keys)) kinds',
      'if (each != Role.TARGETS && (status != Status.OK || !keys_satisfy_noted(keys))) kinds',
    ],
    ['recovery: always', 'if (status != Status.OK || !keys_satisfy_noted(keys)) kinds', 'kinds'],
    [
      'recovery: in part, offline files stay',
      'const last = trusted_is_directed() ?',
      'const last = trusted_is_director() ?',
    ],
    [
      'offline: in part, for ever',
      'if (trusted_is_directed()) trusted_go_offline(false);',
      'if (director) trusted_go_offline(false);',
    ],
    [
      'offline: in the legacy profile too',
      '!trusted_is_directed() || is_legacy() ||',
      '!trusted_is_directed() ||',
    ],
    ['offline: in part, without a list', 'is_partial() && !trusted_is_offline()', 'is_partial()'],
    [
      'provisioning: unsigned root',
      '  if (status == Status.OK) status = threshold_load(incoming, signed, Role.ROOT);\n  if (status == Status.OK) status = threshold_verify(incoming, envelope);\n',
      '',
    ],
    [
      'provisioning: other roles',
      'for (let each = first_online(); status == Status.OK && each <= Role.TARGETS; each++) {',
      'for (let each: i32 = 9; status == Status.OK && each <= Role.TARGETS; each++) {',
    ],
    [
      'timestamp: rollback',
      'if (signed.version < held.version && !is_undated()) return Status.ROLLBACK;',
      '',
    ],
    [
      'timestamp: same version replaces',
      'if (signed.version <= held.version && !(stamps && is_legacy())) return keep_unannounced();',
      '',
    ],
    [
      'timestamp: older snapshot',
      'if (stamps && announced.version < other.version) return Status.SNAPSHOT_ROLLBACK;',
      '',
    ],
    [
      'timestamp: the same snapshot is older',
      'if (stamps && announced.version < other.version) return',
      'if (stamps && announced.version <= other.version) return',
    ],
    [
      'timestamp: expired',
      'if (is_past(signed.expires)) return Status.EXPIRED; // 5.4.4, against a freeze',
      '',
    ],
    [
      'timestamp and files: expired a second late',
      'return expires <= start_time && !is_undated();',
      'return expires < start_time && !is_undated();',
    ],
    [
      'timestamp: kept though expired',
      '  record_abort();\n  if (expired()) return Status.EXPIRED;\n',
      '  record_abort();\n',
    ],
    ['timestamp: unchanged is written again', 'if (record_is_unchanged()) return keep_unannounced();', ''],
    [
      'timestamp: stored before its checks',
      `    if (stamps && announced.version < other.version) return Status.SNAPSHOT_ROLLBACK; // 5.4.3.2
    same = stamps && store_is_settled(0) && file_is(announced, other);
  }
  if (is_past(signed.expires)) return Status.EXPIRED; // 5.4.4, against a freeze
  status = record_commit(signed.version, signed.expires, 0);
`,
      `    if (stamps && announced.version < other.version) {
      status = record_commit(signed.version, signed.expires, 0);
      return status == Status.OK ? Status.SNAPSHOT_ROLLBACK : status;
    }
    same = stamps && store_is_settled(0) && file_is(announced, other);
  }
  const late = is_past(signed.expires);
  status = record_commit(signed.version, signed.expires, 0);
  if (late) return Status.EXPIRED;
`,
    ],
    [
      'files: hashes and length',
      'if (status == Status.OK) status = file_check(store_bank(), record_offset(), record_length(), announced);',
      '',
    ],
    [
      'files: signatures',
      'if (status == Status.OK) status = verify_by_delegator();',
      'if (status == Status.OK) verify_by_delegator();',
    ],
    [
      'files: version',
      'if (signed.version != announced.version) return Status.VERSION_MISMATCH; // 5.5.4, 5.6.4',
      '',
    ],
    [
      'files: higher versions are fine',
      'if (signed.version != announced.version) return Status.VERSION_MISMATCH; // 5.5.4',
      'if (signed.version < announced.version) return Status.VERSION_MISMATCH; // 5.5.4',
    ],
    ['files: expired', 'if (is_past(signed.expires)) return Status.EXPIRED; // 5.5.6, 5.6.5', ''],
    [
      'held snapshot: expired',
      '      if (expired()) return Status.EXPIRED;\n      role = Role.TARGETS;',
      '      role = Role.TARGETS;',
    ],
    [
      'held targets: expired',
      '      if (expired()) return Status.EXPIRED;\n      role = Role.NONE;',
      '      role = Role.NONE;',
    ],
    [
      'held: by version alone',
      'return file_check(store_bank(), entry.offset, entry.length, announced) == Status.OK;',
      'return true;',
    ],
    [
      'held: of any version',
      'if (entry.length == 0 || entry.version != announced.version) return false;',
      'if (entry.length == 0) return false;',
    ],
    [
      'snapshot: not compared',
      '  if (role == Role.SNAPSHOT) {\n    status = check_snapshot();',
      '  if (false) {\n    status = check_snapshot();',
    ],
    ['snapshot: roles may fall', 'if (now < before) return Status.SNAPSHOT_ROLLBACK;', ''],
    [
      'snapshot: roles may vanish',
      'if (!find_onwards(quote)) return incoming.status != Status.OK ? incoming.status : Status.SNAPSHOT_ROLLBACK;',
      'if (!find_onwards(quote)) { if (incoming.status != Status.OK) return incoming.status; continue; }',
    ],
    [
      'snapshot: roles are found in one order only',
      'for (let round = 0; round < 2; round++)',
      'for (let round = 0; round < 1; round++)',
    ],
    [
      'snapshot: read again without an end',
      'if (reread > MAX_REREAD) reader_fail(incoming, Status.JSON_COMPLEX);',
      '',
    ],
    [
      'snapshot: entries are not read',
      'while (reader_member(incoming)) read_version(incoming);',
      'while (false) read_version(incoming);',
    ],
    [
      'snapshot: entries without a version',
      'if (other.version == 0) reader_fail(r, Status.METADATA_INVALID);',
      '',
    ],
    [
      'snapshot: without targets',
      '  const status = file_find(incoming, signed.meta, Name.TARGETS_JSON, other);\n  if (status != Status.OK) return status;\n',
      '',
    ],
    ['limit: root', 'limit = MAX_ROOT;', 'limit = MAX_TARGETS;'],
    ['limit: timestamp', 'limit = MAX_TIMESTAMP;', 'limit = MAX_ROOT;'],
    [
      'limit: snapshot',
      'limit = role == Role.SNAPSHOT ? MAX_SNAPSHOT : MAX_TARGETS;',
      'limit = MAX_TARGETS;',
    ],
    ['limit: targets', 'const MAX_TARGETS: u32 = 5000000;', 'const MAX_TARGETS: u32 = 50000000;'],
    [
      'limit: announced length',
      'if (announced.has_length && !is_legacy()) limit = min(limit, announced.length);',
      '',
    ],
    [
      'limit: announced length is the only one',
      'limit = min(limit, announced.length);',
      'limit = announced.length;',
    ],
    [
      'signed is read before its signatures hold',
      `  if (status == Status.OK) status = threshold_verify(incoming, envelope);
  return status == Status.OK ? signed_read(incoming, envelope.signed, role, signed) : status;`,
      `  if (status == Status.OK) status = signed_read(incoming, envelope.signed, role, signed);
  return status == Status.OK ? threshold_verify(incoming, envelope) : status;`,
    ],
    ['time is not kept', '  start_time = now;\n  roots = 0;', '  start_time = 1;\n  roots = 0;'],
  ),
  ...mutantsOf(
    'tuf/threshold.ts',
    [
      'one signature is enough',
      'return valid >= set.threshold ? Status.OK : Status.SIGNATURES;',
      'return valid >= 1 ? Status.OK : Status.SIGNATURES;',
    ],
    [
      'signatures are not wanted',
      'return valid >= set.threshold ? Status.OK : Status.SIGNATURES;',
      'return Status.OK;',
    ],
    [
      'signatures are not verified',
      'const holds = ed25519_verify_end(context(index++));',
      'const holds = true; index++;',
    ],
    [
      'one key counts twice',
      '    if (!holds || key.counted) continue;\n    key_count(set, key);\n',
      '    if (!holds || key.counted) continue;\n',
    ],
    [
      'one key of another kind counts twice',
      'continue;\n    key_count(set, key);\n    valid++;\n  }\n  return valid >=',
      'continue;\n    valid++;\n  }\n  return valid >=',
    ],
    ['one key counts twice in one pass', 'if (!holds || key.counted) continue;', 'if (!holds) continue;'],
    [
      'one key is verified again',
      'if (key.kind != SIGNATURE_ED25519 || key.counted || key.signature == 0) continue;',
      'if (key.kind != SIGNATURE_ED25519 || key.signature == 0) continue;',
      'what was counted in an earlier pass is not counted again at its end; the check only spares the work',
    ],
    [
      'unknown kinds of key',
      'if (key.kind != SIGNATURE_ED25519 || key.counted || key.signature == 0) continue;',
      'if (key.counted || key.signature == 0) continue;',
    ],
    [
      'one key id twice',
      'if (load<u64>(SIGNER_IDS + (<usize>i << 3)) == id) return reader_fail(file, fault);',
      '',
    ],
    [
      'signatures without an end',
      'if (count == MAX_SIGNATURES) reader_fail(file, Status.TOO_MANY_KEYS);\n    else collect_one',
      'collect_one',
    ],
    [
      'signatures of any length',
      'if (signature_decode(file, key.signature, SIGNATURE_BUFFER, 64) != 64 ||',
      'if (signature_decode(file, key.signature, SIGNATURE_BUFFER, 64) == 0 ||',
    ],
    [
      'signatures without a key id',
      'if (!named || signature == 0) return reader_fail(file, Status.ENVELOPE_INVALID);',
      'if (!named || signature == 0) return;',
    ],
    ['keyid twice in one signature', 'if (named) reader_fail(file, Status.JSON_DUPLICATE);', ''],
    ['sig twice in one signature', 'if (signature != 0) reader_fail(file, Status.JSON_DUPLICATE);', ''],
    [
      'keys beyond the first pass',
      'while (valid < set.threshold && next < set.count) {',
      'for (let once = true; once; once = false) {',
    ],
    [
      'a fault of the canonical form',
      '    if (streamed != Status.OK) return streamed;\n    valid',
      '    valid',
    ],
    [
      'signatures of the file before',
      '    key_at(set, i).signature = 0;\n    key_at(set, i).counted = false;\n',
      '    key_at(set, i).counted = false;\n',
      'the set was read anew, and is all 0, whenever a file is verified',
    ],
    [
      'counts of the file before',
      '    key_at(set, i).signature = 0;\n    key_at(set, i).counted = false;\n',
      '    key_at(set, i).signature = 0;\n',
      'the set was read anew, and is all 0, whenever a file is verified',
    ],
  ),
  ...mutantsOf(
    'metadata/key.ts',
    [
      'threshold 0',
      'if (set.threshold == 0 || set.threshold > MAX_KEYS) reader_fail(r, Status.THRESHOLD_INVALID);',
      'if (set.threshold > MAX_KEYS) reader_fail(r, Status.THRESHOLD_INVALID);',
    ],
    [
      'huge threshold',
      'if (set.threshold == 0 || set.threshold > MAX_KEYS) reader_fail',
      'if (set.threshold == 0) reader_fail',
    ],
    [
      'role is missing',
      'if (r.status == Status.OK && set.threshold == 0) return Status.METADATA_INVALID;',
      '',
    ],
    [
      'keyids are missing',
      'if (!listed || set.threshold == 0) reader_fail',
      'if (set.threshold == 0) reader_fail',
    ],
    [
      'threshold is missing',
      'if (!listed || set.threshold == 0) reader_fail',
      'if (!listed) reader_fail',
      'a threshold of 0 is refused as a missing role right after, by the same status',
    ],
    [
      'keys without an end',
      'if (set.count == MAX_KEYS) reader_fail(r, Status.TOO_MANY_KEYS);\n    else key_at',
      'if (set.count != MAX_KEYS) key_at',
    ],
    [
      'one key id twice in a role',
      'if (key_find(set, id)) continue;',
      '',
      'of two entries of one id only the first gets a signature and material',
    ],
    [
      'scheme of Ed25519',
      'type == Name.ED25519 && (legacy || scheme == Name.ED25519)',
      'type == Name.ED25519',
    ],
    [
      'key type of Ed25519',
      'type == Name.ED25519 && (legacy || scheme == Name.ED25519)',
      '(legacy || scheme == Name.ED25519)',
    ],
    ['scheme of P-256', 'Name.ECDSA_P256) && scheme == Name.ECDSA_P256', 'Name.ECDSA_P256)'],
    [
      'scheme of RSA',
      'return type == Name.RSA && (legacy || scheme == Name.RSA_PSS) ?',
      'return type == Name.RSA ?',
    ],
    ['one material under two ids', 'if (other.material == key.material)', 'if (other == key)'],
    [
      'strict ids: any name',
      'return status == Status.OK && bytes_equal(',
      'return status == Status.OK || bytes_equal(',
    ],
    [
      'strict ids: names that are no hashes',
      '!(named && is_named_so(r, at))',
      '!(!named || is_named_so(r, at))',
    ],
    ['recovery: more keys are asked for', 'if (set.threshold > load<u64>(NOTED_KEYS)) return false;', ''],
    ['recovery: fewer keys are asked for', 'if (set.threshold > load', 'if (set.threshold != load'],
    ['recovery: a key is gone', 'if (!found) return false;', ''],
    [
      'recovery: a key has become another kind',
      'if (key.kind != 0 && key.material == load<u64>(at))',
      'if (key.material == load<u64>(at))',
    ],
    ['scheme of another kind', 'name == Name.SCHEME && kind == 0x22', 'name == Name.SCHEME'],
    ['keyval of another kind', 'name == Name.KEYVAL && kind == 0x7b', 'name == Name.KEYVAL'],
  ),
  ...mutantsOf(
    'metadata/signed.ts',
    [
      '_type',
      'if (profile_value(r) != type_of(role)) reader_fail(r, Status.TYPE_MISMATCH);',
      'reader_skip(r);',
    ],
    [
      'spec_version',
      'if (!reader_string(r) || !major_is_1(r)) reader_fail(r, Status.SPEC_VERSION);',
      'reader_skip(r);',
    ],
    ['spec_version 10', '(r.text_length == 1 || load<u8>(text, 1) == 0x2e)', 'true'],
    [
      'version 0',
      'if (s.version == 0) reader_fail(r, Status.VERSION_INVALID);',
      '',
      'no other version is 0, and the device holds none: a version of 0 is below every one that is compared',
    ],
    ['expires is no date', 'if (seconds == NO_DATE) reader_fail(r, Status.EXPIRES_INVALID);', ''],
    [
      'fields are missing',
      'return seen == Seen.ALL ? parts_present(role, s) : Status.METADATA_INVALID;',
      'return parts_present(role, s);',
    ],
    ['parts are missing', 'return present ? Status.OK : Status.METADATA_INVALID;', 'return Status.OK;'],
    [
      'root parts',
      'if (role == Role.ROOT) present = s.keys != 0 && s.roles != 0;',
      'if (role == Role.ROOT) present = true;',
    ],
  ),
  ...mutantsOf(
    'metadata/envelope.ts',
    ['trailing garbage', '  reader_end(r);\n', ''],
    ['signed twice', 'if (e.signed != 0) reader_fail(r, Status.JSON_DUPLICATE);', ''],
    ['signatures twice', 'if (e.signatures != 0) reader_fail(r, Status.JSON_DUPLICATE);', ''],
    ['signed of any kind', 'if (kind != 0x7b) reader_fail(r, Status.ENVELOPE_INVALID);', ''],
    ['signatures of any kind', 'if (kind != 0x5b) reader_fail(r, Status.ENVELOPE_INVALID);', ''],
    [
      'parts are missing',
      'return e.signed != 0 && e.signatures != 0 ? Status.OK : Status.ENVELOPE_INVALID;',
      'return Status.OK;',
    ],
  ),
  ...mutantsOf(
    'metadata/file.ts',
    ['length', 'if (f.has_length && f.length != length && !is_legacy()) return Status.LENGTH_MISMATCH;', ''],
    ['sha256', 'if (f.has_sha256) status = compare_hash', 'if (false) status = compare_hash'],
    [
      'sha512',
      'if (f.has_sha512 && status == Status.OK) status = compare_hash',
      'if (false) status = compare_hash',
    ],
    [
      'hashes that are not known',
      'return f.hashes != 0 && !f.has_sha256 && !f.has_sha512 ? Status.HASH_UNKNOWN : Status.OK;',
      'return Status.OK;',
    ],
    ['file that is not listed', '  if (f.version == 0) return Status.METADATA_INVALID;\n', ''],
    [
      'hash of any length',
      'if (reader_string(r) && r.text_length == 2 * length && hex_decode',
      'if (reader_string(r) && hex_decode',
    ],
    ['version 0', 'if (f.version == 0) reader_fail(r, Status.VERSION_INVALID);', ''],
  ),
  ...mutantsOf(
    'metadata/expires.ts',
    ['month 13', '<u32>(month - 1) > 11', '<u32>(month - 1) > 12'],
    ['day 0', 'day < 1 || ', ''],
    ['30 February', 'days >= days_before(year, month + 1)', 'false'],
    ['hour 24', 'field(3) > 23', 'field(3) > 24'],
    ['minute 60', 'field(4) > 59', 'field(4) > 60'],
    ['second 61', 'field(5) > 60', 'field(5) > 61'],
    ['offset does not count', '- offset);', ');'],
    [
      'short text',
      'if (length < 20 || !fields_read(text)) return NO_DATE;',
      'if (!fields_read(text)) return NO_DATE;',
      'a shorter text fails at the zone, which must begin at its 20th byte',
    ],
    ['years after 2106', 'min<i64>(seconds, LATEST)', 'seconds', 'signed.ts bounds the date again'],
  ),
  ...mutantsOf(
    'json/canonical.ts',
    [
      'a name twice, in order',
      'if (order == 0) reader_fail(r, Status.JSON_DUPLICATE);\n      ordered',
      'ordered',
      'the object then counts as out of order, and the name is found twice when it is put in order',
    ],
    [
      'a name twice, out of order',
      'if (order == 0) reader_fail(r, Status.JSON_DUPLICATE);\n    if (order < 0',
      'if (order < 0',
    ],
    [
      'work without an end',
      'if (bytes > work) reader_fail(r, Status.JSON_COMPLEX);\n  else work -= bytes;',
      '',
    ],
    [
      'names as they stand',
      'if (c == 0x7b) level.mode = in_order(r, r.pos) ? Mode.SORTED : Mode.UNSORTED;',
      'if (c == 0x7b) { in_order(r, r.pos); level.mode = Mode.SORTED; }',
    ],
    [
      'quotes are not escaped',
      'if (c == 0x22 || c == 0x5c || is_escaped) put(0x5c);',
      'if (c == 0x5c || is_escaped) put(0x5c);',
    ],
    [
      'back slashes are not escaped',
      'if (c == 0x22 || c == 0x5c || is_escaped) put(0x5c);',
      'if (c == 0x22 || is_escaped) put(0x5c);',
    ],
    [
      '-0',
      'if (first == 0x2d && end - start == 2 && byte_at(r, start + 1) == 0x30) put(0x30); // -0 is 0\n  else for',
      'for',
    ],
    [
      'depth',
      '  if (depth == MAX_DEPTH) {\n    reader_fail(r, Status.JSON_DEPTH);\n    return depth;\n  }\n',
      '',
      'the envelope was read before, and its depth with it',
    ],
  ),
  ...mutantsOf(
    'json/reader.ts',
    [
      'depth',
      '  if (r.depth == MAX_DEPTH) {\n    reader_fail(r, Status.JSON_DEPTH);\n    return false;\n  }\n',
      '',
    ],
    [
      'a comma before the end',
      '  if (reader_peek(r) != close) return true;\n  reader_fail(r, Status.JSON_SYNTAX);\n  return false;\n',
      '  return reader_peek(r) != close;\n',
    ],
    ['fractions', 'else if (c == 0x2e || (c | 0x20) == 0x65) reader_fail(r, Status.JSON_NUMBER);', ''],
    ['leading zeros', 'if (digits == 0 || (zero && digits > 1)) reader_fail', 'if (digits == 0) reader_fail'],
    [
      'a minus alone',
      'if (digits == 0 || (zero && digits > 1)) reader_fail',
      'if (zero && digits > 1) reader_fail',
    ],
    [
      'numbers wrap',
      'value = min<u64>(value * 10 + (peek(r) - 0x30), TOO_LARGE);',
      'value = value * 10 + (peek(r) - 0x30);',
    ],
    ['large numbers', 'if (value == TOO_LARGE) reader_fail(r, fault);', ''],
    [
      'negative numbers',
      '  if (first < 0x30 || first > 0x39) {\n    reader_fail(r, fault);\n    return 0;\n  }\n',
      '',
    ],
    ['overlong UTF-8', 'if (overlong || ', 'if ('],
    ['surrogates in UTF-8', '(c & ~0x7ff) == 0xd800 || ', ''],
    ['beyond U+10FFFF', ' || c > 0x10ffff', ''],
    [
      'continuation bytes',
      'if ((b & 0xc0) != 0x80 || b < 0) return string_fault(r, Status.JSON_UTF8);',
      'if (b < 0) return string_fault(r, Status.JSON_UTF8);',
    ],
    [
      'lead bytes',
      'if (lead < 0xc2 || lead > 0xf4) return',
      'if (lead < 0xc0 || lead > 0xf4) return',
      'what 0xc0 and 0xc1 begin decodes below U+0080',
    ],
    [
      'second half of a pair',
      'if ((second & 0xfc00) != 0xdc00) return string_fault(r, Status.JSON_UTF8);',
      '',
    ],
    ['second half first', '(first & 0x400) != 0 || ', ''],
    [
      'control characters',
      'if (c >= 0x20 && c < 0x80 && c != 0x22 && c != 0x5c) {',
      'if (c >= 0 && c < 0x80 && c != 0x22 && c != 0x5c) {',
    ],
  ),
  ...mutantsOf(
    'json/names.ts',
    ['two names in one', ' && load<u8>(at) != SPACE) {', ') {'],
    [
      'the beginning of a name',
      'if (i == length && load<u8>(at) == SPACE) return name;',
      'if (i == length) return name;',
    ],
  ),
  ...mutantsOf(
    'agent/fetch.ts',
    [
      'metadata without an end',
      'if (length > workflow_limit() - record_length()) return Status.TOO_LONG;',
      '',
    ],
    ['a fault of the network', 'else if (result != Status.OK) status = Status.NETWORK;', ''],
    [
      'another offset',
      '(workflow_place());\n    if (offset != 0) fault = Status.RANGE;\n',
      '(workflow_place());\n',
    ],
    [
      'another offset of a target',
      'target_begin();\n    if (offset != 0) fault = Status.RANGE;\n',
      'target_begin();\n',
    ],
    [
      'a fault is forgotten',
      '  if (fault != Status.OK) return fault;\n  if (in_target())',
      '  if (in_target())',
    ],
    ['erases ahead when nothing is fetched', 'if (run.phase != Phase.IMAGE) return 0;', ''],
    ['an erase ahead that failed is forgotten', 'if (erased < 0) fault = erased;', ''],
    [
      'an answer that never began',
      'else status = record_is_open() ? workflow_accept() : Status.NETWORK;',
      'else status = workflow_accept();',
    ],
  ),
  ...mutantsOf(
    'agent/check.ts',
    [
      'other hardware is not told',
      'foreign ? Status.NOT_FOR_HARDWARE : Status.UP_TO_DATE',
      'Status.UP_TO_DATE',
    ],
    [
      'a delegated role that cannot be used holds up all',
      'if (role != Role.DELEGATED || run.finding || is_uptane() || !is_verdict(status)) return',
      'if (true) return',
    ],
    [
      'a delegated role that cannot be used is passed over in silence',
      '  if (role_fault != Status.OK) return run_end(role_fault, Role.DELEGATED);\n',
      '',
    ],
    ['targets before metadata', 'run.phase != Phase.IDLE || !run.fresh', 'run.phase != Phase.IDLE'],
  ),
  ...mutantsOf(
    'agent/agent.ts',
    [
      'clock set right',
      '(now != 0 && now - run.checked < run.pause)',
      '(now != 0 && now < run.checked + run.pause)',
    ],
    ['the end of a check is not told', 'if (!run.waited || (now', 'if ((now'],
    [
      'a clock that knows no time is believed',
      'const known = now < NEVER && now != <u32>i32.MAX_VALUE ? now : 0;',
      'const known = now;',
    ],
  ),
  ...mutantsOf(
    'agent/run.ts',
    [
      'no pause after a fault',
      'run.pause = status < 0 ? min(retry, config.interval) : config.interval;',
      'run.pause = status < 0 ? 0 : config.interval;',
    ],
    ['retries beyond the interval', 'min(retry, config.interval)', 'retry'],
  ),
  ...mutantsOf(
    'agent/download.ts',
    [
      'image too large',
      'if (best.length > flash_size(slot_area(component, 0)) || best.length == 0) return',
      'if (best.length == 0) return',
    ],
    [
      'empty image',
      'if (best.length > flash_size(slot_area(component, 0)) || best.length == 0) return',
      'if (best.length > flash_size(slot_area(component, 0))) return',
    ],
  ),
  ...mutantsOf('agent/provision.ts', [
    'provisioned twice',
    'if (status == Status.OK && store_entry(Kind.ROOT).length != 0) return Status.ALREADY_PROVISIONED;',
    '',
  ]),
  ...mutantsOf(
    'agent/device.ts',
    [
      'time is not written down',
      '  device.time = now;\n  return device_store();',
      '  device.time = now;\n  return Status.OK;',
    ],
    [
      'time is written down always',
      'if (now < device.time || now - device.time < TIME_STEP) return Status.OK;',
      'if (now < device.time) return Status.OK;',
    ],
    ['build time', 'device.time = max(device.time, config.build_time);', ''],
    ['security counter of the factory', 'device.security = max(device.security, config.security);', ''],
    ['security counter is not raised', 'part.security = max(part.security, install.security);', ''],
  ),
  ...mutantsOf(
    'agent/selection.ts',
    [
      'the last release',
      'else if (current.release > max(best.release, highest.release)) memory',
      'else memory',
    ],
    ['fields are missing', 'current.seen == Seen.ALL && ', ''],
    ['any component', ' && current.component_fits;', ';'],
    ['any hardware', 'if (!current.hardware_fits) {', 'if (false) {'],
    [
      'release counter 0 or large',
      'return current.release != 0 && current.release <= <u32>i32.MAX_VALUE ? Seen.RELEASE : 0;',
      'return Seen.RELEASE;',
    ],
    [
      'security counter large',
      'return current.security <= <u32>i32.MAX_VALUE ? Seen.SECURITY : 0;',
      'return Seen.SECURITY;',
    ],
    [
      'version of any length',
      'if (!reader_string(r) || r.text_length == 0 || r.text_length > 31) return 0;',
      'if (!reader_string(r)) return 0;',
    ],
    ['name of any length', 'if (r.text_length > TEXT_CAPACITY) return Status.NAME_TOO_LONG;', ''],
    [
      'custom of another kind',
      'if (name == Name.CUSTOM && reader_peek(r) == 0x7b) read_custom(r);',
      'if (name == Name.CUSTOM) read_custom(r);',
    ],
    [
      'component of another kind',
      'if (name == Name.COMPONENT && is_text) {',
      'if (name == Name.COMPONENT) {',
    ],
    [
      'boards of another kind',
      'if (name == Name.HARDWARE_IDS && kind == 0x5b) return',
      'if (name == Name.HARDWARE_IDS) return',
    ],
    [
      'counter of another kind',
      'if (name == Name.RELEASE_COUNTER && is_number) {',
      'if (name == Name.RELEASE_COUNTER) {',
    ],
  ),
  ...mutantsOf(
    'agent/name.ts',
    [
      'name: path traversal',
      'if (size == 0 || dots) return Status.PATH_INVALID;',
      'if (size == 0) return Status.PATH_INVALID;',
    ],
    [
      'name: empty segments',
      'if (size == 0 || dots) return Status.PATH_INVALID;',
      'if (dots) return Status.PATH_INVALID;',
    ],
    ['name: back slash', ' || c == 0x5c) return Status.PATH_INVALID;', ') return Status.PATH_INVALID;'],
    ['name: control characters', 'if (c < 0x20 || c == 0x7f', 'if (c == 0x7f'],
    ['name: delete', 'c < 0x20 || c == 0x7f || ', 'c < 0x20 || '],
  ),
  ...mutantsOf(
    'tuf/search.ts',
    [
      'delegations: a terminating one that a release passed by',
      '    if (visit.terminating && !is_above(i, looked)) return false;\n',
      '',
    ],
    [
      'delegations: a release that an earlier role defines',
      'visit.place == Kind.NONE || search_find(visit.place) != Status.NOT_FOUND',
      'visit.place == Kind.NONE',
    ],
    ['delegations: a release outside its delegation', ' || !visit_fits(visit))) continue;', ')) continue;'],
    ['delegations: a release on a way that is none', '((fitting >> visit.delegator) & 1) == 0', 'false'],
    ['delegations: terminating', '(whole && visit.terminating) || over', 'over'],
    ['delegations: terminating at a role that was visited', '      over = whole;\n', '      over = false;\n'],
    ['delegations: one name twice', '    if (same) reader_fail(r, Status.METADATA_INVALID);\n', ''],
    ['delegations: names of top-level roles', 'r.text_length == 0 || top', 'r.text_length == 0'],
    ['delegations: no name', 'r.text_length == 0 || top', 'top'],
    [
      'delegations: cycles',
      'if (!is_member(visit_at(i)) && store_entry(visit_at(i).place).user == listed) return true;',
      'if (whole && !is_member(visit_at(i)) && store_entry(visit_at(i).place).user == listed) return true;',
    ],
    ['delegations: one way to a role for a device', 'i = whole ? i - 1 : visit_at(i).delegator', 'i = i - 1'],
    [
      'delegations: more roles than are visited',
      'if (visits > MAX_VISITS) {',
      'if (visits > MAX_VISITS + 1) {',
    ],
  ),
  ...mutantsOf(
    'tuf/workflow.ts',
    [
      'delegations: a role that is held is not verified again',
      '  if (status == Status.OK) status = verify_incoming();\n  if (status != Status.OK) return status;\n  if (signed.version',
      '  if (status == Status.OK) status = signed_read(incoming, envelope.signed, role, signed);\n  if (status != Status.OK) return status;\n  if (signed.version',
    ],
    [
      'delegations: a role that is held has expired',
      '  return signed.expires <= start_time ? Status.EXPIRED : Status.OK;',
      '  return Status.OK;',
    ],
    [
      'delegations: a role that the snapshot does not list',
      '  if (search_listed() == 0) return Status.ROLE_UNLISTED; // and is not asked for\n',
      '',
    ],
    [
      'delegations: a role that is held and signed by others is not fetched',
      'status == Status.SIGNATURES && !used ? Status.OK : status',
      'status',
    ],
  ),
  ...mutantsOf(
    'metadata/path.ts',
    [
      'patterns: a star takes a slash',
      'starred == path_end || load<u8>(starred) == 0x2f',
      'starred == path_end',
    ],
    ['patterns: a question mark takes a slash', '(wanted == 0x3f && c != 0x2f)', '(wanted == 0x3f)'],
  ),
  ...mutantsOf('metadata/delegation.ts', [
    'delegations: paths and hash prefixes',
    'd.name == 0 || (d.paths != 0 && d.prefixes != 0)',
    'd.name == 0',
  ]),
  ...mutantsOf(
    'agent/selection.ts',
    ['releases of a delegated role at any path', 'search_is_at_top() || path_begins(r)', 'true'],
    [
      'releases of a delegated role whatever the delegations say',
      'search_is_at_top() || is_trusted()',
      'true',
    ],
  ),
  ...mutantsOf(
    'agent/target.ts',
    ['target: length', '  if (received != file.length) return Status.LENGTH_MISMATCH;\n', ''],
    [
      'target: second hash',
      '  if (file.has_sha512 && !hash_is(FILE_HASH, true, file_sha512(file))) return Status.HASH_MISMATCH;\n',
      '',
    ],
  ),
  ...mutantsOf(
    'storage/record.ts',
    ['settled: after a commit', '  settled = false;\n  set_entry', '  set_entry'],
    ['settled: after a start', '  settled = false;\n  sequence = 0;', '  sequence = 0;'],
    ['settled: with what has expired', 'if (expires != 0 && expires <= now) return false;', ''],
    ['settled: with what expires now', 'expires != 0 && expires <= now', 'expires != 0 && expires < now'],
  ),
  ...mutantsOf(
    'tuf/workflow.ts',
    [
      'settled: whatever the timestamp announces',
      'store_is_settled(0) && file_is(announced, other)',
      'store_is_settled(0)',
    ],
    [
      'settled: what never was',
      'store_is_settled(0) && file_is(announced, other)',
      'file_is(announced, other)',
    ],
  ),
  ...mutantsOf('storage/record.ts', [
    'delegated roles never give way',
    '    if (store_entry(place).user == 0 && place != open) clear(place);\n',
    '',
  ]),
  ...mutantsOf(
    'install/slots.ts',
    ['image without an end', 'if (length > install.length - received) return Status.TOO_LONG;', ''],
    [
      'image hash',
      'if (by_sha256 && !hash_is(IMAGE_HASH, false, install_digest())) return Status.IMAGE_MISMATCH;',
      '',
    ],
    [
      'image is not read back',
      'if (hash_is(IMAGE_HASH, second, second ? sha512 : install_digest())) return Status.OK;',
      'return Status.OK;',
    ],
    [
      'second hash of an image',
      'return verified == install.length && (second || sha512 == 0);',
      'return verified == install.length;',
    ],
    ['erases ahead before bytes of the image came', '!begun || erased >=', 'erased >='],
    ['erases ahead without end', ' || erased > flash_erase_end(area(), received, install.length)', ''],
    [
      'erases what the image does not need',
      'flash_erase_end(area(), erased, install.length)',
      'flash_erase_end(area(), erased, flash_size(area()))',
    ],
  ),
  ...mutantsOf(
    'install/image.ts',
    [
      'an older image in the slot makes this one whole',
      'image_check(offset <= install.length && length <= install.length - offset, Status.IMAGE_FORMAT);',
      '',
    ],
    ['bytes behind an image', 'image_check(at == install.length, Status.IMAGE_TRAILING);', ''],
    ['hash in an image', 'image_check(bytes_equal(DIGEST, COPY_BUFFER, size), Status.IMAGE_CORRUPT);', ''],
  ),
  ...mutantsOf(
    'install/esp32.ts',
    ['esp32: magic', 'load<u8>(COPY_BUFFER) == MAGIC && ', ''],
    ['esp32: too many segments', ' && count - 1 < MOST_SEGMENTS', ''],
    ['esp32: descriptor', ' && load<u32>(COPY_BUFFER, 32) == DESCRIPTOR_MAGIC', ''],
    ['esp32: room for the descriptor', 'load<u32>(COPY_BUFFER, 28) >= DESCRIPTOR && ', ''],
    ['esp32: chip', 'image_check(load<u16>(COPY_BUFFER, 12) == chip, Status.WRONG_CHIP);', ''],
    [
      'esp32: counter',
      'image_check(load<u32>(COPY_BUFFER, 36) == install.security, Status.IMAGE_COUNTER);',
      '',
    ],
    [
      'esp32: a counter too high',
      'load<u32>(COPY_BUFFER, 36) == install',
      'load<u32>(COPY_BUFFER, 36) >= install',
    ],
    ['esp32: segments of whole words', '(length & 3) == 0 && ', ''],
    ['esp32: checksum', 'image_check(((sum ^ (sum >> 8)) & 0xff) == SEED, Status.IMAGE_CORRUPT);', ''],
    ['esp32: hash', 'if (hash != 0) image_is_hashed(hash);', ''],
  ),
  ...mutantsOf(
    'install/mcuboot.ts',
    ['mcuboot: magic', 'load<u32>(COPY_BUFFER) == MAGIC && ', ''],
    ['mcuboot: header too short', 'header >= HEADER && ', ''],
    ['mcuboot: flags', ' && (flags & ~FLAGS) == 0', ''],
    [
      'mcuboot: protected fields of another length',
      'image_check(read_fields(<u32>body, PROTECTED_FIELDS) == end, Status.IMAGE_FORMAT)',
      'read_fields(<u32>body, PROTECTED_FIELDS)',
    ],
    ['mcuboot: no hash', 'image_check(hash != 0, Status.IMAGE_FORMAT);', ''],
    ['mcuboot: counter', 'image_check(counter == install.security, Status.IMAGE_COUNTER);', ''],
    [
      'mcuboot: a signature of another kind',
      'image_check(scheme == (length == ED25519_KEY ? Field.ED25519 : Field.ECDSA), Status.IMAGE_SIGNATURE);',
      '',
      'a key of one kind, taken for one of the other, verifies nothing either',
    ],
    [
      'mcuboot: fields of another magic',
      'image_check(load<u16>(COPY_BUFFER) == magic, Status.IMAGE_FORMAT);',
      '',
    ],
    ['mcuboot: endless fields', 'at < end && left != 0', 'at < end'],
    ['mcuboot: a field behind its list', 'image_check(at == end, Status.IMAGE_FORMAT);', ''],
    [
      'mcuboot: fields in any place',
      'image_check(type >= Field.FIRST_PROTECTED == shielded, Status.IMAGE_UNPROTECTED);',
      '',
    ],
    ['mcuboot: hashes of any length', ' && length == (wide ? 64 : 32)', ''],
    ['mcuboot: two hashes', 'sound = hash == 0 && ', 'sound = '],
    ['mcuboot: two counters', 'sound = counted == 0 && length == 4;', 'sound = length == 4;'],
    ['mcuboot: counters of any length', 'sound = counted == 0 && length == 4;', 'sound = counted == 0;'],
    ['mcuboot: a field that denies to be pure', ' && load<u8>(COPY_BUFFER) == 1', ''],
    ['mcuboot: signatures of any length', ' && length <= LONGEST_SIGNATURE', ''],
    [
      'mcuboot: any key name',
      'image_check(key_hash_length == size && hash_is(IMAGE_HASH, wide, COPY_BUFFER), Status.IMAGE_SIGNATURE);',
      '',
    ],
    [
      'mcuboot: signature',
      'if (key != 0) image_check(ED25519_ALONE || scheme == Field.ED25519 ? ed25519_holds() : p256_holds(), Status.IMAGE_SIGNATURE);',
      '',
    ],
  ),
  ...mutantsOf(
    'install/encryption.ts',
    [
      'encryption: a secret that anybody knows',
      'return is_secret ? Status.OK : Status.DECRYPTION;',
      'return Status.OK;',
    ],
    [
      'encryption: the header is not in the key',
      '  hkdf_sha256_expand(CONTENT_KEY, KEY_SIZE, CONTENT_KEY, HEADER_HASH, 32);\n',
      '',
    ],
    ['encryption: chunks without a number', 'store<u32>(CHUNK_NONCE, index);', 'store<u32>(CHUNK_NONCE, 0);'],
    ['encryption: a last chunk like any other', 'u64(arrived == total)', '0'],
    ['encryption: entries of others', 'if (!found) return Status.NOT_A_RECIPIENT;', ''],
    ['encryption: the last entry counts', '  if (found) return Status.OK;\n', ''],
    ['encryption: any kind', 'sealed.kind <= 1 && ', ''],
    ['encryption: a chunk without text', 'if (length < TAG + max(passed, 1)) return Status.DECRYPTION;', ''],
    ['encryption: the key of the chunks stays', '  memory.fill(CONTENT_KEY, 0, KEY_SIZE);\n', ''],
    ['encryption: the key of the device stays', '  key_forget();\n', ''],
  ),
  ...mutantsOf('install/key.ts', [
    'key: a copy of it stays',
    '  memory.fill(COPY_BUFFER, 0, COPY_SIZE);\n',
    '',
  ]),
  ...mutantsOf(
    'crypto/chunk.ts',
    ['chunk: any tag', 'bytes_are_equal(ctx + TAG, ctx + TAG + 16, 16)', 'true'],
    [
      'chunk: half a tag',
      'bytes_are_equal(ctx + TAG, ctx + TAG + 16, 16)',
      'bytes_are_equal(ctx + TAG, ctx + TAG + 16, 8)',
    ],
    ['chunk: the context stays', '  memory.fill(ctx, 0, CHUNK_CONTEXT);\n', ''],
  ),
  ...mutantsOf(
    'agent/config.ts',
    ['any format', 'if (<u32>format > <u32>Format.MCUBOOT) reader_fail(r, Status.CONFIG_INVALID);', ''],
    [
      'any key of the bootloader',
      'if (kind != SPKI_ED25519 && (ED25519_ALONE || kind != SPKI_P256)) reader_fail(r, Status.CONFIG_INVALID);',
      '',
    ],
    ['a format without its chip', 'has_chip == (config.format == Format.ESP32) && ', ''],
    ['a key without its format', ' && (config.key_length == 0 || config.format == Format.MCUBOOT)', ''],
  ),
  ...mutantsOf(
    'agent/set.ts',
    ['release downgrade', 'if (best.release <= part.release) return', 'if (best.release == 0) return'],
    ['security counter', 'if (best.security < part.security) return', 'if (false) return'],
    [
      'security counter: the same',
      'if (best.security < part.security) return',
      'if (best.security <= part.security) return',
    ],
    ['a set that does not hold', 'if (release >= rule.from && release < rule.below) return false;', ''],
    ['a release that needs more rules than there are', 'if (rules == MAX_RULES)', 'if (false)'],
  ),
  ...mutantsOf(
    'agent/trial.ts',
    ['trials without end', 'if (install.trials >= MAX_TRIALS) return trial_reject(Status.TRIAL_FAILED);', ''],
    ['a trial is not counted', '  install.trials++;\n', ''],
    [
      'a release that failed is not remembered',
      'if (status == Status.OK) status = device_note_failure();',
      '',
    ],
    [
      'confirmed without a record of it',
      '  install.stage = Stage.CONFIRMING;\n  const status = journal_record();\n  return status == Status.OK ? trial_confirm() : status;',
      '  return trial_confirm();',
    ],
    [
      'confirmed though nothing is on trial',
      'export function image_confirm(): Status {\n  if (run.phase != Phase.TRIAL) return Status.WRONG_STATE;',
      'export function image_confirm(): Status {',
    ],
    [
      'rejected though nothing is on trial',
      'export function image_reject(): Status {\n  if (run.phase != Phase.TRIAL) return Status.WRONG_STATE;',
      'export function image_reject(): Status {',
    ],
  ),
  ...mutantsOf(
    'uptane/time.ts',
    ['any first bytes', 'load<u64>(IO_BUFFER) != load<u64>(REQUEST_HEAD) || ', ''],
    ['any length of the packet', ' || message_size + 12 != length', ''],
    ['more tags than there is room for', 'if (count > message_size >> 3) sound = false;', ''],
    ['offsets that fall', 'if (to < value || to > end', 'if (to > end'],
    ['offsets behind the end', 'to < value || to > end || to & 3', 'to < value || to & 3'],
    ['offsets that are not of words', ' || to & 3 || next', ' || next'],
    ['tags in any order', ' || next <= before', ''],
    ['values of any length', 'found == 0 || (wanted != 0 && size != wanted)', 'found == 0'],
    ['tags that are not there', 'if (found == 0 || (wanted', 'if ((wanted'],
    ['any type', ' || load<u32>(type) != 1', ''],
    ['any version', ' || (version != 1 && version != 0x8000000c)', ''],
    ['version 1 alone', 'version != 1 && version != 0x8000000c', 'version != 1'],
    ['parts of nodes', ' || (end - path) & 31', ''],
    ['siblings on the wrong side', 'if (place & 1) hash', 'if (!(place & 1)) hash'],
    ['any index behind the path', 'place != 0 || !bytes_equal(DIGEST', '!bytes_equal(DIGEST'],
    ['any root of the tree', '!bytes_equal(DIGEST, root, 32) || ', ''],
    ['any nonce', ' || !bytes_equal(nonce, TIME_NONCE, 32)', ''],
    [
      'any delegation',
      '!is_signed(key_in_use, delegation_signature, DELEGATION_CONTEXT, 34, delegation, delegation_size) ||',
      '',
    ],
    [
      'any response',
      ' ||\n    !is_signed(key, signature, RESPONSE_CONTEXT, 32, response, response_size)',
      '',
    ],
    ['before the delegation', 'midpoint < load<u64>(least) || ', ''],
    ['after the delegation', ' || midpoint > load<u64>(most)', ''],
    ['any radius', 'radius - 1 >= MOST_RADIUS || ', ''],
    ['a radius of none', 'radius - 1 >= MOST_RADIUS', 'radius > MOST_RADIUS'],
    ['any time to come', ' || midpoint > trusted_entry(Role.ROOT).expires + HORIZON', ''],
    ['any time past', 'if (midpoint + radius < latest) return Status.TIME_ROLLBACK;', ''],
    ['the middle of the radius', 'midpoint - radius, latest', 'midpoint, latest'],
    ['the same for a tag in the leaf of the tree', 'hash(0, IO_BUFFER,', 'hash(1, IO_BUFFER,'],
    ['more keys than there is room for', 'time_keys++ == MOST_TIME_KEYS || ', ''],
    ['keys of any length', ' || text_hex(r, quote, key, 32) != 32', ' || text_hex(r, quote, key, 32) > 32'],
    ['keys beside what is signed', 'trusted_signed.custom == 0 || ', ''],
  ),
  ...mutantsOf(
    'agent/clock.ts',
    ['another key: the clock goes on', 'if (tag != device_time_tag()) status = device_reset_time(tag);', ''],
    [
      'the host knows the time as well',
      '  clock.time = 0;\n  clock.finding = Status.TIME_MISSING;',
      '  clock.finding = Status.TIME_MISSING;',
    ],
    ['the finding of the check before', '  clock.finding = Status.TIME_MISSING;\n', ''],
    ['the first key alone', 'if (++turn >= time_keys) turn = 0;', 'turn = 0;'],
    [
      'without random numbers',
      'if (host.entropy(TIME_NONCE, 32) < 0) {',
      'if (host.entropy(TIME_NONCE, 32) < -9) {',
    ],
    ['an answer that nobody asked for', '  if (run.phase != Phase.TIME) return Status.WRONG_STATE;\n', ''],
    ['an answer that is refused ends it', '    if (clock.finding != Status.OK) return clock.finding;\n', ''],
    ['each finding in the log', 'if (clock.finding != told) log_event', 'log_event'],
    [
      'who needs the time goes on without',
      'if (config.needs_time && clock.finding != Status.OK) return clock.finding;',
      '',
    ],
    ['a clock that was set back', 'clock.time = max(clock.time, device.time);', ''],
    ['asked for twice in one check', '  clock.settled = true;\n', ''],
    ['what is judged by the time before', '  workflow_time(clock.time);\n', ''],
  ),
];
