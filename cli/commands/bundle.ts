// moult bundle: updates without a network, in one file.
import { Bundle, bundleUpstream } from '../../host/node/bundle.ts';
import { signOffline } from '../../repo/director/offline.ts';
import {
  type BundleOptions,
  formatTime,
  parseDate,
  parseDuration,
  parseJson,
  RepositoryError,
} from '../../repo/index.ts';
import { type InspectOptions, inspectBundle, payloadList } from '../bundle/inspect.ts';
import { reportDeviceError } from '../device/failure.ts';
import { type NewDevice, runDevice } from '../device/run.ts';
import type { AddCommand, Run } from '../main.ts';
import { formatBytes } from '../output.ts';
import { collect, readInput, type Session } from '../session.ts';

interface CreateOptions {
  readonly expires?: number;
  readonly hardware?: string[];
  readonly component?: string[];
  readonly base?: string[];
  readonly fromRoot?: number;
  readonly director?: string;
  readonly offlineKeys?: string;
  readonly ecus?: string;
}

const ABOUT = `
A bundle has everything that a device would fetch: the root chain, metadata, images and patches. Devices verify it as
they verify what a server says, so whoever carries it need not be trusted.

Examples:
  moult bundle create field.bundle --expires 30d
  moult bundle inspect field.bundle --root 1.root.json
  moult bundle install field.bundle board1
  moult gateway /tmp/line --bundle field.bundle`;

const CREATE_EXAMPLES = `
Holds the newest release of each component for each board, with its patches. A bundle expires with the first of its
files: tomorrow, when nothing else is said. With --expires snapshot and timestamp are signed for it alone and then
anew for devices online, so a device that took the bundle goes on online. One that has seen what is online since then
needs no bundle, and refuses it as a rollback.

Examples:
  moult bundle create field.bundle --expires 30d
  moult bundle create lock.bundle --hw esp32c3-rev2 --base 1.4.0 --expires 12h
  moult bundle create cars.bundle --director ../fleet/metadata --offline-keys ../safe --expires 90d

With --director the bundle is an offline update (Uptane, PURE-2): vehicles of that Director install it without asking it.
Make the keys with "moult key gen", name them with "moult director offline-keys", and keep them off its server.`;

const INSPECT_EXAMPLES = `
With --root everything is verified by the core that devices carry, from that root on and as of now; without it nothing
is. The same as "moult verify FILE --root ROOT".

Examples:
  moult bundle inspect field.bundle
  moult bundle inspect field.bundle --root 1.root.json --valid-at 2027-02-01`;

const INSTALL_EXAMPLES = `
The folder is a device as "moult device run" has it. Broken off at any moment, the installation goes on when it is
started again. For devices on a line: "moult gateway SOCKET --bundle FILE".

Examples:
  moult bundle install field.bundle board1
  moult bundle install field.bundle board2 --root 1.root.json --hw esp32c3`;

export const addBundle: AddCommand = (program, run) => {
  const bundle = program
    .command('bundle')
    .description('create, inspect and install updates in one file, without a network')
    .addHelpText('after', ABOUT);
  bundle
    .command('create <file>')
    .description('write what devices need for the newest releases to one file')
    .option(
      '--expires <duration>',
      'how long it holds, such as 30d or 12h (default: as what is online)',
      parseDuration,
    )
    .option('--hw, --hardware <id>', 'only for this board; may be repeated', collect)
    .option('--component <name>', 'only this component; may be repeated', collect)
    .option('--base <version>', 'only patches from this version; may be repeated', collect)
    .option('--from-root <n>', 'the oldest root that devices may trust (default: 1)', parseRoot)
    .option('--director <folder>', "with an offline update: the folder with a Director's N.root.json")
    .option('--offline-keys <folder>', 'the keys of its offline roles; what was signed last is noted there')
    .option(
      '--ecus <file>',
      'only for these ECUs: JSON, hardware ids by serial (default: any with the hardware)',
    )
    .addHelpText('after', CREATE_EXAMPLES)
    .action(run(create));
  bundle
    .command('inspect <file>')
    .description('show what a bundle holds, and verify it')
    .option('--root <file>', 'the root to trust')
    .option('--director-root <file>', "and the Director's, for an offline update")
    .option('--valid-at <date>', 'judge expiry at that time instead of now', parseDate)
    .addHelpText('after', INSPECT_EXAMPLES)
    .action(deviceSide(run, inspect));
  bundle
    .command('install <file> <folder>')
    .description('update a device whose flash is a file')
    .option('--root <file>', 'root of trust of a new device')
    .option('--hw <id>', 'hardware id of a new device')
    .option('--component <name>', 'component of a new device (default: app); may be repeated', collect)
    .addHelpText('after', INSTALL_EXAMPLES)
    .action(deviceSide(run, install));
};

