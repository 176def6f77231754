// What a device downloads besides the image, by who signs: bodies, without HTTP's own headers.
import { generateKeyPairSync, sign } from 'node:crypto';
import { keyId, type SigningKey } from '../repo/index.ts';
import type { Signers } from '../sim/repository.ts';
import { IMAGE, image, laboratory } from './laboratory.ts';
import type { Row } from './row.ts';

const KINDS: Readonly<Record<string, Pick<Signers, 'newKey'>>> = {
  ed25519: {},
  p256: { newKey: p256Key },
};
const COUNTS = [
  { keys: 1, threshold: 1 },
  { keys: 5, threshold: 3 },
];

/** As tuf-on-ci writes it; its signatures are of 70 to 72 bytes, so two runs differ by some bytes. */
function p256Key(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: spki } };
  return {
    id: keyId(key),
    public: key,
    secret: privateKey,
    sign: (message) => sign('sha256', message, privateKey),
  };
}

export async function wireRows(): Promise<Row[]> {
  const rows: Row[] = [{ id: 'wire-image', value: IMAGE, unit: 'B' }];
  for (const [kind, makes] of Object.entries(KINDS))
    for (const count of COUNTS) rows.push(...(await rowsOf(kind, { ...count, ...makes })));
  return rows;
}

async function rowsOf(kind: string, signers: Signers): Promise<Row[]> {
  const { repository, update } = laboratory({ signers });
  await update();
  const idle = await update();
  repository.publish({ image: image(2), version: '1.0.0', releaseCounter: 1 });
  const full = await update();
  repository.rotate('root');
  const rotation = await update();
  const row = (what: string, value: number) => ({
    id: `wire-${what}-${kind}-${signers.threshold}of${signers.keys}`,
    value,
    unit: 'B',
  });
  return [row('idle', idle.wire), row('update', full.wire - IMAGE), row('rotation', rotation.wire)];
}
