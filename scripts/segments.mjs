// Data segments of a module, fewer of them: what lies between two is zeros, and where it is shorter than what a segment
// of its own takes, the two become one.

/** A segment of memory 0 takes a flag, an offset of up to five bytes with its opcode and end, and its length. */
const OWN = 7;
const DATA = 11;
const COUNT = 12;

/** The module with its segments joined. They are all active, and ascend, as asc writes them. */
export function joinSegments(module) {
  const out = [module.subarray(0, 8)];
  let joined = [];
  const sections = sectionsOf(module);
  for (const { id, body } of sections) if (id === DATA) joined = join(read(body));
  for (const { id, body, whole } of sections) {
    if (id === COUNT) out.push(section(id, number(joined.length)));
    else if (id === DATA) out.push(section(id, write(joined)));
    else out.push(whole ?? body);
  }
  return Buffer.concat(out);
}

function sectionsOf(module) {
  const sections = [];
  for (const at = { at: 8, bytes: module }; at.at < module.length; ) {
    const from = at.at;
    const id = module[at.at++];
    const length = unsigned(at);
    const body = module.subarray(at.at, at.at + length);
    at.at += length;
    sections.push({ id, body, whole: module.subarray(from, at.at) });
  }
  return sections;
}

function read(bytes) {
  const at = { at: 0, bytes };
  return Array.from({ length: unsigned(at) }, () => {
    if (bytes[at.at++] !== 0 || bytes[at.at++] !== 0x41) throw new Error('a data segment of another kind');
    const offset = unsigned(at); // signed in the format, and not negative
    if (bytes[at.at++] !== 0x0b) throw new Error('a data segment with an offset of another kind');
    const length = unsigned(at);
    at.at += length;
    return { offset, bytes: bytes.subarray(at.at - length, at.at) };
  });
}

function join(segments) {
  const joined = [];
  for (const { offset, bytes } of segments) {
    const last = joined.at(-1);
    const gap = last === undefined ? OWN : offset - last.offset - last.bytes.length;
    if (gap < 0) throw new Error('data segments that do not ascend');
    if (gap >= OWN) joined.push({ offset, bytes });
    else last.bytes = Buffer.concat([last.bytes, Buffer.alloc(gap), bytes]);
  }
  return joined;
}

function write(segments) {
  const parts = segments.flatMap(({ offset, bytes }) => [
    Buffer.from([0, 0x41]),
    number(offset, true),
    Buffer.from([0x0b]),
    number(bytes.length),
    bytes,
  ]);
  return Buffer.concat([number(segments.length), ...parts]);
}

function section(id, body) {
  return Buffer.concat([Buffer.from([id]), number(body.length), body]);
}

/** LEB128. */
function unsigned(at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = at.bytes[at.at++];
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
}

function number(value, isSigned = false) {
  const bytes = [];
  for (;;) {
    const low = value & 127;
    value >>>= 7;
    const isLast = value === 0 && !(isSigned && low >= 64);
    bytes.push(isLast ? low : low | 128);
    if (isLast) return Buffer.from(bytes);
  }
}
