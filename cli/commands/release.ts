// moult release: what there is to install.
import {
  describeImage,
  describeRange,
  ESP32_CHIPS,
  IMAGE_FORMATS,
  type ImageFormat,
  parseEncryptionKeys,
  type Range,
  type Release,
  type ReleaseNotice,
  RepositoryError,
  URGENCIES,
} from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { formatBytes } from '../output.ts';
import { collectRange } from '../range.ts';
import { collect, oneOf, readInput, type Session } from '../session.ts';

interface Options {
  readonly component: string;
  readonly version: string;
  readonly hw: string[];
  readonly counter?: number;
  readonly securityCounter?: number;
  readonly deltaFrom: string[];
  readonly compress: boolean;
  readonly encryptFor: string[];
  readonly requires: Range[];
  readonly conflicts: Range[];
  readonly format?: ImageFormat;
  readonly chip?: number;
  readonly urgency?: string;
  readonly cve: string[];
  readonly risk: string[];
  readonly downtime?: number;
  readonly supportEnd?: string;
}

const EXAMPLES = `
Examples:
  moult release add build/app.bin --component app --version 1.4.0 --hw esp32c3-rev2
  moult release add build/app.bin --component app --version 1.4.1 --hw esp32c3-rev2 --hw esp32c3-rev3 --security-counter 2
  moult release add build/app.bin --component app --version 1.5.0 --hw esp32c3-rev2 --chip esp32c3
  moult release add build/app.bin --component app --version 1.4.2 --hw esp32c3-rev2 --delta-from 1.4.1 --compress
  moult release add build/app.bin --component app --version 1.4.3 --hw esp32c3-rev2 --encrypt-for keys/fleet.recipient
  moult release add build/app.bin --component app --version 1.4.4 --hw esp32c3-rev2 --urgency critical \\
    --cve CVE-2026-12345 --risk "Anybody nearby can open the lock." --risk "de=Wer in der Nähe ist, kann öffnen." \\
    --downtime 20 --support-end 2031-12-31

Several components, as one update:
  moult release add build/radio.bin --component radio --version 2.0.0 --hw esp32c3-rev2 --counter 5
  moult release add build/app.bin --component app --version 1.5.0 --hw esp32c3-rev2 --requires 'radio>=5,<9'
  moult release add build/model.bin --component model --version 7 --hw esp32c3-rev2 --conflicts 'app<12'
  moult publish

Devices see all of them at once, and confirm all of them or none. Publish refuses the newest releases when devices would:
when one requires or excludes another. What devices have from the factory alone stands in moult.toml:
  [factory]
  radio = 5        # release counter

The component moult is the core itself: the file is a module such as build/moult.wasm, and a header is put before it.

A device installs the release with the highest counter that fits its hardware id. The security counter rises when
older releases must never run again. A device that runs the release of a patch fetches the patch, others the compressed
image; where neither helps, the image. With --encrypt-for nothing is published but what devices with these keys can read; the
image stays in images/. Its length and hash, and who can read it, remain visible.

An image of the ESP32 family or of MCUboot is known by its first bytes and refused here if devices would refuse it;
--format raw takes it as it is, for boards whose configuration has no imageFormat.`;

