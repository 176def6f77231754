// moult device status: what a device has, and who it is.
import { existsSync, readFileSync } from 'node:fs';
import type { Core } from '../../host/node/core.ts';
import { describeIdentity, findIdentity, tlsPaths, untilOf } from '../ecu/identity.ts';
import type { Output } from '../output.ts';
import { showComponents } from './components.ts';
import { publicKeys } from './folder.ts';

export function showStatus(core: Core, folder: string, output: Output): void {
  const components = core.components();
  const { payloads: encryptionKey, reports: reportKey } = publicKeys(core);
  const ecu = findIdentity(folder);
  const { cert } = tlsPaths(folder);
  const certificateUntil = existsSync(cert) ? untilOf(readFileSync(cert, 'utf8')) : undefined;
  showComponents(components, output);
  if (ecu) output.line(`  ${describeIdentity(ecu)}`);
  if (encryptionKey) output.line(`  encryption key ${encryptionKey}`);
  if (reportKey) output.line(`  report key ${reportKey}`);
  if (certificateUntil) output.line(`  certificate for the Director until ${certificateUntil}`);
  output.result({
    components,
    ...(ecu && { ecu }),
    ...(encryptionKey && { encryptionKey }),
    ...(reportKey && { reportKey }),
    ...(certificateUntil && { certificateUntil }),
  });
}
