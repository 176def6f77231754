// A server that asks for a client's certificate as the Director does, reads what comes and answers with two bytes: run by
// directortls.ts with the folder of the Director's certificates. Prints its port.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const [folder = ''] = process.argv.slice(2);
const read = (name: string) => readFileSync(join(folder, name));

const server = createServer(
  { cert: read('server.crt'), key: read('server.key'), ca: read('ca.crt'), requestCert: true },
  (request, response) => {
    request.resume().once('end', () => response.end('{}'));
  },
);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
