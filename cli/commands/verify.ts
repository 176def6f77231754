// moult verify: what a client that trusts one root would say.
import { stat } from 'node:fs/promises';
import { formatTime, openSource, parseDate, verifyRepository } from '../../repo/index.ts';
import { inspectBundle } from '../bundle/inspect.ts';
import { reportDeviceError } from '../device/failure.ts';
import { gravest } from '../exit.ts';
import type { AddCommand } from '../main.ts';
import { formatBytes } from '../output.ts';
import { readInput, type Session } from '../session.ts';

interface Options {
  readonly root: string;
  readonly validAt?: number;
}

const EXAMPLES = `
Needs nothing but the root that devices carry: follows the root chain, counts signatures by different keys, and checks
versions, hashes, lengths, expiry and every image. A bundle is verified by the core that devices carry.

Examples:
  moult verify acme-lock --root 1.root.json
  moult verify https://updates.example.com --root 1.root.json --json
  moult verify field.bundle --root 1.root.json`;

export const addVerify: AddCommand = (program, run) => {
  program
    .command('verify <place>')
    .description('verify a repository, in a folder or at a URL, or a bundle, as a client would')
    .requiredOption('--root <file>', 'the root to trust')
    .option('--valid-at <date>', 'judge expiry at that time instead of now', parseDate)
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, place: string, options: Options) => {
        if (await isFile(session.path(place))) await verifyFile(session, place, options);
        else await verifyPlace(session, place, options);
      }),
    );
};

async function verifyFile(session: Session, file: string, options: Options): Promise<void> {
  try {
    await inspectBundle(session, file, options);
  } catch (error) {
    session.exit = reportDeviceError(error, session.output);
  }
}

async function verifyPlace(session: Session, place: string, options: Options): Promise<void> {
  const { output, io } = session;
  const trusted = await readInput('the root', session.path(options.root));
  const source = await openSource(/^https?:/i.test(place) ? place : session.path(place));
  const bar = output.progress('verifying images', 1);
  const found = await verifyRepository(source, trusted, {
    now: options.validAt ?? io.clock(),
    onProgress: (done, total) => bar.update(done / total, formatBytes(done)),
  }).finally(() => bar.stop());
  for (const { role, version, signatures, threshold, expires } of found.roles) {
    const signed = `${signatures} of ${threshold} signatures`;
    output.event(`${role} ${version}: ${signed}, until ${formatTime(expires)}`, 'plain');
  }
  for (const fault of found.faults) output.event(fault.message, 'bad');
  if (found.faults.length === 0) {
    output.event(`${found.where} verifies: ${found.files} images, ${formatBytes(found.bytes)}`);
  }
  const faults = found.faults.map(({ code, message }) => ({ code, message }));
  output.result({ ...found, faults });
  session.exit = gravest(faults.map(({ code }) => code));
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );
}
