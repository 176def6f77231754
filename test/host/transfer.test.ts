import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../host/node/clock.ts';
import { type Fetch, systemFetch } from '../../host/node/http.ts';
import { type Answer, request } from '../../host/node/transfer.ts';
import { SimClock } from '../../sim/clock.ts';
import { type Conduct, SimNetwork } from '../../sim/network.ts';

const FILE = Uint8Array.from({ length: 5000 }, (_, index) => index * 7);
const LIMITS = { patience: 30_000, minimumRate: 128 };

async function all(answer: Answer | undefined): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await answer?.read(); part; part = await answer?.read()) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

describe('over a real server', () => {
  const servers: Server[] = [];
  const seen: IncomingMessage[] = [];

  afterEach(async () => {
    seen.length = 0;
    await Promise.all(
      servers.splice(0).map((server) => new Promise((done) => server.close(done).closeAllConnections())),
    );
  });

  async function serve(
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<string> {
    const server = createServer((incoming, response) => {
      seen.push(incoming);
      handler(incoming, response);
    });
    servers.push(server);
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const get = (url: string, offset = 0, limits = LIMITS) =>
    request(url, offset, systemFetch, systemClock, limits);

  test('a whole file arrives, and the request says nothing about the device', async () => {
    const url = await serve((_, response) => response.end(FILE));
    const answer = await get(`${url}/a`);
    expect([answer?.start, await all(answer)]).toEqual([0, FILE]);
    const { host, ...headers } = seen[0]?.headers ?? {};
    expect(headers).toEqual({
      'accept-encoding': 'identity',
      connection: 'keep-alive',
      'user-agent': 'moult',
    });
    expect(host).toContain('127.0.0.1');
  });

  test('a download resumes where the server honours the range', async () => {
    const url = await serve((incoming, response) => {
      expect(incoming.headers.range).toBe('bytes=1234-');
      response.writeHead(206, { 'content-range': `bytes 1234-4999/5000` }).end(FILE.subarray(1234));
    });
    const answer = await get(`${url}/a`, 1234);
    expect([answer?.start, answer?.total, await all(answer)]).toEqual([1234, 5000, FILE.slice(1234)]);
  });

  test('a server that ignores the range is read from the start', async () => {
    const url = await serve((_, response) => response.end(FILE));
    const answer = await get(`${url}/a`, 1234);
    expect([answer?.start, await all(answer)]).toEqual([0, FILE]);
  });

  test('a range beyond the end is asked for again from the start', async () => {
    const url = await serve((incoming, response) => {
      if (incoming.headers.range) response.writeHead(416, { 'content-range': 'bytes */5000' }).end();
      else response.end(FILE);
    });
    const answer = await get(`${url}/a`, 9000);
    expect([answer?.start, await all(answer)]).toEqual([0, FILE]);
  });

  test('400, 403 and 404 mean that there is no such file, on a connection that is kept', async () => {
    const url = await serve((incoming, response) =>
      response.writeHead(Number(incoming.url?.slice(1))).end('<html>no</html>'),
    );
    for (const status of [400, 403, 404]) expect(await get(`${url}/${status}`)).toBeUndefined();
    expect(new Set(seen.map(({ socket }) => socket.remotePort)).size).toBe(1);
  });

  test('another status is no answer', async () => {
    const url = await serve((_, response) => response.writeHead(503).end());
    await expect(get(`${url}/a`)).rejects.toMatchObject({
      fault: 'refused',
      message: `${url}/a: HTTP status 503`,
    });
  });

  test('a redirect is followed within the origin only, and not for ever', async () => {
    const other = await serve((_, response) => response.end(FILE));
    const url = await serve((incoming, response) => {
      const to = { '/near': '/a', '/far': `${other}/a`, '/loop': '/loop' }[incoming.url ?? ''];
      if (to) response.writeHead(302, { location: to }).end();
      else response.end(FILE);
    });
    expect(await all(await get(`${url}/near`))).toEqual(FILE);
    await expect(get(`${url}/far`)).rejects.toMatchObject({ fault: 'redirected' });
    await expect(get(`${url}/loop`)).rejects.toMatchObject({ fault: 'redirected' });
  });

  test.each([5000, 500_000])('a redirect with a text of %i bytes is followed', async (length) => {
    const url = await serve((incoming, response) => {
      if (incoming.url === '/a') response.end(FILE);
      else response.writeHead(302, { location: '/a' }).end('x'.repeat(length));
    });
    expect(await all(await get(`${url}/moved`))).toEqual(FILE);
    expect(seen).toHaveLength(2);
  });

  test('a connection that breaks before the announced end is a truncated file', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '5000' });
      response.write(FILE.subarray(0, 3000), () => response.destroy());
    });
    await expect(get(`${url}/a`).then(all)).rejects.toMatchObject({ fault: 'truncated' });
  });

  test('a compressed answer is refused: nobody asked for it, and it could grow without end', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(FILE)),
    );
    await expect(get(`${url}/a`)).rejects.toMatchObject({ fault: 'encoded' });
  });

  test('nobody listening is unreachable, and says what the system said', async () => {
    const url = await serve((_, response) => response.end());
    await new Promise((done) => servers.splice(0)[0]?.close(done));
    await expect(get(`${url}/a`)).rejects.toMatchObject({
      fault: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('[slow retrieval] a server that goes silent is given up', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-length': '5000' }).write('x'),
    );
    await expect(get(`${url}/a`, 0, { patience: 100, minimumRate: 128 }).then(all)).rejects.toMatchObject({
      fault: 'slow',
    });
  });
});

