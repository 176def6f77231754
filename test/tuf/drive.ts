// A core driven by hand, call by call, through one check: no client and no network, so that a test decides in what
// pieces the bytes arrive, and what time it is at each call.
import { Action, FetchKind, Role, State, Status } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { nameOf, type Stage, type Verdict } from './kit.ts';

/** How the bytes of a file arrive, by its name. */
export type Pieces = (name: string, file: Uint8Array) => Iterable<Uint8Array>;

const whole: Pieces = (_, file) => pieces(file, 1024);

/** A file in pieces of one size. */
export function* pieces(file: Uint8Array, size: number): Generator<Uint8Array> {
  for (let from = 0; from < file.length; from += size) yield file.subarray(from, from + size);
}

/** A file in two pieces, each as large as the buffer allows. */
export function* cut(file: Uint8Array, at: number): Generator<Uint8Array> {
  yield* pieces(file.subarray(0, at), 1024);
  yield* pieces(file.subarray(at), 1024);
}

/** What the core came to, and what it wants done then: nothing, a reboot or a self-test. */
export interface Result extends Verdict {
  readonly action: keyof typeof Action;
}

/** Steps until the core wants anything but a file; the files are those of the stage. */
export function drive(core: Core, s: Stage, arrive: Pieces = whole): Result {
  for (let steps = 0; steps < 10_000; steps++) {
    const action = core.agentStep(s.clock.seconds());
    if (action === Action.FETCH) fetchFile(core, s, arrive);
    else if (action === Action.ASK) core.updateApprove();
    else if (action !== Action.CONTINUE) return { action: nameOf(Action, action), ...verdict(core) };
  }
  throw new Error('the core asks without end');
}

/** Steps until the core has judged one file; its status. */
export function judge(core: Core, s: Stage, name: string, arrive: Pieces): number {
  while (core.agentStep(s.clock.seconds()) === Action.FETCH) {
    const wanted = core.fetchName();
    const status = fetchFile(core, s, arrive);
    if (wanted === name) return status;
  }
  throw new Error(`the core does not ask for ${name}`);
}

/** What became of a target that was asked for, and the names that were fetched for it. */
export interface Found extends Verdict {
  readonly asked: readonly string[];
}

/** Asks a core that has checked for a target, and steps until it is verified or there is a finding. */
export function find(core: Core, s: Stage, path: string, arrive: Pieces = whole): Found {
  const asked: string[] = [];
  const status = core.targetFind(path);
  if (status < 0) return { status: nameOf(Status, status), role: 'NONE', asked };
  for (let steps = 0; steps < 10_000; steps++) {
    const action = core.agentStep(s.clock.seconds());
    if (action === Action.FETCH) {
      asked.push(core.fetchName());
      fetchFile(core, s, arrive);
    } else if (action !== Action.CONTINUE) return { ...verdict(core), asked };
  }
  throw new Error('the core asks without end');
}

/** The outcome of the last check. */
export function verdict(core: Core): Verdict {
  const status = core.stateRead(State.CHECK_STATUS) | 0;
  return { status: nameOf(Status, status), role: nameOf(Role, core.stateRead(State.CHECK_ROLE)) };
}

function fetchFile(core: Core, s: Stage, arrive: Pieces): number {
  const name = core.fetchName();
  const path =
    core.fetchKind() === FetchKind.METADATA ? `metadata/${decodeURIComponent(name)}` : `targets/${name}`;
  const file = s.files.get(path);
  if (!file) return core.fetchEnd(Status.NOT_FOUND);
  let status = core.fetchBegin(core.fetchOffset());
  for (const piece of arrive(name, file.subarray(core.fetchOffset())))
    if (status >= 0) status = core.fetchWrite(piece);
  return core.fetchEnd(status < 0 ? Status.NETWORK : Status.OK);
}
