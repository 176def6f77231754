// The command line of `moult-client`: options first, then one command. It is read by hand, because a library for it
// takes longer to load than a whole refresh may.

export const USAGE = `Usage: moult-client [options] init ROOT | refresh | download
       moult-client --uptane [options] init DIRECTOR_ROOT IMAGE_ROOT | refresh | download
       moult-client --map FILE [options] init REPOSITORY ROOT | refresh | download

A TUF client for any repository. It keeps its state in one folder: the metadata that it trusts, each file byte for
byte as it came, and in .moult/ the store behind them, which survives a kill at any instant.

Commands:
  init ROOT     trust the root metadata in the file ROOT, and forget everything else
  refresh       bring the metadata up to date
  download      refresh, then fetch and verify each target

Options:
  --metadata-dir DIR       the folder with the state (always needed)
  --metadata-url URL       where the repository has its metadata (refresh, download)
  --target-name NAME       a target to fetch; can be given several times (download)
  --target-dir DIR         where verified targets go (download)
  --target-base-url URL    where the repository has its targets (download)
  --help                   this text

With --uptane, the client of one ECU, which installs what both repositories agree on:
  --ecu-id ID              which ECU this is, and
  --hardware-id ID         its hardware (init)
  --legacy                 the servers speak the older form of the aktualizr era (init)
  --director-url URL       where the Director has its metadata, and
  --image-url URL          the Image repository (refresh, download)
  --director-cert FILE     the certificate that a Director knows its vehicle by, and
  --director-key FILE      the key of it, and
  --director-ca FILE       who has signed the Director's own; PEM each, for the Director alone (refresh, download)
  --target-dir DIR         where verified targets go; in the folder of the state when left out (download)
  --target-base-url URL    where targets are; below the Image repository in targets/ when left out (download)
Refresh matches all that the Director wants installed, download fetches it too. Each command prints one line:
{"director": {"ok", "error"}, "image": {"ok", "error"}, "targets": [{"name", "ok", "error"}]}

With --map FILE, the client of several repositories, of which some must agree on a target (TAP 4):
  --map FILE               which repositories there are, and who must agree on what (docs/formats.md)
  init REPOSITORY ROOT     trust a root of one of them; each has its folder in that of the state
  --target-name, --target-dir as above; addresses are in the map
With --uptane the map is in place of --director-url and --image-url.

Exit status: 0 done, 1 not done; standard error says why. With --uptane: 0 all is well, 1 something is refused,
2 usage, 3 a server cannot be reached.

Examples:
  moult-client --metadata-dir state init 1.root.json
  moult-client --metadata-dir state --metadata-url https://updates.example/metadata refresh
  moult-client --metadata-dir state --metadata-url https://updates.example/metadata \\
    --target-name app/1.4.0/app.bin --target-dir out --target-base-url https://updates.example/targets download
`;

export type Command =
  | { readonly command: 'init'; readonly metadataDir: string; readonly root: string }
  | { readonly command: 'refresh'; readonly metadataDir: string; readonly metadataUrl: string }
  | {
      readonly command: 'download';
      readonly metadataDir: string;
      readonly metadataUrl: string;
      readonly targetNames: readonly string[];
      readonly targetDir: string;
      readonly targetBaseUrl: string;
    };

/** Which ECU a client is; asked for once. */
export interface Ecu {
  readonly ecu: string;
  readonly hardwareId: string;
  readonly legacy: boolean;
}

/** Where the two repositories are. */
export interface Sources {
  readonly directorUrl: string;
  readonly imageUrl: string;
  /** Where targets are; below the Image repository when left out. */
  readonly targetBaseUrl?: string;
}

/** The files of what a client shows a Director, in PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Left out: those whom Node knows. */
  readonly ca?: string;
}

