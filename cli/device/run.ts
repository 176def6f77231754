// Runs a device whose flash is a file, against whatever answers it: a server or a bundle.

import { State, Status } from '../../host/node/abi.ts';
import { Client, type ClientOptions } from '../../host/node/client.ts';
import { systemClock } from '../../host/node/clock.ts';
import type { Core } from '../../host/node/core.ts';
import { systemFetch } from '../../host/node/http.ts';
import type { DeviceKey } from '../../host/node/provision.ts';
import { messageOf, readTimeKey } from '../../repo/index.ts';
import type { Output } from '../output.ts';
import { readInput, type Session } from '../session.ts';
import { parseComponents, showComponents } from './components.ts';
import { exitOf, statusCode } from './failure.ts';
import { FolderDevice, type Provisioning } from './folder.ts';
import { Show } from './show.ts';

/** What a new device is given; its hardware id is also what the user takes a device to have. */
export interface NewDevice {
  readonly root?: string;
  readonly hw?: string;
  /** The file of its key for encrypted payloads, or `new`. */
  readonly key?: string;
  /** The main one, then others; left out: `app`. */
  readonly component?: readonly string[];
  /** Files of the keys of time servers; then it needs their time. */
  readonly timeKey?: readonly string[];
  readonly interval: number;
}

export interface DeviceRun {
  readonly folder: string;
  readonly device: NewDevice;
  /** One check with all that follows from it; else until the user stops it. */
  readonly once: boolean;
  /** The user approves of whatever the device announces, or postpones it by so many seconds. */
  readonly approve?: boolean;
  readonly postpone?: number | undefined;
  readonly client: Omit<ClientOptions, 'clock'>;
}

export async function runDevice(session: Session, { folder, once, ...run }: DeviceRun): Promise<void> {
  const { output } = session;
  const show = new Show(output);
  const stop = new AbortController();
  const clock = { now: () => session.io.clock() * 1000, after: systemClock.after };
  const later = () => (run.postpone === undefined ? 0 : session.io.clock() + run.postpone);
  const client = createClient({ mayReboot: later, ...run.client, clock }, show, stop.signal);
  const device = new FolderDevice({
    folder,
    provisioning: await provisioning(session, run.device),
    hardwareId: run.device.hw,
    onProvisioned: (hardwareId, version, keys) => {
      output.event(`provisioned as ${hardwareId} with root version ${version}`);
      if (keys.payloads) output.event(`encryption key ${keys.payloads}`);
      if (keys.reports) output.event(`report key ${keys.reports}`);
    },
    onCoreFailure: (error) => {
      show.end();
      output.event(`a core that cannot run is passed over: ${messageOf(error)}`, 'bad');
    },
  });
  session.io.onStop(() => stop.abort());
  let core: Core | undefined;
  try {
    const outcome = await client.run({
      powerOn: () => {
        core = device.powerOn(client);
        return core;
      },
      failed: (error) => device.failed(error),
      selfTest: () => true,
      wait: async (until) =>
        (run.approve && approve(core)) || (!once && (await waitUntil(until, stop.signal, output))),
    });
    const components = core?.components() ?? [];
    if (components.length > 1) showComponents(components, output);
    output.result({ ...device.summary(), status: statusCode(outcome.status) });
    if (once) session.exit = exitOf(outcome.status);
    else output.event('switched off', 'plain');
  } finally {
    show.end();
    device.switchOff();
  }
}

/** Whether there is something that waits for it; a release that is postponed too. */
function approve(core: Core | undefined): boolean {
  const status = core?.stateRead(State.CHECK_STATUS);
  const waits =
    status === Status.UPDATE_AVAILABLE || status === Status.POSTPONED || status === Status.OPTED_OUT;
  return waits && core?.updateApprove() === Status.OK;
}

function createClient(
  { fetch = systemFetch, ...options }: ClientOptions,
  show: Show,
  stop: AbortSignal,
): Client {
  return new Client({
    ...options,
    fetch: (url, init) => fetch(url, { ...init, signal: AbortSignal.any([init.signal, stop]) }),
    // What breaks off because the user switches the device off is no event.
    onEvent: (event) => {
      if (!stop.aborted) show.event(event);
    },
  });
}

async function provisioning(session: Session, given: NewDevice): Promise<Provisioning | undefined> {
  const { root, hw: hardwareId, component, interval: checkInterval } = given;
  const components = parseComponents(component);
  if (root === undefined || hardwareId === undefined) return undefined;
  const buildTime = session.io.clock();
  const key = given.key === undefined ? undefined : await deviceKey(session, given.key);
  const timeKeys = given.timeKey?.map((file) => readTimeKey(session.path(file)).keyval.public);
  const timed = timeKeys && { timeKeys, needsTime: true };
  return {
    configuration: { ...components, hardwareId, buildTime, checkInterval, ...timed },
    root: await readInput('the root of trust', session.path(root)),
    ...(key && { key }),
  };
}

export async function deviceKey(session: Session, from: string): Promise<DeviceKey> {
  return from === 'new' ? 'random' : readInput('the encryption key', session.path(from));
}

/** The longest that a timer can run, in milliseconds; a device that wakes early finds that it is not time yet. */
const LONGEST = 2 ** 31 - 1;

/** Resolves to false when the user has switched the device off. */
export function waitUntil(until: number, stop: AbortSignal, output: Output): Promise<boolean> {
  if (stop.aborted) return Promise.resolve(false);
  output.event(`next check at ${new Date(until * 1000).toISOString()}`, 'plain');
  const wait = Math.min(Math.max(0, until * 1000 - Date.now()), LONGEST);
  return new Promise((resolve) => {
    const callOff = systemClock.after(wait, () => resolve(true));
    stop.addEventListener('abort', () => {
      callOff();
      resolve(false);
    });
  });
}
