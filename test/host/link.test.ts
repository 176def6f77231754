// The link: a device in C and the real gateway on lines that do what lines do, with a real server behind. Time on the
// line is simulated, so that a seed replays a run and a minute of silence takes none.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Action, State, Status } from '../../host/node/abi.ts';
import { Gateway, type GatewayEvent } from '../../host/node/gateway.ts';
import { encodeFrame, type Frame, FrameDecoder, LAST, LinkKind } from '../../host/node/link.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import type { LineConduct } from '../../sim/line.ts';
import { RELEASE_2 } from '../../sim/scenarios/world.ts';
import {
  type Answering,
  LINK_TEST,
  LINK_TEST_SANITIZED,
  type LineOptions,
  type LinkWorld,
  linkWorld,
  type Result,
  runDevice,
  withLinkTest,
  withSanitizers,
} from '../fixtures/link.ts';

let world: LinkWorld;
let server: StaticServer;

beforeAll(async () => {
  world = await linkWorld();
  server = await serveStatic({ directory: world.folder });
});

afterAll(() => server?.close());

function gateway(send: (bytes: Uint8Array) => void, onEvent?: (event: GatewayEvent) => void): Gateway {
  const urls = { metadataUrl: `${server.url}/metadata/`, targetsUrl: `${server.url}/targets/` };
  return new Gateway({ ...urls, ...(onEvent && { onEvent }) }, send);
}

const run = (options: LineOptions = {}) => runDevice(world, gateway, options);

/** The device is up to date, with the very image in the slot that runs. */
function expectUpdated(result: Result): void {
  expect({ status: result.status, said: result.said }).toEqual({ status: 0, said: '' });
  expect(Buffer.compare(result.image, RELEASE_2.image)).toBe(0);
  expect(result.steps.at(-1)).toEqual({ action: Action.WAIT, status: Status.UP_TO_DATE });
}

/** Counts what comes, and what comes again, and passes it on. */
class Counting implements Answering {
  readonly frames: Frame[] = [];
  readonly #inner: Answering;
  readonly #decoder = new FrameDecoder();

  constructor(inner: Answering) {
    this.#inner = inner;
  }

  get repeated(): number {
    const different = new Set(this.frames.map(({ session, sequence }) => `${session} ${sequence}`));
    return this.frames.length - different.size;
  }

