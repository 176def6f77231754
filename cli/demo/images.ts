// The versions of the demo's firmware: the same bytes, and a trailer that tells them apart.

/** Bytes of the trailer: the version, and what the self-test of the image will find. */
export const TRAILER = 64;
/** Smaller firmware is padded: a power cut needs something to hit. */
const MIN_FIRMWARE = 32 * 1024;

/** What the boards come with, and what is released one after the other. */
export const VERSIONS = ['0.9.0', '1.0.0', '1.1.0', '1.2.0', '1.2.1'] as const;
export type Version = (typeof VERSIONS)[number];
export const FACTORY: Version = '0.9.0';
/** Fails its self-test. */
const BROKEN: Version = '1.2.0';

export class Images {
  /** Bytes of each. */
  readonly length: number;
  readonly #firmware: Uint8Array;

  constructor(firmware: Uint8Array) {
    const padding = Math.max(0, MIN_FIRMWARE - firmware.length);
    this.#firmware = Buffer.concat([firmware, Buffer.alloc(padding, 0xff)]);
    this.length = this.#firmware.length + TRAILER;
  }

  of(version: Version): Uint8Array {
    const verdict = version === BROKEN ? 'fails' : 'passes';
    const trailer = Buffer.alloc(TRAILER);
    trailer.write(`moult demo, version ${version}, self-test ${verdict}`);
    return Buffer.concat([this.#firmware, trailer]);
  }

  /** Which version these bytes are, all of them; undefined: none. */
  versionOf(bytes: Uint8Array): Version | undefined {
    return VERSIONS.find((version) => Buffer.compare(this.of(version), bytes) === 0);
  }
}

/** The same for a shell, which gets the image on its standard input and more behind it. */
export function selfTestCommand(length: number): string {
  return `head -c ${length} | tail -c ${TRAILER} | grep -aq 'self-test passes'`;
}

/** The self-test of the demo's boards: what the image that runs says about itself. */
export function passesSelfTest(image: Uint8Array): boolean {
  return Buffer.from(image.subarray(-TRAILER)).includes('self-test passes');
}
