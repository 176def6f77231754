// `npm start` in this process: what was typed, what came out.
import { PassThrough } from 'node:stream';
import { main } from '../../cli/demo/main.ts';
import { systemClock } from '../../repo/index.ts';
import type { Transcript } from '../fixtures/command-line.ts';

/** `project`: where `.moult-demo` goes; `env`: INIT_CWD is where npm was called. */
export async function npmStart(
  args: readonly string[],
  project: string,
  env: Record<string, string> = {},
): Promise<Transcript> {
  const texts = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof texts) =>
    new PassThrough().on('data', (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  const status = await main(args, {
    stdin: new PassThrough(),
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    interactive: false,
    env,
    cwd: project,
    clock: systemClock,
    onStop: () => undefined,
  });
  return { status, ...texts };
}