export const addRelease: AddCommand = (program, run) => {
  const release = program.command('release').description('add what devices are to install');
  release
    .command('add <firmware>')
    .description('stage an image; devices see it with the next "moult publish"')
    .requiredOption('--component <name>', 'what is updated, such as app')
    .requiredOption('--version <text>', 'for people; devices compare counters')
    .requiredOption('--hw <id>', 'a hardware id that it is for; may be repeated', collect, [])
    .option(
      '--counter <n>',
      'release counter: a number, or auto for the last + 1',
      parseCounter('--counter', true),
    )
    .option(
      '--security-counter <n>',
      "security counter (default: that in the image, else the last release's)",
      parseCounter('--security-counter', false),
    )
    .option('--delta-from <version>', 'a release to make a patch from; may be repeated', collect, [])
    .option('--compress', 'also offer the image compressed', false)
    .option(
      '--encrypt-for <key>',
      'publish it encrypted for this key (64 digits, or a file of such keys); may be repeated',
      collect,
      [],
    )
    .option(
      '--requires <range>',
      "what else a device must have: 'radio>=5' or 'radio>=5,<9', by release counters; may be repeated",
      collectRange('--requires'),
      [],
    )
    .option(
      '--conflicts <range>',
      "what it must not have: 'radio>=7'; may be repeated",
      collectRange('--conflicts'),
      [],
    )
    .option('--format <name>', `${IMAGE_FORMATS.join(', ')} (default: told by the first bytes)`, (text) =>
      oneOf('--format', IMAGE_FORMATS, text),
    )
    .option(
      '--chip <name>',
      `the chip that it must be for: ${Object.keys(ESP32_CHIPS).join(', ')}`,
      parseChip,
    )
    .option('--urgency <level>', `how soon it should be installed: ${URGENCIES.join(', ')}`)
    .option('--cve <id>', 'a vulnerability that it ends; may be repeated', collect, [])
    .option('--risk <text>', 'what it protects from, for users; LANGUAGE=TEXT, may be repeated', collect, [])
    .option('--downtime <seconds>', 'how long the device stops its work', parseCounter('--downtime', false))
    .option('--support-end <day>', 'the last day with security updates, YYYY-MM-DD')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, firmware: string, options: Options) => {
        const repository = await session.openRepository();
        const images: string[] = [];
        const bar = session.output.progress(`hashing ${firmware}`, 1);
        const added = await repository
          .addRelease({
            image: session.path(firmware),
            component: options.component,
            version: options.version,
            hardwareIds: options.hw,
            deltaFrom: options.deltaFrom,
            compress: options.compress,
            ...(options.encryptFor.length > 0 && { encryptFor: await readKeys(session, options.encryptFor) }),
            requires: options.requires,
            conflicts: options.conflicts,
            notice: noticeOf(options),
            ...(options.counter !== undefined && { releaseCounter: options.counter }),
            ...(options.securityCounter !== undefined && { securityCounter: options.securityCounter }),
            ...(options.format && { format: options.format }),
            ...(options.chip !== undefined && { chipId: options.chip }),
            onImage: (image) => {
              if (image.format !== 'raw') images.push(...describeImage(image));
            },
            onProgress: (done, total) => bar.update(done / total, formatBytes(done)),
          })
          .finally(() => bar.stop());
        for (const line of images) session.output.event(line, 'plain');
        session.output.event(describe(added));
        for (const range of added.requires ?? [])
          session.output.event(`requires ${describeRange(range)}`, 'plain');
        for (const range of added.conflicts ?? [])
          session.output.event(`conflicts with ${describeRange(range)}`, 'plain');
        for (const [path, { length }] of Object.entries(added.payloads ?? {}))
          session.output.event(`${path}: ${formatBytes(length)} instead of ${formatBytes(added.length)}`);
        session.output.line('  Next: moult publish');
        session.output.result(added);
      }),
    );
};

/** Keys as they are, or from files. */
async function readKeys(session: Session, given: readonly string[]): Promise<Uint8Array[]> {
  const texts = given.map(async (key) =>
    /^[0-9a-fA-F]{64}$/.test(key)
      ? key
      : (await readInput('the file of encryption keys', session.path(key))).toString('latin1'),
  );
  return (await Promise.all(texts)).flatMap(parseEncryptionKeys);
}

/** What the user is told, as far as it was given. */
function noticeOf({ urgency, cve, risk, downtime, supportEnd }: Options): ReleaseNotice {
  return {
    ...(urgency !== undefined && { urgency: urgency as NonNullable<ReleaseNotice['urgency']> }),
    ...(cve.length > 0 && { cves: cve }),
    ...(risk.length > 0 && { risk: Object.fromEntries(risk.map(byLanguage)) }),
    ...(downtime !== undefined && { disruptive: downtime > 0, expectedDowntime: downtime }),
    ...(supportEnd !== undefined && { supportEnd }),
  };
}

/** "de=TEXT"; without a language it is English. */
function byLanguage(text: string): [language: string, text: string] {
  const found = /^([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)=(.*)$/s.exec(text);
  return found ? [found[1] ?? '', found[2] ?? ''] : ['en', text];
}

function describe(release: Release): string {
  const counters = `release counter ${release.releaseCounter}, security counter ${release.securityCounter}`;
  const what = `${release.component} ${release.version} for ${release.hardwareIds.join(', ')}`;
  return `${what} is staged: ${formatBytes(release.length)}, ${counters}`;
}

function parseChip(text: string): number {
  return ESP32_CHIPS[oneOf('--chip', Object.keys(ESP32_CHIPS), text)] ?? 0;
}

function parseCounter(option: string, auto: boolean): (text: string) => number | undefined {
  return (text) => {
    if (auto && text === 'auto') return undefined;
    if (/^\d{1,10}$/.test(text)) return Number(text);
    throw new RepositoryError(
      'bad-argument',
      `${option} takes a number${auto ? ' or auto' : ''}, not "${text}"`,
    );
  };
}
