// moult device status: what a device has, and who it is.
import { existsSync, readFileSync } from 'node:fs';
import { LogEvent, STATUS_TEXTS } from '../../host/node/abi.ts';
import type { Core } from '../../host/node/core.ts';
import { readLog } from '../../host/node/log.ts';
import { describeIdentity, findIdentity, tlsPaths, untilOf } from '../ecu/identity.ts';
import type { Output } from '../output.ts';
import { showComponents } from './components.ts';
import { publicKeys } from './folder.ts';
import { findingLine } from './show.ts';

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
  const outcome = readLog(core.logArea()).entries.findLast(({ event }) => event === LogEvent.OUTCOME);
  const finding = outcome && outcome.status < 0 ? STATUS_TEXTS.get(outcome.status) : undefined;
  if (outcome && finding)
    output.event(`the last check: ${finding.name}: ${findingLine(outcome.status, outcome.role)}`, 'bad');
  output.result({
    components,
    ...(ecu && { ecu }),
    ...(encryptionKey && { encryptionKey }),
    ...(reportKey && { reportKey }),
    ...(certificateUntil && { certificateUntil }),
    ...(finding && { finding }),
  });
}
