// moult init: a new repository with its keys.
import type { Command } from 'commander';
import {
  createRepository,
  parseDuration,
  RepositoryError,
  ROLES,
  type RoleName,
  type RoleOptions,
} from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { oneOf } from '../session.ts';

interface Options extends Partial<Record<RoleName, RoleOptions>> {
  readonly expiry?: Partial<Record<RoleName, number>>;
  readonly encrypt: boolean;
}

const EXAMPLES = `
Examples:
  moult init acme-lock
  moult init acme-lock --root 2of3 --targets 2of3 --expiry root=365d,targets=90d,snapshot=7d,timestamp=1d
  moult init demo --no-encrypt`;

export const addInit: AddCommand = (program: Command, run) => {
  program
    .command('init <name>')
    .description('make a repository: its folder, its keys and a first, empty version of all metadata')
    .option('--root <MofN>', 'signatures needed and keys made for root (2of3)', thresholdOf('--root'))
    .option('--targets <MofN>', 'the same for targets (1of2)', thresholdOf('--targets'))
    .option('--snapshot <MofN>', 'the same for snapshot (1of1)', thresholdOf('--snapshot'))
    .option('--timestamp <MofN>', 'the same for timestamp (1of1)', thresholdOf('--timestamp'))
    .option(
      '--expiry <list>',
      'how long signatures hold (root=365d,targets=90d,snapshot=7d,timestamp=1d)',
      parseExpiry,
    )
    .option('--no-encrypt', 'leave the private keys open: for demos and tests only')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, name: string, options: Options) => {
        const { root, targets, snapshot, timestamp, expiry, encrypt } = options;
        const roles = { root, targets, snapshot, timestamp };
        const repository = await createRepository(session.path(name), {
          clock: session.io.clock,
          passphrase: () => session.passphrase(true),
          roles: Object.fromEntries(Object.entries(roles).filter(([, value]) => value !== undefined)),
          ...(expiry !== undefined && { expiry }),
          encrypt,
        });
        const status = await repository.status();
        const { output } = session;
        for (const { role, threshold, keys } of status.roles) {
          output.event(
            `${role}: ${threshold} of ${keys.length} keys must sign: ${keys.map((key) => key.name).join(', ')}`,
          );
        }
        if (!encrypt) output.warn('the private keys are not encrypted: whoever reads keys/ can sign');
        output.event(`${repository.name} is a repository, complete and empty, in ${repository.directory}`);
        output.line(`  Devices trust ${repository.directory}/public/metadata/1.root.json`);
        output.line(
          `  Next: moult -C ${name} release add FIRMWARE.bin --component app --version 1.0.0 --hw BOARD`,
        );
        output.result({ name: repository.name, directory: repository.directory, roles: status.roles });
      }),
    );
};

function thresholdOf(option: string): (text: string) => RoleOptions {
  return (text) => {
    const match = /^(\d{1,2})of(\d{1,2})$/.exec(text);
    if (match === null)
      throw new RepositoryError('bad-argument', `${option} takes a threshold such as 2of3, not "${text}"`);
    return { threshold: Number(match[1]), keys: Number(match[2]) };
  };
}

function parseExpiry(
  text: string,
  earlier: Partial<Record<RoleName, number>> = {},
): Partial<Record<RoleName, number>> {
  const entries = text.split(',').map((item) => {
    const [role = '', duration = ''] = item.split('=', 2);
    return [oneOf('a role in --expiry', ROLES, role), parseDuration(duration)] as const;
  });
  return { ...earlier, ...Object.fromEntries(entries) };
}
