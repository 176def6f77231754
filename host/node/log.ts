// The log of a device, read and checked (docs/formats.md, "Log").
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { LogEvent, type Role } from './abi.ts';

export interface LogEntry {
  /** Rises by one with each entry. */
  readonly sequence: number;
  /** Seconds since 1970: the latest known time when it was written. */
  readonly time: number;
  readonly event: LogEvent;
  readonly role: Role;
  readonly status: number;
  readonly detail: number;
  /** Stands for this entry and all before it, in hexadecimal digits. */
  readonly tag: string;
}

/** Something is wrong with the log. */
export interface LogFinding {
  /** `missing`: entries that there were cannot be read. `changed`: an entry is not what was written. */
  readonly finding: 'missing' | 'changed';
  /** The entries that it concerns. */
  readonly first: number;
  readonly last: number;
}

export interface DeviceLog {
  /** Oldest first. */
  readonly entries: readonly LogEntry[];
  /** Empty: each entry follows from the one before it. */
  readonly findings: readonly LogFinding[];
}

const SIZE = 32;

/** Reads what `Core.logArea` gives. */
export function readLog(area: Uint8Array): DeviceLog {
  const slots = Array.from({ length: area.length / SIZE }, (_, index) =>
    Buffer.from(area.subarray(index * SIZE, (index + 1) * SIZE)),
  );
  const found = slots.map((slot) => (isWhole(slot) ? parse(slot) : undefined));
  const log = follow(found, slots);
  // A block is erased when the newest one is full: until its new anchor stands, what is left of it is nobody's loss.
  const full = slots.at(-1)?.some((byte, _, bytes) => byte !== bytes[0]) ?? false;
  const second = found.findIndex((entry, index) => index > 0 && entry?.event === LogEvent.ANCHOR);
  return full && log.findings.length > 0 && second > 0
    ? follow(found.slice(second), slots.slice(second))
    : log;
}

function follow(found: readonly (LogEntry | undefined)[], slots: readonly Buffer[]): DeviceLog {
  const entries: LogEntry[] = [];
  const findings: LogFinding[] = [];
  let last: LogEntry | undefined;
  for (const [index, entry] of found.entries()) {
    if (!entry) continue;
    const finding = last && compare(last, entry, slots[index] ?? Buffer.alloc(SIZE));
    if (finding) findings.push(finding);
    if (entry.event !== LogEvent.ANCHOR) entries.push(entry);
    last = entry;
  }
  return { entries, findings };
}

/** Whether an entry or an anchor follows from the entry before it. */
function compare(last: LogEntry, entry: LogEntry, slot: Buffer): LogFinding | undefined {
  const anchor = entry.event === LogEvent.ANCHOR;
  const next = anchor ? last.sequence : last.sequence + 1;
  if (entry.sequence > next)
    return { finding: 'missing', first: last.sequence + 1, last: entry.sequence - (anchor ? 0 : 1) };
  const tag = anchor ? last.tag : tagOf(last.tag, slot);
  if (entry.sequence === next && entry.tag === tag) return undefined;
  return { finding: 'changed', first: entry.sequence, last: entry.sequence };
}

/** SHA-256 of the tag before and of what the entry says, its first 12 bytes. */
function tagOf(before: string, slot: Buffer): string {
  const hash = createHash('sha256').update(before, 'hex').update(slot.subarray(0, 16));
  return hash.digest('hex').slice(0, 24);
}

/** What a power cut left half written is not an entry, and neither is erased flash. */
function isWhole(slot: Buffer): boolean {
  return crc32(slot.subarray(0, 28)) >>> 0 === slot.readUInt32LE(28);
}

function parse(slot: Buffer): LogEntry {
  return {
    sequence: slot.readUInt32LE(0),
    time: slot.readUInt32LE(4),
    event: slot.readUInt8(8) as LogEvent,
    role: slot.readUInt8(9) as Role,
    status: slot.readInt16LE(10),
    detail: slot.readUInt32LE(12),
    tag: slot.toString('hex', 16, 28),
  };
}
