// Servers that mean no good, and ones that are broken: a plain refusal in bounded time, and honest answers work later.
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { digest } from '../tuf/tree.ts';
import { DONE, type Run, refused, type World, world } from './world.ts';

const PAGE = '<!doctype html><title>Welcome</title>'.repeat(50);

/** What a server says instead of a file; what is refused then; the file. */
type Case = readonly [string, (response: ServerResponse, file: Buffer) => void, string | RegExp];

const ANSWERS: readonly Case[] = [
  ['403', (response) => void response.writeHead(403).end(PAGE), 'NOT_FOUND'],
  ['404', (response) => void response.writeHead(404).end(PAGE), 'NOT_FOUND'],
  ['500', (response) => void response.writeHead(500).end(PAGE), /HTTP status 500: .*\(NETWORK\)\n$/],
  ['503 with an endless page', endless(503), /HTTP status 503: .*\(NETWORK\)\n$/],
  ['a page of HTML', (response) => void response.end(PAGE), 'ENVELOPE_INVALID'],
  ['nothing', (response) => void response.end(), 'ENVELOPE_INVALID'],
  ['a file that does not end', endless(200), 'TOO_LONG'],
  ['half of it', truncated, /ended after \d+ bytes|aborted.*\(NETWORK\)\n$/],
  ['a connection that breaks', (response) => void response.destroy(), 'NETWORK'],
  ['another origin', redirect('http://localhost:1/x'), /another origin.*\(NETWORK\)\n$/],
  ['a circle', redirect('?'), /redirected more than 3 times.*\(NETWORK\)\n$/],
  ['a compressed file', encoded, /sent as gzip.*\(NETWORK\)\n$/],
  ['a part of it', part, /RANGE|NETWORK/],
];

function endless(status: number) {
  return (response: ServerResponse) => {
    response.writeHead(status);
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  };
}

function truncated(response: ServerResponse, file: Buffer): void {
  response.writeHead(200, { 'content-length': file.length });
  response.write(file.subarray(0, file.length / 2), () => response.destroy());
}

function redirect(location: string) {
  return (response: ServerResponse) => void response.writeHead(302, { location }).end();
}

function encoded(response: ServerResponse, file: Buffer): void {
  response.writeHead(200, { 'content-encoding': 'gzip' }).end(file);
}

function part(response: ServerResponse, file: Buffer): void {
  response
    .writeHead(206, { 'content-range': `bytes 10-${file.length - 1}/${file.length}` })
    .end(file.subarray(10));
}

/** A client that is up to date; then all is published anew. */
async function prepared(): Promise<World> {
  const w = await world();
  w.tree.delegate('targets', 'A').list('A', 'file', 'content').publish();
  expect(await w.download('file')).toEqual(DONE);
  w.tree.role('A').version = 2;
  w.tree.list('A', 'file', 'newer content').publish();
  return w;
}

async function downloadWith(w: World, end: string, answer: Case[1]): Promise<Run> {
  w.conduct = (path, response) => {
    if (!path.split('?')[0]?.endsWith(end)) return false;
    answer(response, Buffer.from(w.tree.s.files.get(path.slice(1)) ?? []));
    return true;
  };
  const run = await w.download('file');
  w.conduct = () => false;
  return run;
}

describe('[CERT-C-6] instead of a file', () => {
  test.each([
    ['the timestamp', 'timestamp.json'],
    ['the snapshot', 'snapshot.json'],
    ['a delegated role', 'A.json'],
    ['the target', `${digest('newer content')}.file`],
  ])(
    '%s: whatever comes is refused, nothing of it stays, and an honest answer works then',
    async (_, end) => {
      const w = await prepared();
      // The length that is announced may show what is wrong before anything else does.
      const sooner = /\((LENGTH_MISMATCH|HASH_MISMATCH|TOO_LONG)\)\n$/;
      for (const [what, answer, finding] of ANSWERS) {
        const run = await downloadWith(w, end, answer);
        expect([
          { what, ...refused(finding) },
          { what, ...refused(sooner) },
        ]).toContainEqual({ what, ...run });
        expect(w.targets()).toEqual({ file: 'content' });
      }
      expect(await w.download('file')).toEqual(DONE);
      expect(w.targets()).toEqual({ file: 'newer content' });
    },
  );

  test.each([400, 403, 404])('the next root, %i: there is none', async (status) => {
    const w = await prepared();
    expect(await downloadWith(w, 'root.json', (response) => void response.writeHead(status).end())).toEqual(
      DONE,
    );
  });

  test('the next root, 500: the refresh ends there', async () => {
    const w = await prepared();
    w.asked();
    expect(await downloadWith(w, 'root.json', (response) => void response.writeHead(500).end())).toEqual(
      refused('NETWORK'),
    );
    expect(w.asked()).toEqual(['metadata/2.root.json']);
  });

  test('nobody answers at that address', async () => {
    const w = await prepared();
    const before = w.trusted();
    const args = ['--metadata-url', 'http://127.0.0.1:1/', '--metadata-dir', w.state, 'refresh'];
    expect(await w.run(...args)).toEqual(refused(/ECONNREFUSED.*\(NETWORK\)\n$/));
    expect(w.trusted()).toEqual(before);
  });
});
