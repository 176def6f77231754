// The command line of `moult-client`: options first, then one command. It is read by hand, because a library for it
// takes longer to load than a whole refresh may.

export const USAGE = `Usage: moult-client [options] init ROOT | refresh | download

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

Exit status: 0 done, 1 not done; standard error says why.

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

export type Request = Command | { readonly command: 'help' };

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const OPTIONS = ['metadata-dir', 'metadata-url', 'target-name', 'target-dir', 'target-base-url'];

/** Throws UsageError. */
export function parse(args: readonly string[]): Request {
  const given = new Map<string, string[]>();
  const rest = [...args];
  while (rest[0]?.startsWith('-')) {
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(rest.shift() ?? '') ?? [];
    if (name === 'help') return { command: 'help' };
    if (!OPTIONS.includes(name))
      throw new UsageError(`there is no such option: ${args[args.length - rest.length - 1]}`);
    const value = inline ?? rest.shift();
    if (!value) throw new UsageError(`--${name} needs a value`);
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return request(given, rest);
}

function request(
  given: ReadonlyMap<string, readonly string[]>,
  [command, ...operands]: readonly string[],
): Command {
  if (command === undefined) throw new UsageError('no command; there are init, refresh and download');
  const one = (name: string): string => {
    const value = given.get(name)?.at(-1);
    if (value === undefined) throw new UsageError(`${command} needs --${name}`);
    return value;
  };
  if (operands.length > (command === 'init' ? 1 : 0))
    throw new UsageError(`too much after ${command}: ${operands.at(-1)}; options stand before the command`);
  const metadataDir = one('metadata-dir');
  switch (command) {
    case 'init':
      if (operands[0] === undefined) throw new UsageError('init needs the file with the root metadata');
      return { command, metadataDir, root: operands[0] };
    case 'refresh':
      return { command, metadataDir, metadataUrl: one('metadata-url') };
    case 'download':
      one('target-name');
      return {
        command,
        metadataDir,
        metadataUrl: one('metadata-url'),
        targetNames: given.get('target-name') ?? [],
        targetDir: one('target-dir'),
        targetBaseUrl: one('target-base-url'),
      };
    default:
      throw new UsageError(`there is no command ${command}; there are init, refresh and download`);
  }
}
