// moult device run: a simulated device. Its flash is a file, so it survives restarts; its core is the real one.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FetchKind, Role, STATUS_TEXTS, State, Status, Text } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Client, type ClientEvent } from '../../host/node/client.ts';
import { systemClock } from '../../host/node/clock.ts';
import { Core } from '../../host/node/core.ts';
import { HostError, StatusError, statusMessage } from '../../host/node/errors.ts';
import { FileFlash, uniformGeometry } from '../../host/node/flash.ts';
import { type DeviceConfiguration, provision } from '../../host/node/provision.ts';
import { systemFetch } from '../../host/node/transfer.ts';
import { RepositoryError } from '../../repo/index.ts';
import { EXIT, type ExitStatus } from '../exit.ts';
import type { AddCommand } from '../main.ts';
import { formatBytes, type Output, type Progress, type Tone } from '../output.ts';
import { readInput, type Session } from '../session.ts';

interface Options {
  readonly url: string;
  readonly root?: string;
  readonly hw?: string;
  readonly component: string;
  readonly interval: number;
  readonly once?: true;
  readonly insecureHttp?: true;
}

/** As on a microcontroller with 8 MiB of SPI flash. */
const GEOMETRY = uniformGeometry({
  block: 4096,
  unit: 4,
  erased: 0xff,
  bank: 64 * 1024,
  slot: 2 * 1024 * 1024,
});

const EXAMPLES = `
The folder holds the device: flash.bin is all that it has and knows. The first run provisions it with a hardware id
and a root of trust; later runs need neither. The device checks at once, then every interval; Ctrl-C switches it off.

Examples:
  moult device run board1 --url http://127.0.0.1:8080 --root acme-lock/public/metadata/1.root.json --hw esp32c3
  moult device run board1 --url http://127.0.0.1:8080 --once`;

export const addDevice: AddCommand = (program, run) => {
  program
    .command('device')
    .description('devices that run the real core on this machine')
    .command('run <folder>')
    .description('run a device whose flash is a file')
    .requiredOption('--url <address>', 'the repository: metadata/ and targets/ lie below')
    .option('--root <file>', 'root of trust of a new device')
    .option('--hw <id>', 'hardware id of a new device')
    .option('--component <name>', 'component of a new device', 'app')
    .option('--interval <seconds>', 'from one check to the next, of a new device', parseInterval, 3600)
    .option('--once', 'one check with all that follows from it, then stop')
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, folder: string, options: Options) => {
        try {
          await runDevice(session, session.path(folder), options);
        } catch (error) {
          session.exit = report(error, session.output);
        }
      }),
    );
};

async function runDevice(session: Session, folder: string, options: Options): Promise<void> {
  const show = new Show(session.output);
  const stop = new AbortController();
  const client = createClient(options, show, stop.signal);
  const device = await openDevice(session, folder, options, client);
  session.io.onStop(() => stop.abort());
  try {
    const outcome = await client.run({
      powerOn: () => device.powerOn(),
      selfTest: () => true,
      wait: (until) => (options.once ? Promise.resolve(false) : show.waitUntil(until, stop.signal)),
    });
    session.output.result({ ...device.summary(), status: statusCode(outcome.status) });
    if (options.once) session.exit = exitOf(outcome.status);
    else session.output.event('switched off', 'plain');
  } finally {
    device.switchOff();
  }
}

function createClient(options: Options, show: Show, stop: AbortSignal): Client {
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  return new Client({
    metadataUrl: `${base}metadata/`,
    targetsUrl: `${base}targets/`,
    allowHttp: options.insecureHttp ?? false,
    fetch: (url, init) =>
      systemFetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, stop]) : stop }),
    onEvent: (event) => show.event(event),
  });
}