export type UptaneCommand =
  | {
      readonly command: 'init';
      readonly metadataDir: string;
      readonly ecu: Ecu;
      readonly directorRoot: string;
      readonly imageRoot: string;
    }
  | {
      readonly command: 'refresh' | 'download';
      readonly metadataDir: string;
      /** Or the map file that says it. */
      readonly sources: Sources | { readonly map: string; readonly targetBaseUrl?: string };
      readonly tls?: TlsFiles;
      readonly targetDir: string;
      /** What was said again of the ECU: as at `init`, or it is another one. */
      readonly claimed?: Partial<Ecu>;
    };

export type MappedCommand =
  | {
      readonly command: 'init';
      readonly metadataDir: string;
      readonly map: string;
      readonly repository: string;
      readonly root: string;
    }
  | { readonly command: 'refresh'; readonly metadataDir: string; readonly map: string }
  | {
      readonly command: 'download';
      readonly metadataDir: string;
      readonly map: string;
      readonly targetNames: readonly string[];
      readonly targetDir: string;
    };

export type Request =
  | { readonly command: 'help' }
  | { readonly client: 'tuf'; readonly command: Command }
  | { readonly client: 'mapped'; readonly command: MappedCommand }
  | { readonly client: 'uptane'; readonly command: UptaneCommand };

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const OPTIONS: Readonly<Record<'tuf' | 'mapped' | 'uptane', readonly string[]>> = {
  tuf: ['metadata-dir', 'metadata-url', 'target-name', 'target-dir', 'target-base-url'],
  mapped: ['metadata-dir', 'map', 'target-name', 'target-dir'],
  uptane: [
    ...['uptane', 'legacy', 'ecu-id', 'hardware-id', 'metadata-dir'],
    ...['director-url', 'image-url', 'target-dir', 'target-base-url', 'map'],
    ...['director-cert', 'director-key', 'director-ca'],
  ],
};
/** Options without a value. */
const FLAGS = ['--uptane', '--legacy'];