  receive(bytes: Uint8Array): Promise<void> {
    this.frames.push(...this.#decoder.push(bytes));
    return this.#inner.receive(bytes);
  }

  close(): void {
    this.#inner.close();
  }
}

async function counted(options: LineOptions): Promise<{ result: Result; line: Counting }> {
  let line: Counting | undefined;
  const result = await runDevice(
    world,
    (send) => {
      line = new Counting(gateway(send));
      return line;
    },
    options,
  );
  return { result, line: line as Counting };
}

describe('a device on a link', () => {
  withLinkTest('updates, and its flash is as another host leaves it, byte for byte', async () => {
    const { result, line } = await counted({});
    expectUpdated(result);
    expect(Buffer.compare(result.flash, world.expected)).toBe(0);
    expect(line.repeated).toBe(0);
  });

  withLinkTest(
    'does not take a slow line for a dead one: nothing is asked twice at 1,200 bytes a second',
    async () => {
      const { result, line } = await counted({ toDevice: { rate: 1200 }, toGateway: { rate: 1200 } });
      expectUpdated(result);
      expect(line.repeated).toBe(0);
      expect(result.took).toBeGreaterThan(10_000);
    },
  );

  withLinkTest(
    'erases ahead while an answer is on its way, where its core erases block by block',
    async () => {
      const result = await runDevice(await linkWorld('moult-small.wasm'), gateway);
      expectUpdated(result);
      expect(result.erases).toEqual([
        { offset: 0, waiting: false },
        { offset: 4096, waiting: true },
        { offset: 8192, waiting: true },
      ]);
    },
  );

  withLinkTest('reports what it does', async () => {
    const events: GatewayEvent[] = [];
    expectUpdated(await runDevice(world, (send) => gateway(send, (event) => events.push(event))));
    const reports = events.flatMap((event) => (event.type === 'report' ? [event.report] : []));
    expect(reports.map(({ event, status }) => [event, status])).toEqual([
      ['started', Status.OK],
      ['reboots', Status.READY_TO_REBOOT],
      ['started', Status.OK],
      ['on-trial', Status.OK],
      ['confirmed', Status.OK],
      ['checked', Status.UP_TO_DATE],
    ]);
    expect(reports.map(({ state }) => state.length)).toEqual(reports.map(() => Object.keys(State).length));
    expect(reports[1]).toMatchObject({
      installedVersion: '1.0.0',
      candidateVersion: '1.1.0',
      engine: 'wasm3',
    });
    expect(reports[5]).toMatchObject({ installedVersion: '1.1.0', candidateVersion: '' });
  });
});

const MISBEHAVIOURS: readonly [what: string, options: LineOptions][] = [
  ...both('loses frames', { loses: 0.4 }),
  ...both('doubles frames', { doubles: 0.3 }),
  ...both('turns bits over', { spoils: 0.4 }),
  ...both('loses a byte', { losesByte: 0.4 }),
  ...both('doubles a byte', { doublesByte: 0.4 }),
  ...both('cuts frames short', { cuts: 0.4 }),
  ...both('makes noise between frames', { noise: 0.3 }),
  ...both('holds frames back, so that later ones overtake them', { delays: 0.3, doubles: 0.3 }),
  ...both('delivers frames after they were given up', { delaysLong: 0.3 }),
  ...both('carries good frames of another device', { strangers: 0.3 }),
  ['is dead for two minutes', { toDevice: { deadUntil: 120_000 } }],
  ['echoes what the device sends', { echoes: true }],
  ['is flooded with noise all the time', { babbles: true }],
  ['is good, but the device starts again at any moment', { deviceRestarts: 0.02 }],
  ['is good, but the gateway starts again at any moment', { gatewayRestarts: 0.05 }],
];

/** On the way to the device, to the gateway, and both. */
function both(what: string, conduct: LineConduct): [string, LineOptions][] {
  return [
    [`${what}, to the device`, { toDevice: conduct }],
    [`${what}, to the gateway`, { toGateway: conduct }],
  ];
}

describe('an update completes on a line that', () => {
  for (const [what, options] of MISBEHAVIOURS) {
    withLinkTest(what, async () => {
      let faults = 0;
      for (const seed of [1, 2]) {
        const result = await run({ ...options, seed });
        expectUpdated(result);
        faults += result.faults + result.restarts;
      }
      expect(faults).toBeGreaterThan(3);
    });
  }

  const EVERYTHING: LineConduct = {
    loses: 0.04,
    doubles: 0.04,
    spoils: 0.04,
    losesByte: 0.04,
    doublesByte: 0.04,
    cuts: 0.04,
    noise: 0.04,
    delays: 0.04,
    delaysLong: 0.02,
    strangers: 0.04,
  };

  function anyhow(seed: number, program: string): Promise<Result> {
    const restarts = { deviceRestarts: 0.005, gatewayRestarts: 0.01 };
    return run({ toDevice: EVERYTHING, toGateway: EVERYTHING, ...restarts, seed, program });
  }

  withLinkTest('does all of this, while both ends start again', async () => {
    for (let seed = 1; seed <= 30; seed++) expectUpdated(await anyhow(seed, LINK_TEST));
  });

  withSanitizers('does all of this, under ASan and UBSan', async () => {
    for (let seed = 101; seed <= 105; seed++) expectUpdated(await anyhow(seed, LINK_TEST_SANITIZED));
  });
});

/** What a lying gateway makes of an answer. Undefined: it says nothing. */
type Lie = (answer: Frame, request: Frame) => Frame | undefined;

/** A device that cannot even report gives its checks up, and the metadata would expire meanwhile. */
const MOST_GREETINGS = 10;

/** Lies about every answer until the device has told how its check ended, or has heard enough; honest from then on. */
class Liar implements Answering {
  lies = 0;
  readonly #honest: Gateway;
  readonly #requests = new FrameDecoder();
  readonly #answers = new FrameDecoder(2048);
  /** Sequences of the device's HELLOs. */
  readonly #greetings = new Set<number>();
  #request: Frame | undefined;
  #checked = false;

  constructor(lie: Lie, send: (bytes: Uint8Array) => void) {
    const answer = (bytes: Uint8Array) => {
      for (const frame of this.#answers.push(bytes)) {
        const lied =
          this.#checked || this.#greetings.size > MOST_GREETINGS ? frame : lie(frame, this.#request as Frame);
        if (lied !== frame) this.lies++;
        if (lied) send(encodeFrame(lied));
      }
    };
    this.#honest = gateway(answer, (event) => {
      this.#checked ||= event.type === 'report' && event.report.event === 'checked';
    });
  }

  async receive(bytes: Uint8Array): Promise<void> {
    for (const request of this.#requests.push(bytes)) {
      this.#request = request;
      if (request.kind === LinkKind.HELLO) this.#greetings.add(request.sequence);
    }
    await this.#honest.receive(bytes);
  }

  close(): void {
    this.#honest.close();
  }
}

