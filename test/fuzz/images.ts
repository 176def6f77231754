// One device of a board after another, each offered one image: signed as a release, whatever it is.
import { Status } from '../../host/node/abi.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import {
  buildRoot,
  buildSnapshot,
  buildTargets,
  buildTimestamp,
  ENCRYPTION,
  generateKey,
  type Target as Listed,
  ROLES,
  type SigningKey,
  sha256,
} from '../../repo/index.ts';
import { Random } from '../../sim/random.ts';
import { signaturesBy } from '../tuf/kit.ts';
import { bytes, type JsonObject, plain, text } from '../tuf/values.ts';
import { type FlashContents, type Outcome, Target } from './target.ts';

/** 2030-01-01T00:00:00Z */
const NOW = 1_893_456_000;
const STAMP = { version: 1, expires: NOW + 86_400 };
const KNOWN = new Set<number>(Object.values(Status));
/** Rounds of loops that a check may cost, beside those for each byte of the image: nothing in it may make work. */
const STEPS = 200_000;
const STEPS_PER_BYTE = 250;

/** An encrypted payload, and what its metadata says of it. */
export interface Offered {
  readonly bytes: Uint8Array;
  readonly custom: NonNullable<Listed['custom']>;
}

export class ImageBench {
  readonly #target = new Target();
  readonly #key: SigningKey;
  readonly #base: FlashContents;

  /** With a key it takes images that are encrypted. */
  constructor(board: Partial<DeviceConfiguration>, key?: Uint8Array) {
    const random = new Random(1);
    this.#key = generateKey((length) => random.bytes(length));
    const role = { keys: [this.#key.public], threshold: 1 };
    const root = buildRoot(STAMP, { root: role, timestamp: role, snapshot: role, targets: role });
    const configuration = {
      hardwareId: 'sim',
      component: 'app',
      version: '1.0.0',
      releaseCounter: 1,
      securityCounter: 1,
      buildTime: NOW - 1000,
      checkInterval: 3600,
      ...board,
    };
    const status = this.#target.provision(configuration, this.#signed(plain(root)), key);
    if (status !== Status.OK) throw new Error(`the device is not provisioned: ${status}`);
    this.#base = this.#target.contents();
  }

  /**
   * The status of the check in which the device is offered this image, as it is or as bytes that are said to be the
   * image encrypted. Throws when it traps, or works without end.
   */
  judge(image: Uint8Array, encrypted?: Uint8Array): number {
    const payload = encrypted && {
      bytes: encrypted,
      custom: { image: sha256(image), encryption: ENCRYPTION },
    };
    return this.#check(this.#base, this.#repository(image, payload), encrypted ?? image).status;
  }

  /**
   * The device trusts metadata that offers this image as an encrypted payload, of which nothing came. Returns what says
   * of bytes that come in its place, each time from there, whether they are selected to boot, or the verdict on them.
   */
  offer(image: Uint8Array, payload: Offered): (arrived: Uint8Array) => 'selected' | number {
    const files = this.#repository(image, payload);
    this.#check(this.#base, files, undefined);
    const trusting = this.#target.contents();
    return (arrived) => {
      const outcome = this.#check(trusting, files, arrived);
      return outcome.selected ? 'selected' : ([...outcome.files.values()].at(-1) ?? Status.OK);
    };
  }

  /** There is no newer root; every other name is that of what is offered. */
  #check(
    from: FlashContents,
    files: ReadonlyMap<string, Uint8Array>,
    offered: Uint8Array | undefined,
  ): Outcome {
    const serve = (name: string) =>
      files.get(name) ?? (ROLES.some((role) => name.endsWith(`${role}.json`)) ? undefined : offered);
    this.#target.restore(from);
    const outcome = this.#target.check(NOW, serve, 1024);
    const { status, steps, bytesFed, selected } = outcome;
    if (!KNOWN.has(status)) throw new Error(`status ${status} is none`);
    if (selected !== (status === Status.READY_TO_REBOOT))
      throw new Error(`status ${status}, and slots selected`);
    if (steps > STEPS + STEPS_PER_BYTE * bytesFed) throw new Error(`${steps} steps for ${bytesFed} bytes`);
    return outcome;
  }

  #repository(image: Uint8Array, payload?: Offered): Map<string, Uint8Array> {
    const encryption = payload && { encryption: ENCRYPTION };
    const custom = {
      component: 'app',
      version: '1.1.0',
      hardwareIds: ['sim'],
      releaseCounter: 2,
      securityCounter: 1,
      ...encryption,
    };
    const target = { length: image.length, hashes: { sha256: sha256(image) }, custom };
    const targets: Record<string, Listed> = { 'app/sim/1.1.0/app.bin': target };
    if (payload)
      targets['app/sim/1.1.0/app.encrypted'] = {
        length: payload.bytes.length,
        hashes: { sha256: sha256(payload.bytes) },
        custom: payload.custom,
      };
    return new Map([
      ['timestamp.json', this.#signed(plain(buildTimestamp(STAMP, { version: 1 })))],
      ['1.snapshot.json', this.#signed(plain(buildSnapshot(STAMP, { 'targets.json': { version: 1 } })))],
      ['1.targets.json', this.#signed(plain(buildTargets(STAMP, targets)))],
    ]);
  }

  #signed(content: JsonObject): Uint8Array {
    return bytes(text({ signatures: signaturesBy([this.#key], content), signed: content }));
  }
}
