// The ECUs of the model, each with the real core, and files that are put before it.
import { Action, FetchKind, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { uniformGeometry } from '../../host/node/flash.ts';
import { generateKey } from '../../repo/index.ts';
import { Responder } from '../../server/roughtime/responder.ts';
import { type DeviceContents, SimDevice } from '../device.ts';
import { Random } from '../random.ts';
import { type EcuSpec, type Files, START, VEHICLE } from './repositories.ts';

export type EcuName = 'Primary' | 'Secondary in full' | 'Secondary in part';

export interface Ecu extends EcuSpec {
  readonly name: EcuName;
  readonly mode: 'full' | 'partial';
}

/** The Secondaries are the same board, with images of a supplier's, verified in full by one and in part by the other. */
export const ECUS: readonly Ecu[] = [
  ecu('Primary', 'full', { serial: 'gateway-1', hardwareId: 'gw-1', component: 'app', supplied: false }),
  ecu('Secondary in full', 'full', BRAKE()),
  ecu('Secondary in part', 'partial', BRAKE()),
];

function BRAKE(): Omit<EcuSpec, 'name'> {
  return { serial: 'brake-1', hardwareId: 'brk-1', component: 'brake', supplied: true };
}

function ecu(name: EcuName, mode: Ecu['mode'], spec: Omit<EcuSpec, 'name'>): Ecu {
  return { ...spec, name, mode };
}

const DAY = 86_400;
/** More files than any check asks for. */
const MOST_STEPS = 2000;
/** Bytes that are given to an ECU for one file that never ends. */
export const ENDLESS = 6_000_000;
const PIECE = 1024;

/** What answers: a file, or `endless`: spaces after it, up to ENDLESS bytes in all. */
export interface Answer {
  readonly bytes: Uint8Array;
  readonly endless?: boolean;
}

export type Answers = (path: string) => Answer | undefined;

export function answersOf(files: Files): Answers {
  return (path) => {
    const bytes = files.get(path);
    return bytes && { bytes };
  };
}

/** Whom an ECU has its time from: who has this key makes the time. */
const TIME_KEY = generateKey((length) => new Random(0x74696d65).bytes(length));

/** What came of a check: a status by its number, and the most bytes that were taken of one file. */
export interface Outcome {
  readonly status: number;
  readonly taken: number;
}

export class Bench {
  readonly #device: SimDevice;
  #taken = 0;

  /** An ECU that runs `image` and trusts these repositories. */
  constructor({ mode, serial, hardwareId, component }: Ecu, image: Uint8Array, files: Files) {
    const isPartial = mode === 'partial';
    const rootOf = (name: string) => files.get(`${name}/1.root.json`) ?? new Uint8Array();
    this.#device = new SimDevice({
      root: rootOf(isPartial ? 'director' : 'image'),
      ...(!isPartial && { directorRoot: rootOf('director') }),
      image,
      configuration: {
        ...{ hardwareId, component, version: '1.0.0', releaseCounter: 1, securityCounter: 0 },
        ...{ buildTime: START - DAY, checkInterval: 3600, uptane: mode, ecu: serial, vehicle: VEHICLE },
        timeKeys: [TIME_KEY.public.keyval.public],
      },
      geometry: uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 8192 }),
      client: { metadataUrl: 'https://sim/', targetsUrl: 'https://sim/' },
    });
    this.#device.powerOn();
  }

  /**
   * One check from a fresh start, with all that follows from it: install, reboot, confirm. `now` is the time that time
   * servers say, seconds since 1970; undefined: they say nothing.
   */
  check(now: number | undefined, answers: Answers): Outcome {
    this.#taken = 0;
    let core = this.#device.powerOn();
    for (let boots = 0; boots < 10; boots++) {
      const action = this.#drive(core, now, answers);
      if (action === Action.WAIT)
        return { status: core.stateRead(State.CHECK_STATUS) | 0, taken: this.#taken };
      if (action === Action.SELF_TEST) core.imageConfirm();
      else core = this.#device.powerOn();
    }
    throw new Error('the ECU boots without end');
  }

  runs(image: Uint8Array): boolean {
    this.#device.powerOn();
    return Buffer.compare(this.#device.running(image.length), image) === 0;
  }

  snapshot(): DeviceContents {
    return this.#device.snapshot();
  }

  restore(contents: DeviceContents): void {
    this.#device.restore(contents);
  }

  #drive(core: Core, now: number | undefined, answers: Answers): number {
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      // Its own clock could be anything: it is not asked.
      const action = core.agentStep(0);
      if (action === Action.FETCH) this.#fetch(core, answers);
      else if (action === Action.TIME) tellTime(core, now);
      else if (action === Action.ASK) core.updateApprove();
      else if (action !== Action.CONTINUE) return action;
    }
    throw new Error('the core asks without end');
  }

  #fetch(core: Core, answers: Answers): void {
    const answer = answers(this.#path(core));
    if (!answer) return void core.fetchEnd(Status.NOT_FOUND);
    const { bytes, endless } = answer;
    const end = endless ? ENDLESS : bytes.length;
    const spaces = new Uint8Array(PIECE).fill(0x20);
    let status = core.fetchBegin(core.fetchOffset());
    let at = core.fetchOffset();
    for (; at < end && status >= 0; at += PIECE)
      status = core.fetchWrite(at < bytes.length ? bytes.subarray(at, at + PIECE) : spaces);
    this.#taken = Math.max(this.#taken, at);
    core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
  }

  #path(core: Core): string {
    const name = decodeURIComponent(core.fetchName());
    const kind = core.fetchKind();
    if (kind === FetchKind.TARGET) return `targets/${name}`;
    return `${kind === FetchKind.DIRECTOR ? 'director' : 'image'}/${name}`;
  }
}

/** Who takes no answer for the time is told that there is no other one. */
function tellTime(core: Core, now: number | undefined): void {
  const status = now === undefined ? Status.TIME_MISSING : core.timeAnswer(answerAt(now, core.timeRequest()));
  if (status < 0) core.timeAnswer(new Uint8Array());
}

function answerAt(now: number, packet: Uint8Array): Uint8Array {
  const server = new Responder({ keys: [TIME_KEY], clock: () => now, radius: 5 });
  const request = server.read(packet);
  return (request && server.answer([request])[0]) ?? new Uint8Array();
}
