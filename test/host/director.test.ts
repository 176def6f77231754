// A vehicle's end of the line to its Director: whom it shows its certificate.
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificateRequest, DirectorLine, enrol } from '../../host/node/director.ts';
import { Authority, createAuthority, type Pair } from '../../server/director/certificates.ts';

const NOW = Math.floor(Date.now() / 1000);

let ca: Pair;
let servers: Server[];
/** Common names of those who came, as each server sees them. */
let seen: string[];

beforeEach(async () => {
  ca = await createAuthority('acme', NOW);
  servers = [];
  seen = [];
});

afterEach(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

/** Its address. */
async function serve(name: string, answer = '{}'): Promise<string> {
  const { certificate: cert, key } = await (await Authority.open(ca)).server(['127.0.0.1'], NOW);
  const options = { cert, key, ca: ca.certificate, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (_, response) => response.end(answer));
  server.on('secureConnection', (socket) => {
    seen.push(`${name}: ${socket.getPeerCertificate().subject?.CN}`);
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('[CRA-II-7.e] the certificate of a vehicle is shown to its Director, and to no other server', async () => {
  const [director, images] = [await serve('director'), await serve('images')];
  const { csr, key } = await certificateRequest('car-1');
  const cert = await (await Authority.open(ca)).vehicle(csr, 'car-1', NOW);
  const line = new DirectorLine(director, { cert, key, ca: ca.certificate });
  const get = (url: string) =>
    line.fetch(url, { headers: {}, signal: new AbortController().signal, redirect: 'manual' });
  expect((await get(`${line.metadataUrl}timestamp.json`)).status).toBe(200);
  await line.send(Buffer.from('{}'));
  // The authority of the Director vouches for that one alone.
  await expect(get(`${images}/timestamp.json`)).rejects.toThrow();
  expect(new Set(seen)).toEqual(new Set(['director: car-1']));
});

test('[CERT-T-1] nobody but the authority that was given vouches for a Director', async () => {
  const director = await serve('director', '{"certificate":"any"}');
  const stranger = await createAuthority('stranger', NOW);
  const ask = (trusted: string) => enrol(director, { vehicle: 'car-1', token: 'secret', ca: trusted });
  await expect(ask(stranger.certificate)).rejects.toMatchObject({ fault: 'unreachable' });
  expect(await ask(ca.certificate)).toMatchObject({ cert: 'any', ca: ca.certificate });
  expect(() => new DirectorLine('http://127.0.0.1', { cert: '', key: '', ca: '' })).toThrow(/TLS/);
});

test('an answer that is no certificate, or has no end, is no enrolment', async () => {
  const ask = async (answer: string) =>
    enrol(await serve('director', answer), { vehicle: 'car-1', token: 'secret', ca: ca.certificate });
  for (const answer of ['', '{}', '{"certificate":1}'])
    await expect(ask(answer)).rejects.toMatchObject({ fault: 'refused' });
  await expect(ask(' '.repeat(100_000))).rejects.toMatchObject({ fault: 'unreachable' });
});
