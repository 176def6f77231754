// Payloads: what a device may fetch instead of an image (docs/formats.md, "A payload is a target").
import { buildPatch } from './delta/patch.ts';
import { encryptPayload } from './encryption.ts';
import { type Random, sha256 } from './keys.ts';
import type { Target } from './metadata.ts';

/** What `encryption` says of the one way in which payloads are encrypted. */
export const ENCRYPTION = 1;

/** An image that devices run, to be patched. */
export interface Base {
  readonly image: Uint8Array;
  readonly releaseCounter: number;
}

/** A target of its own, beside the release that it makes. */
export interface Payload {
  /** The file's name beside the image: the sort of payload, and what it is a patch for. */
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly target: Target;
}

/** Whether the bytes of a target are published: an encrypted image is there as payloads only. */
export function isPublished({ custom = {} }: Target): boolean {
  return custom.encryption === undefined || custom.image !== undefined;
}

/** A patch that makes `image` out of `base`; without one, `image` compressed. */
export function buildPayload(image: Uint8Array, base?: Base, onProgress?: (done: number) => void): Payload {
  const before = base?.image ?? new Uint8Array(0);
  const bytes = buildPatch(before, image, { compression: 'heatshrink', ...(onProgress && { onProgress }) });
  const patched = base && {
    base: sha256(base.image),
    baseCounter: base.releaseCounter,
    baseLength: base.image.length,
  };
  const file = base === undefined ? 'compressed' : `from-${base.releaseCounter}.patch`;
  return payload(file, bytes, { image: sha256(image), ...patched });
}

/** The image as it is, to be encrypted. */
export function wholeImage(image: Uint8Array): Payload {
  return payload('image', image, { image: sha256(image) });
}

/** The same payload, readable with the keys that belong to these X25519 public keys. */
export function encryptedPayload(
  { file, bytes, target }: Payload,
  recipients: readonly Uint8Array[],
  random?: Random,
): Payload {
  const kind = file === 'image' ? 'image' : 'patch';
  return payload(`${file}.encrypted`, encryptPayload(bytes, kind, recipients, random), {
    ...target.custom,
    encryption: ENCRYPTION,
  });
}

function payload(file: string, bytes: Uint8Array, custom: NonNullable<Target['custom']>): Payload {
  return { file, bytes, target: { length: bytes.length, hashes: { sha256: sha256(bytes) }, custom } };
}
