// Shows what a bundle holds, and what devices that trust a root will make of it.

import { Role } from '../../host/node/abi.ts';
import { Bundle } from '../../host/node/bundle.ts';
import { type BundledRelease, formatTime } from '../../repo/index.ts';
import { exitOf, statusCode } from '../device/failure.ts';
import { findingLine } from '../device/show.ts';
import { EXIT } from '../exit.ts';
import { formatBytes, type Output } from '../output.ts';
import { readInput, type Session } from '../session.ts';
import { type StatedContents, statedContents } from './contents.ts';
import { type BundleFinding, type BundleVerification, type VerifyOptions, verifyBundle } from './verify.ts';

export interface InspectOptions {
  /** Left out: nothing is verified. */
  readonly root?: string;
  /** Of the Director, for an offline update. */
  readonly directorRoot?: string;
  readonly validAt?: number;
}

/** Throws as `Bundle` and `verifyBundle` do. */
export async function inspectBundle(session: Session, file: string, options: InspectOptions): Promise<void> {
  const { output, io } = session;
  const bundle = new Bundle(session.path(file));
  try {
    const stated = statedContents(bundle);
    showContents(output, bundle, stated);
    const root =
      options.root === undefined ? undefined : await readInput('the root', session.path(options.root));
    const directorRoot =
      options.directorRoot === undefined
        ? undefined
        : await readInput("the Director's root", session.path(options.directorRoot));
    const now = options.validAt ?? io.clock();
    const found =
      root && (await verify(output, bundle, root, { now, ...(directorRoot && { directorRoot }) }));
    if (found) session.exit = showVerdict(output, bundle, stated, found);
    else output.event('not verified: name a root that you trust with --root', 'warn');
    output.result(asJson(bundle, stated, found));
  } finally {
    bundle.close();
  }
}

async function verify(
  output: Output,
  bundle: Bundle,
  root: Uint8Array,
  options: Pick<VerifyOptions, 'now' | 'directorRoot'>,
): Promise<BundleVerification> {
  const bar = output.progress('verifying', bundle.length);
  const onProgress = (bytes: number) => bar.update(bytes, formatBytes(bytes));
  return verifyBundle(bundle, root, { ...options, onProgress }).finally(() => bar.stop());
}

function showContents(output: Output, bundle: Bundle, stated: StatedContents): void {
  const { firstRoot, roles, releases, offline } = stated;
  output.line(`${bundle.path}: ${bundle.entries.size} files, ${formatBytes(bundle.length)}`);
  for (const { role, version, expires } of roles) {
    const chain =
      role === 'root' && firstRoot < version ? `roots ${firstRoot} to ${version}` : `${role} ${version}`;
    output.event(`${chain}, until ${formatTime(expires)}`, 'plain');
  }
  for (const { role, version, expires } of offline)
    output.event(`the Director's ${role} ${version}, until ${formatTime(expires)}`, 'plain');
  if (releases.length === 0) return;
  const head = ['component', 'version', 'hardware', 'counter', 'image', 'or instead of it'];
  const rows = releases.map(({ component, version, hardwareIds, releaseCounter, length, payloads }) => [
    component,
    version,
    hardwareIds.join(', '),
    `${releaseCounter}`,
    formatBytes(length),
    payloadList(payloads),
  ]);
  output.table(head, rows);
}

/** `from-1.patch 10.3 KiB, compressed 20.1 KiB` */
export function payloadList(payloads: BundledRelease['payloads']): string {
  const named = Object.entries(payloads).map(
    ([path, bytes]) => [path.slice(path.lastIndexOf('/') + 1), bytes] as const,
  );
  return named.map(([file, bytes]) => `${file} ${formatBytes(bytes)}`).join(', ');
}

/** The exit status, that of the first finding. */
function showVerdict(
  output: Output,
  bundle: Bundle,
  { roles }: StatedContents,
  { trustedRoot, verified, unasked, findings }: BundleVerification,
): Session['exit'] {
  for (const finding of findings) output.event(describe(finding), 'bad');
  const [first] = findings;
  if (first) return exitOf(first.status);
  if (unasked.length > 0) output.event(`no device asks for ${unasked.join(', ')}: not verified`, 'warn');
  const expires = Math.min(...roles.map((role) => role.expires));
  const what = `${verified.length} files from root ${trustedRoot} on, good until ${formatTime(expires)}`;
  output.event(`${bundle.path} verifies: ${what}`);
  return EXIT.ok;
}

function describe({ name, role, status }: BundleFinding): string {
  if (name === 'metadata') return findingLine(status, role);
  return `${name}: ${findingLine(status, name.startsWith('targets/') ? Role.NONE : role)}`;
}

function asJson(bundle: Bundle, stated: StatedContents, found: BundleVerification | undefined): object {
  const files = [...bundle.entries.values()].map(({ name, length }) => ({ name, length }));
  const findings = found?.findings.map(({ name, status }) => ({ name, status: statusCode(status) }));
  const verification = found && { ...found, findings };
  return {
    path: bundle.path,
    length: bundle.length,
    ...stated,
    files,
    verified: found !== undefined && found.findings.length === 0,
    ...(verification && { verification }),
  };
}
