import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ServedRequest, type StaticServer, serveStatic } from '../../server/static.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';

const IMAGE = Buffer.from(imageOf('served', 300_000));
const FILE = '/targets/app/a+b/image.bin';
const folder = join(temporaryFolder(), 'public');
let server: StaticServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'targets/app/a+b'), { recursive: true });
  mkdirSync(join(folder, 'metadata'));
  writeFileSync(join(folder, FILE), IMAGE);
  writeFileSync(join(folder, 'targets/empty.bin'), '');
  writeFileSync(join(folder, 'metadata/timestamp.json'), '{"v":1}');
  writeFileSync(join(folder, 'metadata/1.root.json'), '{}');
  writeFileSync(join(folder, '.hidden'), 'secret');
  writeFileSync(join(folder, '..', 'secret'), 'secret');
  symlinkSync(join(folder, '..', 'secret'), join(folder, 'link'));
  server = await serveStatic({ directory: folder });
});

afterAll(() => server.close());

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(server.url + path, { headers, method });
const body = async (response: Response) => Buffer.from(await response.arrayBuffer());

test('a file is sent whole, with its length, tag and type', async () => {
  const response = await get(FILE);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-length': '300000',
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    'cache-control': expect.stringContaining('immutable'),
  });
  expect((await body(response)).equals(IMAGE)).toBe(true);
  expect((await get(FILE.replace('a+b', 'a%2Bb'))).status).toBe(200);
});

test('the timestamp alone is never cached', async () => {
  expect((await get('/metadata/timestamp.json')).headers.get('cache-control')).toBe('no-cache');
  expect((await get('/metadata/1.root.json')).headers.get('cache-control')).toContain('immutable');
  expect((await get('/metadata/2.root.json')).headers.get('cache-control')).toBe('no-cache');
});

test.each([
  ['bytes=0-', 0, 300_000],
  ['bytes=0-0', 0, 1],
  ['bytes=299999-', 299_999, 300_000],
  ['bytes=1000-1999', 1000, 2000],
  ['bytes=299000-999999', 299_000, 300_000],
  ['bytes=-10', 299_990, 300_000],
  ['bytes=-999999', 0, 300_000],
])('range %s', async (range, start, end) => {
  const response = await get(FILE, { range });
  expect(response.status).toBe(206);
  expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/300000`);
  expect((await body(response)).equals(IMAGE.subarray(start, end))).toBe(true);
});

test.each(['bytes=300000-', 'bytes=999999-1000000', 'bytes=-0'])(
  'range %s lies outside: 416 with the size',
  async (range) => {
    const response = await get(FILE, { range });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */300000');
  },
);

test.each(['bytes=5-2', 'bytes=a-b', 'bytes=-', 'items=0-5', 'bytes=0-1,5-6'])(
  'range %s is not one: the whole file',
  async (range) => {
    const response = await get(FILE, { range });
    expect(response.status).toBe(200);
    expect((await body(response)).length).toBe(300_000);
  },
);

test('If-Range: the range of the same file, or the whole of another', async () => {
  const tag = (await get(FILE)).headers.get('etag') ?? '';
  expect((await get(FILE, { range: 'bytes=9-', 'if-range': tag })).status).toBe(206);
  expect((await get(FILE, { range: 'bytes=9-', 'if-range': '"other"' })).status).toBe(200);
  expect((await get(FILE, { range: 'bytes=9-', 'if-range': `W/${tag}` })).status).toBe(200);
});

test('the tag follows the content, and If-None-Match saves the transfer', async () => {
  const path = '/metadata/timestamp.json';
  const first = (await get(path)).headers.get('etag') ?? '';
  expect((await get(path, { 'if-none-match': `"x", ${first}` })).status).toBe(304);
  writeFileSync(join(folder, path), '{"v":2}');
  const changed = await get(path, { 'if-none-match': first });
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).not.toBe(first);
  writeFileSync(join(folder, path), '{"v":1}');
  expect((await get(path)).headers.get('etag')).toBe(first);
});

test('HEAD tells what GET would, without the content', async () => {
  const response = await get(FILE, {}, 'HEAD');
  expect([response.status, response.headers.get('content-length')]).toEqual([200, '300000']);
  expect((await body(response)).length).toBe(0);
  expect((await get(FILE, { range: 'bytes=1-2' }, 'HEAD')).headers.get('content-length')).toBe('2');
});

test('an empty file is sent, and has no range', async () => {
  expect((await body(await get('/targets/empty.bin'))).length).toBe(0);
  expect((await get('/targets/empty.bin', { range: 'bytes=0-' })).status).toBe(416);
});

test('any other method is refused', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await get(FILE, {}, method);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  }
});

test.each([
  '/',
  '/metadata',
  '/metadata/',
  '/none.json',
  '/.hidden',
  '/../secret',
  '/metadata/../../secret',
  '/%2e%2e/secret',
  '/..%2fsecret',
  '/metadata/%2e%2e/%2e%2e/secret',
  '/link',
  '/metadata/timestamp.json/',
  '/metadata/timestamp.json%00.bin',
  '/%zz',
  '//metadata/timestamp.json',
  '/metadata\\..\\..\\secret',
])('%s is not found [path traversal]', async (path) => {
  const { status, text } = await raw(path);
  expect(status).toBe(404);
  expect(text).not.toContain('secret');
});

/** Unlike fetch, sends the path as it is. */
function raw(path: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((done, fail) => {
    const sent = request({ host: '127.0.0.1', port: server.port, path }, (response) => {
      let text = '';
      response
        .on('data', (chunk) => (text += chunk))
        .on('end', () => done({ status: response.statusCode, text }));
    });
    sent.on('error', fail).end();
  });
}

test('a client that goes away in the middle does no harm', async () => {
  await new Promise<void>((done) => {
    const socket = connect(server.port, '127.0.0.1', () =>
      socket.write(`GET ${FILE} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    socket.once('data', () => socket.destroy());
    socket.once('close', () => done());
  });
  expect((await get(FILE)).status).toBe(200);
});

