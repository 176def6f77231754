// `npm run bench`: what depends on the machine, always beside a peer measured in the same run.
import { budgets } from './budgets.ts';
import { clientRows } from './client.ts';
import { cryptoRows } from './crypto.ts';
import { deltaInstallRows, deltaRows } from './delta.ts';
import { directorRows } from './director.ts';
import { encryptionRows } from './encryption.ts';
import { p256Rows } from './p256.ts';
import type { Row } from './row.ts';
import { signRows } from './sign.ts';
import { startupRows } from './startup.ts';
import { printTable } from './table.ts';
import { wireRows } from './wire.ts';

/** The rows of the budgets belong to the picture, though they need no peer. */
async function sizeRows(): Promise<Row[]> {
  return (await budgets()).map(({ id, value, unit }) => ({ id, value, unit }));
}

function line({ id, value, unit, peer, peerVersion, ratio }: Row): string {
  const figure = value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(3);
  const beside = peer === undefined ? '' : `${ratio?.toFixed(2)}x ${peer} ${peerVersion ?? ''}`;
  return `${id.padEnd(38)}${figure.padStart(10)} ${unit.padEnd(28)}${beside}`;
}

async function printRows(): Promise<void> {
  const rows = [
    ...(await sizeRows()),
    ...(await wireRows()),
    ...startupRows(),
    ...(await clientRows()),
    ...(await cryptoRows()),
    ...signRows(),
    ...p256Rows(),
    ...deltaRows(),
    ...(await deltaInstallRows()),
    ...(await encryptionRows()),
    ...(await directorRows()),
  ];
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else for (const row of rows) process.stdout.write(`${line(row)}\n`);
}

if (process.argv.includes('--table')) await printTable();
else await printRows();
