// A key for a fleet, a release encrypted for it, and a device that has it: all of it as it is typed.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encryptionPublicKey } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';

const IMAGE = Buffer.from(imageOf('secret', 5000));
const SAMPLE = IMAGE.subarray(2000, 2032);

let at: Surroundings;
let server: StaticServer | undefined;

beforeEach(async () => {
  at = { cwd: temporaryFolder() };
  writeFileSync(join(at.cwd, 'app.bin'), IMAGE);
  await moult(['init', 'acme', '--no-encrypt'], at);
});

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const acme = (...args: string[]) => moult(['-C', 'acme', ...args], at);
const NAMED = ['app.bin', '--component', 'app', '--version', '1.0.0', '--hw', 'board'];
const add = (...args: string[]) => acme('release', 'add', ...NAMED, ...args);
const everything = () => readdirSync(at.cwd, { recursive: true, encoding: 'utf8' }).sort();

/** Whether 32 bytes of the image are in a file of a folder. */
function shows(folder: string): boolean {
  return readdirSync(join(at.cwd, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => join(at.cwd, folder, file))
    .some((file) => statSync(file).isFile() && readFileSync(file).includes(SAMPLE));
}

async function device(...args: string[]): Promise<{ status: number; json: Record<string, unknown> }> {
  server ??= await serveStatic({ directory: join(at.cwd, 'acme/public') });
  const root = ['--root', 'acme/public/metadata/1.root.json', '--hw', 'board'];
  return moultJson(['device', 'run', ...args, '--url', server.url, '--once', ...root], at);
}

test('[CERT-I-7] a key among those that sign, a release for it, and devices with and without it', async () => {
  const made = await acme('key', 'encryption', '--out', 'file:keys/fleet.key');
  const secret = readFileSync(join(at.cwd, 'acme/keys/fleet.key'));
  const open = Buffer.from(encryptionPublicKey(secret)).toString('hex');
  expect(made).toEqual({
    status: 0,
    stdout: `✓ encryption key ${open} is in ${join(at.cwd, 'acme/keys/fleet.key')}; keep it secret\n`,
    stderr: '',
  });
  // Every key file of the folder is read to sign: this one is none of them.
  expect(await add('--encrypt-for', 'acme/keys/fleet.recipient')).toMatchObject({ status: 0, stderr: '' });
  expect(await acme('publish')).toMatchObject({ status: 0, stderr: '' });
  expect(await acme('verify', 'acme', '--root', 'acme/public/metadata/1.root.json')).toMatchObject({
    status: 0,
  });
  expect(shows('acme/public')).toBe(false);
  const holder = await device('board1', '--key', 'acme/keys/fleet.key');
  expect(holder).toMatchObject({ status: 0, json: { status: 'up-to-date', version: '1.0.0' } });
  expect(shows('board1')).toBe(true);
  const without = await device('board2');
  expect(without).toMatchObject({ json: { status: 'key-missing' } });
  expect(without.status).not.toBe(0);
  const other = await device('board3', '--key', 'new');
  expect(other).toMatchObject({ json: { status: 'not-a-recipient' } });
  expect(shows('board2') || shows('board3')).toBe(false);
});

test.each([
  ['of small order', '0'.repeat(64)],
  ['not of 64 digits', 'bad.recipient'],
  ['in a file that is not there', 'nowhere.recipient'],
])('a recipient %s is refused before anything of the image is stored', async (_, recipient) => {
  writeFileSync(join(at.cwd, 'bad.recipient'), 'abc\n');
  const before = everything();
  const { status, stderr } = await add('--encrypt-for', recipient);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/^✗ /);
  expect(everything()).toEqual(before);
  expect(await add()).toMatchObject({ status: 0 });
});
