// moult ecu run: the program of an ECU, until it is stopped. A Primary listens on the lines of its Secondaries, a Secondary
// connects to its own.
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Bundle, bundleUpstream } from '../../host/node/bundle.ts';
import type { ClientEvent, DeviceActions } from '../../host/node/client.ts';
import { type Clock, systemClock } from '../../host/node/clock.ts';
import type { Core } from '../../host/node/core.ts';
import { FolderDepot } from '../../host/node/depot.ts';
import { DirectorLine } from '../../host/node/director.ts';
import type { Fetch } from '../../host/node/http.ts';
import { LinkClient } from '../../host/node/linkclient.ts';
import { Primary } from '../../host/node/primary.ts';
import { Secondary } from '../../host/node/secondary.ts';
import { RepositoryError } from '../../repo/index.ts';
import { FolderDevice } from '../device/folder.ts';
import { waitUntil } from '../device/run.ts';
import { SocketLine, serveSocket } from '../device/socket.ts';
import type { Session } from '../session.ts';
import { describeIdentity, type EcuIdentity, readIdentity, readTls } from './identity.ts';
import { ecuLine, primaryLine } from './show.ts';

export interface EcuRun {
  /** Of a Primary. */
  readonly directorUrl?: string;
  readonly imageUrl?: string;
  /** Of a Primary, in place of both. */
  readonly bundle?: string;
  readonly timeServer: readonly string[];
  readonly insecureHttp?: true;
  /** SERIAL=SOCKET for each Secondary; of a Secondary its own. */
  readonly line: readonly string[];
}

export async function run(session: Session, folder: string, given: EcuRun): Promise<void> {
  const path = session.path(folder);
  const identity = readIdentity(path);
  const ecu = new RunningEcu(session, path);
  try {
    if (identity.secondaries) await runPrimary(ecu, identity, given);
    else await runSecondary(ecu, identity, given);
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
  } finally {
    ecu.device.switchOff();
  }
  session.output.event('switched off', 'plain');
  session.output.result({ ...identity, ...ecu.device.summary() });
}

/** The user has switched it off. */
class Stopped extends Error {}

/** What Primary and Secondary have in common: a device in a folder, and a user who stops it. */
class RunningEcu {
  readonly session: Session;
  readonly folder: string;
  readonly device: FolderDevice;
  readonly #stop = new AbortController();

  constructor(session: Session, folder: string) {
    this.session = session;
    this.folder = folder;
    this.device = new FolderDevice({ folder, onProvisioned: () => undefined });
    session.io.onStop(() => this.#stop.abort());
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Stands still at the end: whoever waits for the others then stops. */
  get clock(): Clock {
    return {
      now: () => this.session.io.clock() * 1000,
      after: (milliseconds, action) => {
        if (this.signal.aborted) throw new Stopped();
        return systemClock.after(milliseconds, action);
      },
    };
  }

  actions(starter: { start(core: Core): boolean }): DeviceActions {
    return {
      powerOn: () => this.device.powerOn(starter),
      failed: (error) => this.device.failed(error),
      selfTest: () => true,
      wait: (until) => waitUntil(until, this.signal, this.session.output),
    };
  }

  /** What breaks off because the user switches it off is no event. */
  say(line: ReturnType<typeof ecuLine>): void {
    if (line && !this.signal.aborted) this.session.output.event(...line);
  }
}

async function runPrimary(ecu: RunningEcu, identity: EcuIdentity, given: EcuRun): Promise<void> {
  const { session, folder } = ecu;
  const { vehicle, ecu: serial, hardwareId, secondaries = {} } = identity;
  const lines = linesOf(given.line, Object.keys(secondaries));
  let kept = '';
  const primary = new Primary({
    ...{ serial, hardwareId, vehicle, secondaries, clock: ecu.clock },
    ...upstreamOf(ecu, given),
    timeServers: given.timeServer,
    depot: new FolderDepot(join(folder, 'depot')),
    onEvent: (event) => {
      const line = primaryLine(event, serial);
      // The same is verified at each check.
      if (event.type !== 'kept' || line?.[0] !== kept) ecu.say(line);
      if (event.type === 'kept') kept = line?.[0] ?? '';
    },
  });
  const served: { close(): Promise<void> }[] = [];
  try {
    for (const [other, path] of lines)
      served.push(await serveSocket(session.path(path), { ...primary.gateway(other), clock: systemClock }));
    session.output.event(`${describeIdentity(identity)}, is on (Ctrl-C ends it)`);
    await primary.run(ecu.actions(primary));
  } finally {
    for (const line of served) await line.close();
  }
}

/** Where a Primary has everything from: both repositories, or one bundle for a vehicle that does not reach them. */
function upstreamOf({ session, folder, signal }: RunningEcu, given: EcuRun) {
  const { bundle, directorUrl, imageUrl, insecureHttp: allowHttp = false } = given;
  const online = directorUrl !== undefined && imageUrl !== undefined;
  if (bundle === undefined ? !online : directorUrl !== undefined || imageUrl !== undefined)
    throw new RepositoryError('bad-argument', 'a Primary needs --director-url and --image-url, or --bundle');
  if (bundle !== undefined) return bundleUpstream(new Bundle(session.path(bundle)));
  const director = new DirectorLine(directorUrl ?? '', readTls(folder));
  const images = imageUrl?.endsWith('/') ? imageUrl : `${imageUrl}/`;
  const fetch: Fetch = (url, init) =>
    director.fetch(url, { ...init, signal: AbortSignal.any([init.signal, signal]) });
  return {
    ...{ metadataUrl: `${images}metadata/`, targetsUrl: `${images}targets/` },
    ...{ directorUrl: director.metadataUrl, allowHttp, fetch },
    send: (manifest: Uint8Array) => director.send(manifest),
  };
}

/** A line for each Secondary, by serial. */
function linesOf(given: readonly string[], serials: readonly string[]): [serial: string, path: string][] {
  const lines = given.map((text): [string, string] => {
    const [, serial = '', path = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (!serials.includes(serial))
      throw new RepositoryError('bad-argument', `--line of a Primary is SERIAL=SOCKET, not "${text}"`);
    return [serial, path];
  });
  const missing = serials.find((serial) => !lines.some(([known]) => known === serial));
  if (missing !== undefined)
    throw new RepositoryError('bad-argument', `the line of ${missing} is missing: --line ${missing}=SOCKET`);
  return lines;
}

async function runSecondary(ecu: RunningEcu, identity: EcuIdentity, given: EcuRun): Promise<void> {
  const [path, ...more] = given.line;
  if (path === undefined || more.length > 0)
    throw new RepositoryError('bad-argument', 'a Secondary needs one --line: the socket of its Primary');
  let link: LinkClient | undefined;
  const line = new SocketLine(ecu.session.path(path), (bytes) => link?.receive(bytes));
  const openLink = () => {
    const session = randomInt(2 ** 32);
    link = new LinkClient({ session, clock: ecu.clock, send: (bytes) => line.send(bytes) });
    return link;
  };
  const onEvent = (event: ClientEvent) => ecu.say(ecuLine(event));
  const secondary = new Secondary({ openLink, clock: ecu.clock, onEvent });
  try {
    ecu.session.output.event(`${describeIdentity(identity)}, is on (Ctrl-C ends it)`);
    await secondary.run(ecu.actions(secondary.client));
  } finally {
    line.close();
  }
}