/** Throws UsageError. */
export function parse(args: readonly string[]): Request {
  const given: Given = new Map();
  const rest = [...args];
  while (rest[0]?.startsWith('-')) {
    const option = rest.shift() ?? '';
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(option) ?? [];
    if (option === '--help') return { command: 'help' };
    const isFlag = FLAGS.includes(option);
    const takesValue = [...OPTIONS.uptane, ...OPTIONS.tuf].includes(name) && !FLAGS.includes(`--${name}`);
    if (!isFlag && !takesValue) throw noOption(option);
    const value = isFlag ? name : (inline ?? rest.shift());
    if (!value) throw new UsageError(`--${name} needs a value`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  const client = given.has('uptane') ? 'uptane' : given.has('map') ? 'mapped' : 'tuf';
  const foreign = [...given.keys()].find((name) => !OPTIONS[client].includes(name));
  if (foreign !== undefined) throw noOption(`--${foreign}`);
  const [command, ...operands] = rest;
  if (command === undefined) throw new UsageError('no command; there are init, refresh and download');
  const typed = { given, command, operands };
  if (client === 'mapped') return { client, command: mappedCommand(typed) };
  return client === 'tuf'
    ? { client, command: tufCommand(typed) }
    : { client, command: uptaneCommand(typed) };
}

function noOption(option: string): UsageError {
  return new UsageError(`there is no such option: ${option}`);
}

type Given = Map<string, readonly string[]>;

interface Typed {
  readonly given: Given;
  readonly command: string;
  readonly operands: readonly string[];
}

function one({ given, command }: Typed, name: string): string {
  const value = given.get(name)?.at(-1);
  if (value === undefined) throw new UsageError(`${command} needs --${name}`);
  return value;
}

/** Throws when there are more operands than init has, or some after another command. */
function checkOperands({ command, operands }: Typed, ofInit: number): void {
  if (operands.length > (command === 'init' ? ofInit : 0))
    throw new UsageError(`too much after ${command}: ${operands.at(-1)}; options stand before the command`);
}

function unknown(command: string): UsageError {
  return new UsageError(`there is no command ${command}; there are init, refresh and download`);
}

function uptaneCommand(typed: Typed): UptaneCommand {
  const { given, command, operands } = typed;
  checkOperands(typed, 2);
  const metadataDir = one(typed, 'metadata-dir');
  if (command === 'init') {
    const [directorRoot, imageRoot] = operands;
    if (directorRoot === undefined || imageRoot === undefined)
      throw new UsageError("init needs two files: the Director's root metadata and the Image repository's");
    const named = { ecu: one(typed, 'ecu-id'), hardwareId: one(typed, 'hardware-id') };
    return { command, metadataDir, ecu: { ...named, legacy: given.has('legacy') }, directorRoot, imageRoot };
  }
  if (command !== 'refresh' && command !== 'download') throw unknown(command);
  const targetBaseUrl = given.get('target-base-url')?.at(-1);
  const map = given.get('map')?.at(-1);
  if (map !== undefined && (given.has('director-url') || given.has('image-url')))
    throw new UsageError('--map says where both repositories are; leave --director-url and --image-url out');
  const where =
    map !== undefined
      ? { map }
      : { directorUrl: one(typed, 'director-url'), imageUrl: one(typed, 'image-url') };
  const sources = { ...where, ...(targetBaseUrl !== undefined && { targetBaseUrl }) };
  const targetDir = given.get('target-dir')?.at(-1) ?? `${metadataDir}/targets`;
  const tls = tlsFiles(typed);
  return { command, metadataDir, sources, ...(tls && { tls }), targetDir, claimed: claimedEcu(typed) };
}

function tlsFiles({ given }: Typed): TlsFiles | undefined {
  const [cert, key, ca] = ['cert', 'key', 'ca'].map((name) => given.get(`director-${name}`)?.at(-1));
  if (cert !== undefined && key !== undefined) return { cert, key, ...(ca !== undefined && { ca }) };
  if (cert === undefined && key === undefined && ca === undefined) return undefined;
  throw new UsageError('--director-cert and --director-key belong together, and --director-ca to them');
}

function mappedCommand(typed: Typed): MappedCommand {
  const { given, command, operands } = typed;
  checkOperands(typed, 2);
  const at = { metadataDir: one(typed, 'metadata-dir'), map: one(typed, 'map') };
  switch (command) {
    case 'init': {
      const [repository, root] = operands;
      if (repository === undefined || root === undefined)
        throw new UsageError(
          'init needs the name of a repository in the map, and the file with its root metadata',
        );
      return { command, ...at, repository, root };
    }
    case 'refresh':
      return { command, ...at };
    case 'download':
      one(typed, 'target-name');
      return {
        command,
        ...at,
        targetNames: given.get('target-name') ?? [],
        targetDir: one(typed, 'target-dir'),
      };
    default:
      throw unknown(command);
  }
}

function claimedEcu({ given }: Typed): Partial<Ecu> {
  const ecu = given.get('ecu-id')?.at(-1);
  const hardwareId = given.get('hardware-id')?.at(-1);
  return {
    ...(ecu !== undefined && { ecu }),
    ...(hardwareId !== undefined && { hardwareId }),
    ...(given.has('legacy') && { legacy: true }),
  };
}

function tufCommand(typed: Typed): Command {
  const { given, command, operands } = typed;
  checkOperands(typed, 1);
  const metadataDir = one(typed, 'metadata-dir');
  switch (command) {
    case 'init':
      if (operands[0] === undefined) throw new UsageError('init needs the file with the root metadata');
      return { command, metadataDir, root: operands[0] };
    case 'refresh':
      return { command, metadataDir, metadataUrl: one(typed, 'metadata-url') };
    case 'download':
      one(typed, 'target-name');
      return {
        command,
        metadataDir,
        metadataUrl: one(typed, 'metadata-url'),
        targetNames: given.get('target-name') ?? [],
        targetDir: one(typed, 'target-dir'),
        targetBaseUrl: one(typed, 'target-base-url'),
      };
    default:
      throw unknown(command);
  }
}