/** The device in a folder. */
async function openDevice(
  session: Session,
  folder: string,
  options: Options,
  client: Client,
): Promise<Device> {
  const path = join(folder, 'flash.bin');
  const needs = existsSync(path)
    ? `${path} holds no device (damaged, or its provisioning was cut short)`
    : `${folder} is a new device`;
  const unprovisioned = new RepositoryError('bad-argument', `${needs}: give it --root and --hw`);
  if (!existsSync(path) && (options.root === undefined || options.hw === undefined)) throw unprovisioned;
  const root = options.root && (await readInput('the root of trust', session.path(options.root)));
  await mkdir(folder, { recursive: true });
  const unlock = lock(folder);
  const provisionNew = (core: Core) => {
    if (!root || options.hw === undefined) throw unprovisioned;
    provision(core, configurationOf(options.hw, options, session.io.clock()), root);
    session.output.event(
      `provisioned as ${options.hw} with root version ${core.stateRead(State.ROOT_VERSION)}`,
    );
  };
  try {
    return new Device(new FileFlash(path, GEOMETRY), client, provisionNew, options.hw, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

class Device {
  readonly #flash: FileFlash;
  readonly #client: Client;
  readonly #provision: (core: Core) => void;
  /** The hardware that the user takes it for. */
  readonly #hardware: string | undefined;
  readonly #unlock: () => void;
  #core: Core | undefined;

  constructor(
    flash: FileFlash,
    client: Client,
    provision: (core: Core) => void,
    hardware: string | undefined,
    unlock: () => void,
  ) {
    this.#flash = flash;
    this.#client = client;
    this.#provision = provision;
    this.#hardware = hardware;
    this.#unlock = unlock;
  }

  powerOn(): Core {
    const core = new Core({ flash: this.#flash, boot: new RecordedBoot(this.#flash) });
    if (!this.#start(core)) this.#provision(core);
    const found = core.textRead(Text.HARDWARE_ID);
    if (this.#hardware !== undefined && this.#hardware !== found)
      throw new RepositoryError(
        'bad-argument',
        `the hardware id of this device is ${found}, not ${this.#hardware}: leave --hw out, or name another folder`,
      );
    this.#core = core;
    return core;
  }

  #start(core: Core): boolean {
    try {
      return this.#client.start(core);
    } catch (cause) {
      if (!(cause instanceof StatusError)) throw cause;
      const wayOut = 'restore it from a copy, or delete it to start with a new device';
      throw new HostError('flash-file', `${this.#flash.path}: ${statusMessage(cause.status)}; ${wayOut}`, {
        cause,
      });
    }
  }

  switchOff(): void {
    this.#flash.close();
    this.#unlock();
  }

  summary(): object {
    const core = this.#core ?? this.powerOn();
    return {
      hardwareId: core.textRead(Text.HARDWARE_ID),
      version: core.textRead(Text.INSTALLED_VERSION),
      releaseCounter: core.stateRead(State.INSTALLED_RELEASE),
      securityCounter: core.stateRead(State.SECURITY_COUNTER),
      rootVersion: core.stateRead(State.ROOT_VERSION),
    };
  }
}

function configurationOf(
  hardwareId: string,
  { component, interval }: Options,
  now: number,
): DeviceConfiguration {
  return {
    hardwareId,
    component,
    version: 'factory',
    releaseCounter: 0,
    securityCounter: 0,
    buildTime: now,
    checkInterval: interval,
  };
}

/** One process at a time: each keeps the flash in its memory. A process that died holds nothing. */
function lock(folder: string): () => void {
  const path = join(folder, 'running');
  const holder = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  if (holder > 0 && isAlive(holder))
    throw new HostError('flash-file', `${folder} is switched on already, by process ${holder}`);
  writeFileSync(path, `${process.pid}`);
  return () => rmSync(path, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a device does, as lines and a bar. */
class Show {
  readonly #output: Output;
  #bar: Progress | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  event(event: ClientEvent): void {
    if (event.type === 'progress') {
      this.#progress(event);
      return;
    }
    const line = eventLine(event);
    if (!line) return;
    this.#bar?.stop();
    this.#bar = undefined;
    this.#output.event(...line);
  }

  /** Resolves to false when the user has switched the device off. */
  waitUntil(until: number, stop: AbortSignal): Promise<boolean> {
    if (stop.aborted) return Promise.resolve(false);
    this.#output.event(`next check at ${new Date(until * 1000).toISOString()}`, 'plain');
    return new Promise((resolve) => {
      const callOff = systemClock.after(Math.max(0, until * 1000 - Date.now()), () => resolve(true));
      stop.addEventListener('abort', () => {
        callOff();
        resolve(false);
      });
    });
  }

  #progress({ kind, received, total }: Extract<ClientEvent, { type: 'progress' }>): void {
    if (kind !== FetchKind.TARGET) return;
    this.#bar ??= this.#output.progress('image', total);
    this.#bar.update(received, formatBytes(received));
  }
}

/** One line about what a device met or did; undefined: nothing that a person needs to hear. */
export function eventLine(event: ClientEvent): [text: string, tone: Tone] | undefined {
  switch (event.type) {
    case 'interrupted':
      return [event.message, 'warn'];
    case 'finding':
      return [finding(event.status, event.role), event.status < 0 ? 'bad' : 'warn'];
    case 'up-to-date':
      return [`up to date: ${event.version}`, 'good'];
    case 'installed':
      return [`${event.version} verified and installed, ${formatBytes(event.length)}`, 'good'];
    case 'reboot':
      return ['reboot', 'plain'];
    case 'confirmed':
      return [`${event.version} passed its self-test and is confirmed`, 'good'];
    case 'rejected':
      return [`${event.version} failed its self-test`, 'bad'];
    default:
      return undefined;
  }
}

const ROLE_NAMES: Readonly<Record<Role, string>> = {
  [Role.ROOT]: 'root: ',
  [Role.TIMESTAMP]: 'timestamp: ',
  [Role.SNAPSHOT]: 'snapshot: ',
  [Role.TARGETS]: 'targets: ',
  [Role.IMAGE]: 'image: ',
  [Role.NONE]: '',
};

function finding(status: number, role: Role): string {
  const { message = `status ${status}`, attack = '' } = STATUS_TEXTS.get(status) ?? {};
  return `${ROLE_NAMES[role]}${message}${attack && ` [${attack}]`}`;
}

function statusCode(status: number): string {
  return STATUS_TEXTS.get(status)?.name.toLowerCase().replaceAll('_', '-') ?? `${status}`;
}

function exitOf(status: number): ExitStatus {
  switch (status) {
    case Status.SIGNATURES:
      return EXIT.signaturesMissing;
    case Status.EXPIRED:
      return EXIT.expired;
    case Status.NETWORK:
    case Status.NOT_FOUND:
    case Status.RANGE:
    case Status.TRUNCATED:
      return EXIT.network;
    default:
      return status < 0 || status === Status.RELEASE_FAILED_BEFORE ? EXIT.refused : EXIT.ok;
  }
}

/** Errors of the device side keep their code; all others are the program's. */
function report(error: unknown, output: Output): ExitStatus {
  if (error instanceof StatusError) {
    output.failure(statusCode(error.status), error.message);
    return exitOf(error.status);
  }
  if (!(error instanceof HostError)) throw error;
  output.failure(error.code, error.message);
  return error.code === 'address-invalid' ? EXIT.usage : EXIT.refused;
}

function parseInterval(text: string): number {
  if (!/^\d{2,9}$/.test(text) || Number(text) < 60)
    throw new RepositoryError('bad-argument', `--interval takes 60 seconds or more, not "${text}"`);
  return Number(text);
}
