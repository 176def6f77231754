// Payloads: what a device may fetch instead of an image (docs/formats.md, "A payload is a target").
import { buildPatch } from './delta/patch.ts';
import { sha256 } from './keys.ts';
import type { Target } from './metadata.ts';

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

/** A patch that makes `image` out of `base`; without one, `image` compressed. */
export function buildPayload(image: Uint8Array, base?: Base, onProgress?: (done: number) => void): Payload {
  const before = base?.image ?? new Uint8Array(0);
  const bytes = buildPatch(before, image, { compression: 'heatshrink', ...(onProgress && { onProgress }) });
  const patched = base && {
    base: sha256(base.image),
    baseCounter: base.releaseCounter,
    baseLength: base.image.length,
  };
  return {
    file: base === undefined ? 'compressed' : `from-${base.releaseCounter}.patch`,
    bytes,
    target: {
      length: bytes.length,
      hashes: { sha256: sha256(bytes) },
      custom: { image: sha256(image), ...patched },
    },
  };
}
