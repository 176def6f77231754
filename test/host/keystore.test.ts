// A board in C with a key store: it signs the version report that the core makes, and no key is in the core. The client is
// the real one (host/device/client.c), with the core under wasm3.
import { afterAll, describe, expect } from 'vitest';
import { Action, Status } from '../../host/node/abi.ts';
import { Gateway } from '../../host/node/gateway.ts';
import { canonicalize, verifySignature } from '../../repo/index.ts';
import { type StaticServer, serveStatic } from '../../server/static.ts';
import { imageFor } from '../../sim/car.ts';
import { generateP256 } from '../../sim/vehicle.ts';
import {
  ecuLinkWorld,
  LINK_TEST,
  LINK_TEST_SANITIZED,
  type LineOptions,
  runDevice,
  withLinkTest,
  withSanitizers,
} from '../fixtures/link.ts';
import type { SignedReport } from '../uptane/reporting.ts';

const servers: StaticServer[] = [];
const KEY = generateP256();

afterAll(() => Promise.all(servers.map((server) => server.close())));

/** An update; the reports that came of it, and whether the release that is ordered runs then. */
async function update(options: LineOptions): Promise<{ reports: SignedReport[]; updated: boolean }> {
  const world = ecuLinkWorld();
  const server = await serveStatic({ directory: world.folder });
  servers.push(server);
  const reports: SignedReport[] = [];
  const addresses = {
    metadataUrl: `${server.url}/metadata/`,
    targetsUrl: `${server.url}/targets/`,
    directorUrl: `${server.url}/director/`,
  };
  const onVersionReport = (report: Uint8Array) =>
    void reports.push(JSON.parse(Buffer.from(report).toString()));
  const gateway = (send: (bytes: Uint8Array) => void) => new Gateway({ ...addresses, onVersionReport }, send);
  const { status, said, steps, image } = await runDevice(world, gateway, options);
  expect({ status, said }).toEqual({ status: 0, said: '' });
  expect(steps.at(-1)).toEqual({ action: Action.WAIT, status: Status.UP_TO_DATE });
  const expected = imageFor(world.ecu.hardwareId, 2);
  return { reports, updated: Buffer.compare(image.subarray(0, expected.length), expected) === 0 };
}

const sign: NonNullable<LineOptions['sign']> = (text) => ({ keyId: KEY.id, signature: KEY.sign(text) });

/** Before the update and after it, by the key of the store. */
async function signs(program: string): Promise<void> {
  const { reports, updated } = await update({ program, sign });
  expect(updated).toBe(true);
  for (const { signed, signatures } of reports) {
    expect(signatures).toMatchObject([{ keyid: KEY.id }]);
    expect(verifySignature(KEY.public, canonicalize(signed), signatures[0]?.sig ?? '')).toBe(true);
    expect(signed.ecu_serial).toBe('brakes');
  }
  expect(reports.map(({ signed }) => signed.installed_image.filepath)).toEqual([
    'app/br-2/1.0.0/firmware.bin',
    'app/br-2/2.0.0/firmware.bin',
  ]);
  const counters = reports.map(({ signed }) => signed.report_counter);
  expect(counters[1]).toBeGreaterThan(counters[0] ?? 0);
}

describe('[UPT-2] the key store of a board in C', () => {
  withLinkTest('signs what the core says is installed', () => signs(LINK_TEST));
  withSanitizers('does so under ASan and UBSan', () => signs(LINK_TEST_SANITIZED));

  withLinkTest(
    'is the only one that can: without it there is no report, and the update comes all the same',
    async () => {
      expect(await update({})).toEqual({ reports: [], updated: true });
    },
  );

  withLinkTest('that does not sign, or gives what is no signature, stops no update', async () => {
    expect(await update({ sign: () => undefined })).toEqual({ reports: [], updated: true });
    const overlong = () => ({ keyId: KEY.id, signature: new Uint8Array(73) });
    expect(await update({ sign: overlong })).toEqual({ reports: [], updated: true });
  });
});
