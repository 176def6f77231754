// How long a whole refresh of moult-client takes, from a folder that only knows a root, beside an empty Node process:
// pairs, one after the other. The server stands in this process.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../scripts/abi.ts';
import { SimRepository } from '../sim/repository.ts';
import { median, type Row } from './row.ts';

const PAIRS = 21;

export async function clientRows(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'moult-bench-'));
  const repository = new SimRepository(() => Math.floor(Date.now() / 1000));
  const server = createServer(({ url = '' }, response) => {
    const file = repository.source(url.slice(1));
    response.writeHead(file ? 200 : 404, { 'content-length': file?.length ?? 0 }).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    writeFileSync(join(folder, 'root.json'), repository.root);
    const { port } = server.address() as AddressInfo;
    const ratios = await pairs(folder, `http://127.0.0.1:${port}/metadata/`);
    return [
      {
        id: 'client-refresh',
        value: median(ratios),
        unit: 'x of an empty process',
        peer: 'node (empty process)',
        peerVersion: process.versions.node,
        ratio: median(ratios),
      },
    ];
  } finally {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  }
}

async function pairs(folder: string, url: string): Promise<number[]> {
  const client = join(projectRoot(), 'bin/moult-client');
  const made = join(folder, 'made');
  await time([client, '--metadata-dir', made, 'init', join(folder, 'root.json')]);
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const state = join(folder, `${pair}`);
    cpSync(made, state, { recursive: true });
    const empty = await time(['-e', '']);
    const refresh = await time([client, '--metadata-url', url, '--metadata-dir', state, 'refresh']);
    ratios.push(refresh / empty);
  }
  return ratios;
}

/** Milliseconds that a Node process takes. */
function time(args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('close', (status) => {
      if (status === 0) resolve(performance.now() - start);
      else reject(new Error(`${args.join(' ')}: exit status ${status}`));
    });
  });
}
