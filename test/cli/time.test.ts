// moult time, and the devices and gateways of the command line that use it: keys, a server, a rotation.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FolderDevice } from '../../cli/device/folder.ts';
import { State } from '../../host/node/abi.ts';
import { parseMetadata } from '../../repo/schema.ts';
import { moult, moultJson, type Surroundings, type Transcript } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf, NOW } from '../fixtures/repositories.ts';

let cwd: string;
let at: Surroundings;
const acme = (...rest: string[]) => moult(['-C', 'acme', ...rest], at);

beforeEach(async () => {
  cwd = temporaryFolder();
  at = { cwd };
  writeFileSync(join(cwd, 'app.bin'), imageOf('app', 5000));
  await moult(['init', 'acme', '--no-encrypt'], at);
  mkdirSync(join(cwd, 'acme/time'));
  for (const name of ['one', 'two'])
    await acme('key', 'gen', '--no-encrypt', '--out', `file:time/${name}.pem`);
});

interface Running<T> {
  readonly json: T;
  stop(): Promise<Transcript>;
}

/** Starts a command that goes on until it is stopped; what it printed as JSON before that. */
async function start<T>(args: readonly string[], now = NOW): Promise<Running<T>> {
  let end = () => {};
  let printed = () => '';
  const ended = new Promise<Transcript>((resolve) => {
    void moult([...args, '--json'], {
      cwd,
      now,
      onStop: (stop, text) => {
        end = stop;
        printed = text;
      },
    }).then(resolve);
  });
  while (!printed().includes('\n')) await new Promise((done) => setTimeout(done, 1));
  return {
    json: JSON.parse(printed()) as T,
    stop: () => {
      end();
      return ended;
    },
  };
}

interface Serving {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly string[];
}

function serveTime(keys: readonly string[], now = NOW): Promise<Running<Serving>> {
  const given = keys.flatMap((key) => ['--key', `acme/time/${key}.pem`]);
  return start(['time', 'serve', '--port', '0', ...given], now);
}

function timeKeys(): unknown {
  const newest = ['3', '2', '1'].map((version) => join(cwd, `acme/public/metadata/${version}.root.json`));
  for (const path of newest) {
    try {
      return parseMetadata(readFileSync(path), 'root', path).signed.custom;
    } catch {}
  }
  return undefined;
}

function hexOf(name: string): string {
  return JSON.parse(readFileSync(join(cwd, `acme/time/${name}.pub`), 'utf8')).keyval.public;
}

describe('[TUF-7] [UPT-1] [CERT-I-6] moult', () => {
  test('serves the time, a device takes it, and follows the root to another key', async () => {
    await acme('release', 'add', 'app.bin', ...'--component app --version 1.0.0 --hw board'.split(' '));
    await acme('publish');
    const web = await start<{ url: string }>(['serve', 'acme', '--port', '0']);
    const one = await serveTime(['one'], NOW + 7200);
    expect(one.json.keys).toEqual([hexOf('one')]);
    const run = (port: number, now: number) =>
      moultJson<{ status: string }>(
        ['device', 'run', 'board1', '--url', web.json.url, '--root', 'acme/public/metadata/1.root.json']
          .concat(['--hw', 'board', '--time-key', 'acme/time/one.pub', '--once'])
          .concat(['--time-server', `127.0.0.1:${port}`]),
        { cwd, now },
      );
    // The device's own clock does not count: it is two hours behind.
    expect(await run(one.json.port, NOW)).toMatchObject({ status: 0, json: { status: 'up-to-date' } });
    expect(latest()).toBe(NOW + 7190);
    await one.stop();
    expect(await run(one.json.port, NOW)).toMatchObject({ status: 1, json: { status: 'time-missing' } });

    expect((await acme('time', 'trust', 'acme/time/two.pub')).stdout).toContain('root names 1 time keys');
    expect(timeKeys()).toEqual({ timeKeys: [hexOf('two')] });
    // A rotation of another role does not take them back.
    await acme('role', 'rotate', 'timestamp');
    expect(timeKeys()).toEqual({ timeKeys: [hexOf('two')] });
    const two = await serveTime(['two'], NOW - 5);
    expect(await run(two.json.port, NOW)).toMatchObject({ status: 0, json: { status: 'up-to-date' } });
    expect(latest()).toBe(NOW);
    await two.stop();
    await web.stop();
  }, 60_000);

  test('refuses time keys that are none, too many, twice given, or sign metadata', async () => {
    const trust = (...keys: string[]) => acme('time', 'trust', ...keys);
    const refused = async (keys: readonly string[], why: string, status = 1) =>
      expect(await trust(...keys)).toMatchObject({ status, stderr: expect.stringContaining(why) });
    await refused([], 'name the keys', 2);
    await refused(['--provisioned', 'acme/time/one.pub'], 'name the keys', 2);
    await refused(['acme/time/none.pub'], 'there is no key', 1);
    await refused(['acme/time/one.pem'], 'one.pem', 1);
    await refused(['acme/time/one.pub', 'acme/time/one.pub'], 'twice');
    await refused(['acme/keys/targets-1.pub'], 'cannot be a time key');
    await refused(
      ['one', 'two', 'one', 'two', 'one'].map((name) => `acme/time/${name}.pub`),
      'at most',
      2,
    );
    expect(timeKeys()).toBeUndefined();
    expect(await trust('--provisioned')).toMatchObject({ status: 0 });
    expect(timeKeys()).toBeUndefined();
  });

  test('serves no time without a key, and says what is wrong with one', async () => {
    const serve = (...rest: string[]) => moult(['time', 'serve', '--port', '0', ...rest], at);
    expect((await serve()).status).toBe(2);
    expect(await serve('--key', 'none.pem')).toMatchObject({
      stderr: expect.stringContaining('there is no key'),
    });
    expect(await serve('--key', 'acme/time/one.pub')).toMatchObject({
      stderr: expect.stringContaining('one.pub'),
    });
    for (const radius of ['2', '3601', 'x'])
      expect(await serve('--key', 'acme/time/one.pem', '--radius', radius)).toMatchObject({ status: 2 });
  });

  test('names the time keys of vehicles in the root of the Director, and keeps them there', async () => {
    await moult(['director', 'init', 'fleet', '--image', 'acme', '--no-encrypt'], at);
    const fleet = (...rest: string[]) => moult(['-C', 'fleet', 'director', ...rest], at);
    const named = (version: number) => {
      const path = join(cwd, `fleet/metadata/${version}.root.json`);
      return parseMetadata(readFileSync(path), 'root', path).signed.custom;
    };
    expect((await fleet('time-keys', 'acme/time/one.pub', 'acme/time/two.pub')).stdout).toContain(
      'root 2 names 2',
    );
    expect(named(2)).toEqual({ timeKeys: [hexOf('one'), hexOf('two')] });
    await fleet('rotate', 'targets');
    expect(named(3)).toEqual({ timeKeys: [hexOf('one'), hexOf('two')] });
    await fleet('time-keys');
    expect(named(4)).toBeUndefined();
  });
});

function latest(): number {
  const device = new FolderDevice({ folder: join(cwd, 'board1'), onProvisioned: () => undefined });
  try {
    return device.wake().stateRead(State.LATEST_TIME);
  } finally {
    device.switchOff();
  }
}
