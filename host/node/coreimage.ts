// A core in a slot: docs/formats.md, "Image of a core". The bytes of a slot that was selected are signed; the hash in the
// header finds flash that has lost some of them since, before they run.
import { createHash } from 'node:crypto';
import { ABI_VERSION } from './abi.ts';
import { HostError } from './errors.ts';
import type { FlashDriver } from './flash.ts';

const MAGIC = 0x3143544d;
const HEADER = 44;

/**
 * The module in a slot; undefined: it has never held one. Throws `module-unusable` when it cannot run on this host,
 * `flash-unreadable` when another boot may read it.
 */
export function readCoreImage(flash: FlashDriver, area: number): Uint8Array | undefined {
  if (flash.size(area) < HEADER) throw unusable(area, 'is smaller than a header');
  const header = read(flash, area, 0, HEADER);
  if (header.every((byte) => byte === flash.erased(area))) return undefined;
  const fields = new DataView(header.buffer);
  if (fields.getUint32(0, true) !== MAGIC) throw unusable(area, 'does not begin with the header of a core');
  const version = fields.getUint32(4, true);
  if (version !== ABI_VERSION)
    throw unusable(area, `holds a core of ABI version ${version}, this host needs ${ABI_VERSION}`);
  const length = fields.getUint32(8, true);
  if (length > flash.size(area) - HEADER)
    throw unusable(area, `has no room for the ${length} bytes of its core`);
  const module = read(flash, area, HEADER, length);
  const digest = createHash('sha256').update(module).digest();
  if (Buffer.compare(digest, header.subarray(12)) !== 0) throw unusable(area, 'holds a core of another hash');
  return module;
}

function read(flash: FlashDriver, area: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (flash.read(area, offset, bytes)) return bytes;
  throw new HostError('flash-unreadable', `flash area ${area}: the core cannot be read; boot again`);
}

function unusable(area: number, finding: string): HostError {
  return new HostError('module-unusable', `flash area ${area} ${finding}`);
}
