// moult delta: what goes over the wire instead of a whole image.
import { dirname } from 'node:path';
import {
  buildPatch,
  COMPRESSIONS,
  type Compression,
  RepositoryError,
  sha256,
  writeWhole,
} from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { formatBytes } from '../output.ts';
import { oneOf, readInput } from '../session.ts';

interface Options {
  readonly output: string;
  readonly compression: Compression;
}

const EXAMPLES = `
The patch is in the sequential format of detools 0.53 and is read by its decoders. With an empty OLD it is NEW compressed.

Examples:
  moult delta build app-1.3.0.bin app-1.4.0.bin -o app-1.3.0-to-1.4.0.patch
  moult delta build app-1.3.0.bin app-1.4.0.bin -o app.patch --compression crle --json`;

export const addDelta: AddCommand = (program, run) => {
  program
    .command('delta')
    .description('make patches from one image to another')
    .command('build <old> <new>')
    .description('make a patch that turns OLD into NEW')
    .requiredOption('-o, --output <file>', 'where the patch goes')
    .option(
      '--compression <name>',
      `${COMPRESSIONS.join(', or ')} for decoders with less memory`,
      (text) => oneOf('--compression', COMPRESSIONS, text),
      'heatshrink',
    )
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, old: string, fresh: string, options: Options) => {
        const { output } = session;
        const base = await readInput('the old image', session.path(old));
        const image = await readInput('the new image', session.path(fresh));
        if (image.length === 0) throw new RepositoryError('file-empty', `${fresh} is empty`);
        const bar = output.progress(`comparing ${fresh} with ${old}`, image.length);
        let patch: Uint8Array;
        try {
          const { compression } = options;
          const onProgress = (done: number) => bar.update(done, formatBytes(done));
          patch = buildPatch(base, image, { compression, onProgress });
        } finally {
          bar.stop();
        }
        const path = session.path(options.output);
        await writeWhole(dirname(path), { path, bytes: patch, replace: true });
        const share = ((100 * patch.length) / image.length).toFixed(1);
        output.event(`${options.output}: ${formatBytes(patch.length)}, ${share} % of ${fresh}`);
        output.result({
          output: path,
          compression: options.compression,
          patch: describe(patch),
          old: describe(base),
          new: describe(image),
        });
      }),
    );
};

function describe(bytes: Uint8Array): { length: number; sha256: string } {
  return { length: bytes.length, sha256: sha256(bytes) };
}
