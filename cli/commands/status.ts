// moult status: what stands in a repository, and what is about to fall.
import {
  formatTime,
  parseDate,
  type Release,
  type RepositoryStatus,
  type RoleStatus,
} from '../../repo/index.ts';
import { EXIT, type ExitStatus } from '../exit.ts';
import type { AddCommand } from '../main.ts';
import { formatBytes, type Output } from '../output.ts';

interface Options {
  readonly validAt?: number;
}

const EXAMPLES = `
Ends with 5 when a role is expired, and with 4 when a file lacks signatures.

Examples:
  moult status
  moult status --valid-at 2027-01-31     will everything still hold then?
  moult status --json`;

export const addStatus: AddCommand = (program, run) => {
  program
    .command('status')
    .description('versions, expiry, thresholds, signatures and releases')
    .option('--valid-at <date>', 'judge expiry at that time instead of now', parseDate)
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, options: Options) => {
        const repository = await session.openRepository();
        const status = await repository.status(options.validAt);
        show(session.output, status);
        session.output.result(status);
        session.exit = statusOf(status);
      }),
    );
};

function statusOf({ roles }: RepositoryStatus): ExitStatus {
  if (roles.some((role) => role.missing > 0)) return EXIT.signaturesMissing;
  return roles.some((role) => role.expired) ? EXIT.expired : EXIT.ok;
}

function show(output: Output, status: RepositoryStatus): void {
  output.line(`${status.name} at ${formatTime(status.at)}`);
  output.table(
    ['role', 'version', 'expires', '', 'signatures', 'private keys here'],
    status.roles.map((role) => roleRow(role, status.at)),
  );
  const releases = [
    ...status.published.map(releaseRow('published')),
    ...status.staged.map(releaseRow('staged')),
  ];
  if (releases.length > 0) {
    output.table(['component', 'version', 'hardware', 'counter', 'security', 'size', ''], releases);
  }
  for (const path of status.withdrawn) output.event(`${path} is withdrawn with the next publish`, 'warn');
  for (const role of status.roles) showFault(output, role);
  for (const warning of status.warnings) output.warn(warning);
}

function roleRow({ role, version, expires, threshold, keys }: RoleStatus, at: number): string[] {
  const count = (test: (key: RoleStatus['keys'][number]) => boolean) => String(keys.filter(test).length);
  const held = keys.filter((key) => key.held);
  return [
    role,
    String(version),
    formatTime(expires),
    remaining(expires - at),
    `${count((key) => key.signed)} of ${threshold}`,
    `${held.length} of ${keys.length}: ${held.map((key) => key.name).join(', ')}`,
  ];
}

function showFault(output: Output, { role, version, expires, expired, missing, keys }: RoleStatus): void {
  const remedy = {
    root: 'moult refresh root',
    targets: 'moult publish',
    snapshot: 'moult refresh',
    timestamp: 'moult refresh',
  };
  if (expired)
    output.event(`${role} ${version} expired at ${formatTime(expires)}; renew it: ${remedy[role]}`, 'bad');
  const absent = keys.filter((key) => !key.signed).map((key) => key.name ?? key.id);
  if (missing > 0)
    output.event(
      `${role} ${version} lacks ${missing} of its signatures; not signed: ${absent.join(', ')}`,
      'bad',
    );
}

function releaseRow(state: string): (release: Release) => string[] {
  return (release) => [
    release.component,
    release.version,
    release.hardwareIds.join(' '),
    String(release.releaseCounter),
    String(release.securityCounter),
    formatBytes(release.length),
    state,
  ];
}

function remaining(seconds: number): string {
  if (seconds <= 0) return 'EXPIRED';
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} hours` : `${Math.floor(seconds / 86_400)} days`;
}
