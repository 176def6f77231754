// A device that stays when the demo is over: the one of `moult device run`, its flash in a file.
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { EXIT } from '../exit.ts';
import { main } from '../main.ts';
import type { Io } from '../session.ts';
import { Unexpected } from './finding.ts';
import { HARDWARE } from './stage.ts';

/** Runs it once against the repository at a URL. What it says is only shown when it fails. Returns its folder. */
export async function updateFileDevice(directory: string, url: string, io: Io): Promise<string> {
  const folder = join(directory, 'device');
  const root = join(directory, 'repository', 'public', 'metadata', '1.root.json');
  let said = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString();
      done();
    },
  });
  const argv = ['device', 'run', folder, '--url', url, '--root', root, '--hw', HARDWARE, '--once'];
  const status = await main(argv, { ...io, stdout: sink, stderr: sink, interactive: false });
  if (status !== EXIT.ok) throw new Unexpected(`"moult device run" ended with ${status}: ${said.trim()}`);
  return folder;
}