const DATA = LinkKind.READ | LinkKind.ANSWER;
const toRead =
  (kind: number): Lie =>
  (answer, request) =>
    request.kind === LinkKind.READ ? { ...answer, kind, flags: 0, payload: new Uint8Array() } : answer;
const ofData =
  (change: (data: Frame) => Frame | undefined): Lie =>
  (answer) =>
    answer.kind === DATA ? change(answer) : answer;

function wanted(request: Frame): number {
  return Buffer.from(request.payload).readUInt16LE(5);
}

/** Bytes without end, from wherever the device asks for them. */
const endless: Lie = (answer, request) => {
  if (request.kind !== LinkKind.READ) return answer;
  const bytes = Buffer.alloc(wanted(request), '{"signed":{},');
  return { ...answer, kind: DATA, flags: 0, payload: Buffer.concat([request.payload.subarray(1, 5), bytes]) };
};

const LIES: readonly [what: string, lie: Lie][] = [
  ['ABSENT to everything', toRead(LinkKind.ABSENT)],
  ['FAILED to everything', toRead(LinkKind.FAILED)],
  ['BUSY for ever', toRead(LinkKind.BUSY)],
  ['REFUSED to everything', toRead(LinkKind.REFUSED)],
  ['REFUSED to HELLO', (answer) => ({ ...answer, kind: LinkKind.REFUSED, payload: new Uint8Array() })],
  [
    'HELLO with another version',
    (answer, { kind }) => (kind === LinkKind.HELLO ? { ...answer, payload: Uint8Array.of(2) } : answer),
  ],
  ['an answer to another request', toRead(LinkKind.REPORT | LinkKind.ANSWER)],
  ['a request of its own', toRead(LinkKind.READ)],
  ['nothing', (answer, { kind }) => (kind === LinkKind.READ ? undefined : answer)],
  [
    'another offset',
    ofData((data) => ({ ...data, payload: data.payload.map((byte, at) => byte + +(at === 0)) })),
  ],
  [
    'other bytes',
    ofData((data) => ({ ...data, payload: data.payload.map((byte, at) => byte ^ +(at === 40)) })),
  ],
  ['more bytes than wanted', (answer, request) => more(answer, request)],
  ['no offset', ofData((data) => ({ ...data, payload: data.payload.subarray(0, 3) }))],
  [
    'no bytes, and never an end',
    ofData((data) => ({ ...data, flags: 0, payload: data.payload.subarray(0, 4) })),
  ],
  [
    'the end after the first byte',
    ofData((data) => ({ ...data, flags: LAST, payload: data.payload.subarray(0, 5) })),
  ],
  ['bytes without end', endless],
  ['the session before', (answer) => ({ ...answer, session: (answer.session - 1) >>> 0 })],
  ['the request before', (answer) => ({ ...answer, sequence: (answer.sequence - 1) & 0xffff })],
];

function more(answer: Frame, request: Frame): Frame {
  if (answer.kind !== DATA) return answer;
  return {
    ...answer,
    payload: Buffer.concat([answer.payload, Buffer.alloc(wanted(request))]).subarray(0, 1024),
  };
}

describe('[CERT-0-3] [CERT-T-3] a gateway that lies costs a check, and the device goes on with an honest one: it answers', () => {
  for (const [what, lie] of LIES) {
    withLinkTest(what, async () => {
      let liar: Liar | undefined;
      const result = await runDevice(world, (send) => {
        liar = new Liar(lie, send);
        return liar;
      });
      expectUpdated(result);
      expect(liar?.lies).toBeGreaterThan(0);
      const findings = result.steps.filter(({ action, status }) => action === Action.WAIT && status < 0);
      expect(findings.length).toBeGreaterThan(0);
    });
  }
});

describe('the patience of a device', () => {
  const patience = (program: string) => {
    const { status, stderr } = spawnSync(program, ['patience'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  };

  withLinkTest('is ten seconds for silence and noise, a minute for a gateway that is busy', () =>
    patience(LINK_TEST),
  );

  withSanitizers('is the same under ASan and UBSan', () => patience(LINK_TEST_SANITIZED));
});

describe('[CERT-0-4] the decoder in C', () => {
  const fuzz = (program: string, seed: number) => {
    const { status, stderr } = spawnSync(program, ['fuzz', String(seed), '10000'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  };

  withLinkTest('gives no byte that was not asked for, whatever frames come', () => {
    for (let seed = 1; seed <= 3; seed++) fuzz(LINK_TEST, seed);
  });

  withSanitizers('gives no byte that was not asked for, under ASan and UBSan', () => {
    for (let seed = 11; seed <= 12; seed++) fuzz(LINK_TEST_SANITIZED, seed);
  });
});
