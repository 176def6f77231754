// moult device factory: what is flashed beside the first image of an ESP32 (docs/formats.md, "Factory record").
import { writeFile } from 'node:fs/promises';
import { factoryRecord } from '../../host/node/factory.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import { inspectImage, RepositoryError } from '../../repo/index.ts';
import { parseInterval } from '../device/interval.ts';
import { deviceKey } from '../device/run.ts';
import type { AddCommand } from '../main.ts';
import { readInput, type Session } from '../session.ts';

interface Options {
  readonly root: string;
  readonly hw: string;
  readonly out: string;
  readonly counter: number;
  readonly component: string;
  readonly key?: string;
  readonly interval: number;
}

const EXAMPLES = `
The image is the one that is flashed with it: version, security counter and chip are read from there. The record may
hold a secret key; the device erases it when it has used it.

Examples:
  moult device factory build/app.bin --root public/metadata/1.root.json --hw lamp-rev2 --out factory.bin
  moult device factory build/app.bin --root 1.root.json --hw lamp-rev2 --key new --out factory.bin
  esptool write-flash 0x3c4000 factory.bin`;

export const addFactory: AddCommand = (device, run) => {
  device
    .command('factory <image>')
    .description('make what the factory leaves for an ESP32: configuration, root of trust, key')
    .requiredOption('--root <file>', 'root of trust')
    .requiredOption('--hw <id>', 'hardware id')
    .requiredOption('--out <file>', 'where to write the record')
    .option('--counter <n>', 'release counter of the image', parseCounter, 0)
    .option('--component <name>', 'component that the slots hold', 'app')
    .option('--key <file>', 'key for encrypted payloads, or new: the device makes its own')
    .option('--interval <seconds>', 'from one check to the next', parseInterval, 3600)
    .addHelpText('after', EXAMPLES)
    .action(run((session, image: string, options: Options) => makeRecord(session, image, options)));
};

async function makeRecord(session: Session, path: string, options: Options): Promise<void> {
  const image = inspectImage(await readInput('the image', session.path(path)));
  if (image.format !== 'esp32')
    throw new RepositoryError('image-refused', `${path} is no application image of the ESP32 family`);
  const [finding] = image.findings;
  if (finding)
    throw new RepositoryError('image-refused', `${path} would not boot (${finding.code}): ${finding.text}`);
  const { hw: hardwareId, component, counter: releaseCounter, interval: checkInterval } = options;
  const { version, securityCounter, chipId } = image;
  const configuration: DeviceConfiguration = {
    ...{ hardwareId, component, version, releaseCounter, securityCounter },
    ...{ buildTime: session.io.clock(), checkInterval, imageFormat: 'esp32', chipId },
  };
  const root = await readInput('the root of trust', session.path(options.root));
  const key = options.key === undefined ? undefined : await deviceKey(session, options.key);
  const record = factoryRecord(configuration, root, key);
  await writeFile(session.path(options.out), record, { mode: 0o600 });
  session.output.event(
    `${options.out}: ${record.length} bytes for ${image.chip} as ${hardwareId}, version ${version}`,
  );
  session.output.result({ ...configuration, length: record.length });
}

function parseCounter(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new RepositoryError('bad-argument', `--counter takes a number, not "${text}"`);
  return Number(text);
}