test('each request is reported', async () => {
  const seen: ServedRequest[] = [];
  const reporting = await serveStatic({ directory: folder, onRequest: (one) => seen.push(one) });
  for (const path of ['/metadata/1.root.json', '/none']) await (await fetch(reporting.url + path)).text();
  await expect.poll(() => seen.length).toBe(2);
  await reporting.close();
  expect(seen[0]).toEqual({ method: 'GET', path: '/metadata/1.root.json', status: 200, bytes: 2 });
  expect(seen[1]).toMatchObject({ path: '/none', status: 404 });
});

test('[CERT-T-5] plain HTTP beyond this machine is refused with an explanation, unless it is accepted', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    await expect(serveStatic({ directory: folder, host })).rejects.toMatchObject({
      code: 'insecure',
      message: expect.stringMatching(/plain HTTP.*--tls-cert.*--insecure-http/),
    });
  }
  const open = await serveStatic({ directory: folder, host: '0.0.0.0', insecureHttp: true });
  await open.close();
});

test('a busy port is named', async () => {
  await expect(serveStatic({ directory: folder, port: server.port })).rejects.toMatchObject({
    code: 'port-busy',
    message: `port ${server.port} on 127.0.0.1 is in use; choose another with --port`,
  });
});

test('TLS 1.2 and up with a certificate of your own', async () => {
  const certificates = temporaryFolder();
  const [key, cert] = [join(certificates, 'key.pem'), join(certificates, 'cert.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...[
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ],
  ]);
  expect(made.status, String(made.stderr)).toBe(0);
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  const secure = await serveStatic({ directory: folder, host: '127.0.0.1', tls });
  const fetchSecurely = (maxVersion: 'TLSv1.1' | 'TLSv1.3', ca?: Buffer) =>
    new Promise<number | undefined>((done, fail) => {
      const options = { ...(ca && { ca }), minVersion: 'TLSv1' as const, maxVersion, agent: false };
      secureRequest(`${secure.url}/metadata/1.root.json`, options, (response) => {
        response.resume().on('end', () => done(response.statusCode));
      })
        .on('error', fail)
        .end();
    });
  try {
    expect(secure.url).toBe(`https://127.0.0.1:${secure.port}`);
    expect(await fetchSecurely('TLSv1.3', tls.cert)).toBe(200);
    await expect(fetchSecurely('TLSv1.3')).rejects.toThrow('self-signed');
    await expect(fetchSecurely('TLSv1.1', tls.cert)).rejects.toThrow();
  } finally {
    await secure.close();
  }
  await expect(serveStatic({ directory: folder, tls: { key: 'x', cert: 'y' } })).rejects.toMatchObject({
    code: 'bad-argument',
  });
});
