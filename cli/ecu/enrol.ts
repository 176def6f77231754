// moult ecu enrol: the certificate by which a Director knows a vehicle. The Primary has it.
import { enrol } from '../../host/node/director.ts';
import { TransferError } from '../../host/node/transfer.ts';
import { RepositoryError, writeWhole } from '../../repo/index.ts';
import { askToken } from '../passphrase.ts';
import { readInput, type Session } from '../session.ts';
import { readIdentity, tlsPaths, untilOf } from './identity.ts';

export interface Enrolment {
  readonly enrolUrl: string;
  readonly ca: string;
  readonly tokenFile?: string;
}

export async function enrolVehicle(session: Session, folder: string, given: Enrolment): Promise<void> {
  const { vehicle, secondaries } = readIdentity(session.path(folder));
  if (!secondaries)
    throw new RepositoryError('bad-argument', `${folder} is a Secondary: the Primary speaks to the Director`);
  const ca = (await readInput("the Director's authority", session.path(given.ca))).toString();
  const file = given.tokenFile === undefined ? undefined : session.path(given.tokenFile);
  const token = await askToken(session.io, file);
  const made = await enrol(given.enrolUrl, { vehicle, token, ca }).catch(explain);
  const paths = tlsPaths(session.path(folder));
  const write = (name: keyof typeof paths, mode: number) =>
    writeWhole(session.path(folder), {
      path: paths[name],
      bytes: Buffer.from(made[name]),
      replace: true,
      mode,
    });
  await write('key', 0o600);
  await write('cert', 0o644);
  await write('ca', 0o644);
  const until = untilOf(made.cert);
  session.output.event(`${vehicle} has a certificate, until ${until}`);
  session.output.result({ vehicle, until });
}

function explain(error: unknown): never {
  if (!(error instanceof TransferError)) throw error;
  if (error.fault === 'refused')
    throw new RepositoryError(
      'enrolment-refused',
      `${error.message}: the token is unknown, used or expired`,
      error,
    );
  throw new RepositoryError('network', error.message, error);
}
