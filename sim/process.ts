// A device in a process of its own: moult-device (host/posix), with a gateway at the other end of its link.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Area } from '../host/node/abi.ts';
import { FileFlash, type Geometry, programArea } from '../host/node/flash.ts';
import { type GatewayOptions, serveLink } from '../host/node/gateway.ts';
import type { DeviceReport } from '../host/node/link.ts';
import type { DeviceConfiguration } from '../host/node/provision.ts';
import { projectRoot } from '../host/node/root.ts';

export interface ProcessDeviceOptions {
  /** A folder of its own; a device that is there already is taken up. */
  readonly folder: string;
  readonly root: Uint8Array;
  /** Of an ECU that looks to a Director too. */
  readonly directorRoot?: Uint8Array;
  readonly configuration: DeviceConfiguration;
  /** 32 bytes of its secret. */
  readonly key?: Uint8Array;
  /** What its flash is, and what is in slot A, when it leaves the factory; left out: the process makes its flash. */
  readonly factory?: { readonly geometry: Geometry; readonly image: Uint8Array };
  readonly gateway: GatewayOptions;
  /** The gateway is its Primary. */
  readonly behindPrimary?: boolean;
  /** Another program than DEVICE_PROGRAM. */
  readonly program?: string;
  /** A shell command that gets the image on trial on its standard input; every image passes when left out. */
  readonly selfTest?: string;
}

/** How a run of the process ended. */
export interface DeviceEnd {
  /** Exit status; null: killed. */
  readonly status: number | null;
  /** What it said. */
  readonly said: string;
  /** What it reported when its last check had ended; absent: no check has. */
  readonly checked: DeviceReport | undefined;
}

/** One run of the process: one check with all that follows from it, unless it is killed. */
export interface DeviceRun {
  readonly ended: Promise<DeviceEnd>;
  /** As a power cut: between any two units that it writes. */
  kill(): void;
}

/** The program; whether it is built is for the caller to ask. */
export const DEVICE_PROGRAM = join(projectRoot(), 'build/wasm3/posix/moult-device');
/** The same with the core compiled ahead of time. */
export const COMPILED_DEVICE_PROGRAM = join(projectRoot(), 'build/aot/posix/moult-device');

export class ProcessDevice {
  /** All that outlives the process. */
  readonly flashPath: string;
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly #gateway: GatewayOptions;

  constructor({
    program = DEVICE_PROGRAM,
    folder,
    root,
    directorRoot,
    configuration,
    key,
    factory,
    gateway,
    behindPrimary = false,
    selfTest,
  }: ProcessDeviceOptions) {
    const files = { config: join(folder, 'config.json'), root: join(folder, 'root.json') };
    mkdirSync(folder, { recursive: true });
    writeFileSync(files.config, JSON.stringify(configuration));
    writeFileSync(files.root, root);
    const director = directorRoot ? ['--director-root', join(folder, 'director.json')] : [];
    if (directorRoot) writeFileSync(join(folder, 'director.json'), directorRoot);
    const secret = key ? ['--key', join(folder, 'key')] : [];
    if (key) writeFileSync(join(folder, 'key'), key);
    this.flashPath = join(folder, 'flash.bin');
    if (factory && !existsSync(this.flashPath)) leaveFactory(this.flashPath, factory);
    this.#gateway = gateway;
    this.command = [
      ...[
        program,
        ...moduleOptions(),
        '--config',
        files.config,
        '--root',
        files.root,
        ...director,
        ...secret,
      ],
      ...(behindPrimary ? ['--primary'] : []),
      ...['--clock', 'link', '--once', ...(selfTest === undefined ? [] : ['--self-test', selfTest])],
      folder,
    ];
  }

  start(): DeviceRun {
    return startProcess(this.command, this.#gateway);
  }

  /** One check with all that follows from it. */
  update(): Promise<DeviceEnd> {
    return this.start().ended;
  }
}

/** The core that the process is to run, and its hash. */
function moduleOptions(): string[] {
  const path = process.env.MOULT_WASM ?? join(projectRoot(), 'build/moult.wasm');
  return ['--module', path, '--sha256', createHash('sha256').update(readFileSync(path)).digest('hex')];
}

function leaveFactory(path: string, { geometry, image }: NonNullable<ProcessDeviceOptions['factory']>): void {
  const flash = new FileFlash(path, geometry);
  programArea(flash, Area.SLOT_A, image);
  flash.close();
}

/** Starts a program and serves the link on its standard input and output until it has ended. */
export function startProcess(
  [program = '', ...parameters]: readonly string[],
  gateway: GatewayOptions,
): DeviceRun {
  const child = spawn(program, parameters, { stdio: 'pipe' });
  let said = '';
  let checked: DeviceReport | undefined;
  child.stderr.on('data', (text) => {
    said += text;
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const served = serveLink(child.stdout, child.stdin, {
    ...gateway,
    onEvent: (event) => {
      if (event.type === 'report' && event.report.event === 'checked') checked = event.report;
      gateway.onEvent?.(event);
    },
  });
  return {
    ended: Promise.all([closed, served]).then(([status]) => ({ status, said, checked })),
    kill: () => child.kill('SIGKILL'),
  };
}