async function create(session: Session, file: string, options: CreateOptions): Promise<void> {
  const { output } = session;
  const { hardware, component, base, fromRoot, expires } = options;
  const repository = await session.openRepository();
  const made = await repository.createBundle(session.path(file), {
    ...(hardware && { hardwareIds: hardware }),
    ...(component && { components: component }),
    ...(base && { bases: base }),
    ...(fromRoot !== undefined && { fromRoot }),
    ...(expires !== undefined && { lifetime: expires }),
    ...(await offlineUpdate(session, options)),
  });
  for (const { role, version, expires } of made.roles)
    output.event(`${role} ${version} is signed for clients online, until ${formatTime(expires)}`);
  for (const { path, length, payloads } of made.releases) {
    const instead = payloadList(payloads);
    output.event(`${path}: ${formatBytes(length)}${instead && `, or ${instead}`}`, 'plain');
  }
  const until = `until ${formatTime(made.expires)}, when its ${made.expiresFirst} expires`;
  output.event(`${made.path}: ${made.files.length} files, ${formatBytes(made.length)}, good ${until}`);
  const files = made.files.map(({ name, length, sha256 }) => ({ name, length, sha256 }));
  output.result({ ...made, files });
}

/** Signs for vehicles that do not reach their Director. */
async function offlineUpdate(
  session: Session,
  options: CreateOptions,
): Promise<Pick<BundleOptions, 'offline'>> {
  const { director, offlineKeys, expires, ecus } = options;
  if (director === undefined && offlineKeys === undefined && ecus === undefined) return {};
  if (director === undefined || offlineKeys === undefined || expires === undefined)
    throw new RepositoryError(
      'bad-argument',
      'an offline update needs --director, --offline-keys and --expires',
    );
  const named =
    ecus === undefined ? undefined : readEcus(await readInput('the ECUs', session.path(ecus)), ecus);
  return {
    offline: (targets) =>
      signOffline(targets, {
        roots: session.path(director),
        keys: session.path(offlineKeys),
        passphrase: () => session.passphrase(false),
        now: session.io.clock(),
        lifetime: expires,
        ...(named && { ecus: named }),
      }),
  };
}

function readEcus(bytes: Uint8Array, file: string): Record<string, string> {
  const value = parseJson(bytes, file);
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap || !Object.values(value).every((id) => typeof id === 'string'))
    throw new RepositoryError('bad-argument', `${file} is not an object of hardware ids by serial`);
  return value as Record<string, string>;
}

function inspect(session: Session, file: string, options: InspectOptions): Promise<void> {
  return inspectBundle(session, file, options);
}

async function install(
  session: Session,
  file: string,
  folder: string,
  options: Omit<NewDevice, 'interval'>,
): Promise<void> {
  const bundle = new Bundle(session.path(file));
  try {
    await runDevice(session, {
      folder: session.path(folder),
      device: { ...options, interval: 3600 },
      once: true,
      client: bundleUpstream(bundle),
    });
  } finally {
    bundle.close();
  }
}

/** Its errors are those of the device side too. */
function deviceSide<A extends unknown[]>(run: Run, act: (session: Session, ...args: A) => Promise<void>) {
  return run(async (session, ...args: A) => {
    try {
      await act(session, ...args);
    } catch (error) {
      session.exit = reportDeviceError(error, session.output);
    }
  });
}

function parseRoot(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new RepositoryError('bad-argument', `--from-root takes the version of a root, not "${text}"`);
  return Number(text);
}
