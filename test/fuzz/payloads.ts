// Images and encrypted payloads that no honest writer made, each signed as a release: one after another against one
// device, and what must hold whatever they are.
import { Status } from '../../host/node/abi.ts';
import { buildPatch, type Content, encryptionPublicKey, encryptPayload } from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { BOARDS } from './boards.ts';
import { ImageBench } from './images.ts';
import { damage } from './mutate.ts';

export const PAYLOAD_KINDS = ['encrypted', 'damaged and encrypted', 'image formats'] as const;
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

/** More than two chunks. */
const LENGTH = 2500;

export class PayloadCampaign {
  readonly #random: Random;
  readonly #key: Uint8Array;
  readonly #keyed: ImageBench;
  readonly #image: Uint8Array;
  readonly #contents: readonly (readonly [Content, Uint8Array])[];
  readonly #boards = BOARDS.map(({ board, image }) => ({ bench: new ImageBench(board), image }));
  /** How many of the cases were selected, of how many. */
  accepted = 0;
  cases = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#key = this.#random.bytes(32);
    this.#keyed = new ImageBench({}, this.#key);
    this.#image = this.#random.bytes(LENGTH);
    const patch = buildPatch(new Uint8Array(), this.#image, { compression: 'heatshrink' });
    this.#contents = [
      ['image', this.#image],
      ['patch', patch],
    ];
  }

  /** Runs one case; throws when something did not hold. */
  run(kind: PayloadKind): void {
    this.cases++;
    if (kind === 'image formats') this.#runImage();
    else this.#runEncrypted(kind === 'encrypted');
  }

  /** Damaged outside, nothing opens; inside, what is behind the tags is reached. */
  #runEncrypted(outside: boolean): void {
    const [content, text] = this.#contents[this.#random.below(2)] ?? ['image', this.#image];
    const inside = outside ? text : damage(this.#random, text);
    const sealed = this.#sealed(inside, content);
    const bytes = outside ? damage(this.#random, sealed) : sealed;
    if (bytes.length === 0) return;
    const selected = this.#selects(this.#keyed, this.#image, bytes);
    if (selected && !isSame(bytes, sealed))
      throw new Error(`a damaged payload was taken: ${Buffer.from(bytes).toString('base64')}`);
  }

  #sealed(text: Uint8Array, content: Content): Uint8Array {
    const random = (length: number) => this.#random.bytes(length);
    return encryptPayload(text, content, [encryptionPublicKey(this.#key)], random);
  }

  #runImage(): void {
    const { bench, image } = this.#boards[this.#random.below(this.#boards.length)] ?? {};
    if (bench === undefined || image === undefined) throw new Error('unreachable');
    const bytes = damage(this.#random, image);
    if (bytes.length > 0 && this.#selects(bench, bytes) && !isSame(bytes, image))
      throw new Error(`a damaged image was selected: ${Buffer.from(bytes).toString('base64')}`);
  }

  #selects(bench: ImageBench, image: Uint8Array, encrypted?: Uint8Array): boolean {
    try {
      const selected = bench.judge(image, encrypted) === Status.READY_TO_REBOOT;
      if (selected) this.accepted++;
      return selected;
    } catch (cause) {
      throw new Error(`${(cause as Error).message}: ${Buffer.from(encrypted ?? image).toString('base64')}`, {
        cause,
      });
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
