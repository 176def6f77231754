// Servers that hold a client up: it gives them half a minute, and no more.
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { DONE, refused, world } from './world.ts';

const WAYS: readonly (readonly [string, (response: ServerResponse) => void])[] = [
  ['takes the request and says nothing', () => undefined],
  ['says that there is a file and sends none', (response) => void response.writeHead(200).flushHeaders()],
  ['sends a byte a second', drip],
];

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 1000);
  response.once('close', () => clearInterval(timer));
}

describe.concurrent('[CERT-C-6] a server that', () => {
  test.each(WAYS)('%s is given up, and honest once it works', async (_, hold) => {
    const w = await world();
    w.conduct = (path, response) => {
      if (!path.endsWith('timestamp.json')) return false;
      hold(response);
      return true;
    };
    expect(await w.refresh()).toEqual(refused(/too slow, \d+ bytes came.*\(NETWORK\)\n$/));
    w.conduct = () => false;
    expect(await w.refresh()).toEqual(DONE);
  });
});