describe('over a simulated network', () => {
  function network(conduct: Conduct) {
    const clock = new SimClock(1_000_000);
    const net = new SimNetwork((path) => (path === 'a' ? FILE : undefined), clock);
    net.conduct = () => conduct;
    const get = (offset = 0, fetch: Fetch = net.fetch) =>
      request('https://sim/a', offset, fetch, clock, LIMITS);
    return { clock, net, get };
  }

  test('behaves as a real server does', async () => {
    const { clock, net, get } = network({ chunk: 999 });
    const read = async (offset: number) => {
      const answer = await get(offset);
      return [answer?.start, answer?.total, await all(answer)];
    };
    expect(await clock.run(read(0))).toEqual([0, 5000, FILE]);
    expect(await clock.run(read(4000))).toEqual([4000, 5000, FILE.slice(4000)]);
    expect(await clock.run(read(5000))).toEqual([0, 5000, FILE]);
    expect(net.sent).toBe(5000 + 1000 + 5000);
  });

  test.each([
    [{ drop: true }, 'unreachable'],
    [{ status: 500 }, 'refused'],
    [{ breakAfter: 100 }, 'truncated'],
    [{ delay: 31_000 }, 'slow'],
    [{ rate: 1, chunk: 1 }, 'slow'],
    [{ rate: 50, chunk: 10 }, 'slow'],
  ] as const)('reports %j as %s', async (conduct, fault) => {
    const { clock, get } = network(conduct);
    await expect(clock.run(get().then(all))).rejects.toMatchObject({ fault });
  });

  test('[CERT-C-6] [slow retrieval] one byte now and then does not hold a transfer open', async () => {
    const { clock, get } = network({ rate: 1, chunk: 1 });
    const begun = clock.seconds();
    await expect(clock.run(get().then(all))).rejects.toMatchObject({ fault: 'slow' });
    expect(clock.seconds() - begun).toBeLessThanOrEqual(31);
  });

  test('a slow network that keeps the minimum rate is waited for', async () => {
    const { clock, get } = network({ rate: 200, chunk: 50 });
    expect(await clock.run(get().then(all))).toEqual(FILE);
    expect(clock.seconds()).toBe(1_000_025);
  });

  test.each([
    [{ 'content-range': 'bytes */5000' }, 206],
    [{ 'content-range': 'pages 1-2/3' }, 206],
    [{}, 206],
  ])('a part of a file that does not say which is refused: %j', async (headers, status) => {
    const { get } = network({});
    await expect(get(10, async () => new Response('x', { status, headers }))).rejects.toMatchObject({
      fault: 'unranged',
    });
  });

  test('a part that ends before the file does is a truncated file', async () => {
    const { get } = network({});
    const headers = { 'content-range': 'bytes 10-10/5000' };
    const answer = await get(10, async () => new Response('x', { status: 206, headers }));
    await expect(all(answer)).rejects.toMatchObject({ fault: 'truncated' });
  });
});
