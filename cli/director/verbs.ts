// What `moult director` does, one function a verb.
import { join } from 'node:path';
import type { VehicleRole } from '../../repo/director/metadata.ts';
import { formatTime, RepositoryError } from '../../repo/index.ts';
import { Director, OnlineDirector } from '../../server/director/director.ts';
import { initDirector } from '../../server/director/folder.ts';
import { serveDirector } from '../../server/director/http.ts';
import { nameOfflineKeys, nameTimeKeys, rotateDirectorKeys } from '../../server/director/rotation.ts';
import type { EcuStatus } from '../../server/director/status.ts';
import { EXIT } from '../exit.ts';
import { readInput, type Session } from '../session.ts';
import { attacksText, findingOf } from './findings.ts';

interface InitOptions {
  readonly image: string;
  readonly imageRoot?: string;
  readonly database: string;
  readonly host: string[];
  readonly encrypt: boolean;
}

export async function init(session: Session, folder: string, options: InitOptions): Promise<void> {
  const { output } = session;
  const directory = session.path(folder);
  const isUrl = /^https?:\/\//.test(options.image);
  if (isUrl && options.imageRoot === undefined)
    throw new RepositoryError('bad-argument', 'an Image repository on the web needs --image-root');
  const image = isUrl ? options.image : session.path(options.image);
  const imageRoot =
    options.imageRoot === undefined
      ? await readInput('the root', join(image, 'public', 'metadata', '1.root.json'))
      : await readInput('the root', session.path(options.imageRoot));
  await initDirector(directory, {
    name: folder.split(/[\\/]/).at(-1) || 'director',
    database: options.database,
    image,
    imageRoot,
    hosts: options.host.length > 0 ? options.host : ['localhost', '127.0.0.1'],
    encrypt: options.encrypt,
    passphrase: () => session.passphrase(true),
    clock: session.io.clock,
  });
  if (!options.encrypt) output.warn('the private keys are not encrypted: whoever reads keys/ can sign');
  output.event(`a Director is in ${directory}`);
  output.line(
    `  Vehicles trust ${join(directory, 'metadata', '1.root.json')} and ${join(directory, 'tls', 'ca.crt')}`,
  );
  output.line('  Keep keys/root-*.pem elsewhere: the server does not need them');
  output.line(`  Next: moult -C ${folder} director import VEHICLES.csv`);
  output.result({ directory });
}

export function importFile(session: Session, file: string): Promise<void> {
  return withDirector(session, async (director) => {
    const count = await director.import(await readInput('the inventory', session.path(file)), file);
    session.output.event(`${count} ${count === 1 ? 'vehicle is' : 'vehicles are'} in the inventory`);
    session.output.result({ vehicles: count });
  });
}

export function sync(session: Session): Promise<void> {
  return withDirector(session, async (director) => {
    const count = await director.sync();
    session.output.event(`the Image repository at ${director.folder.image} verifies: ${count} releases`);
    session.output.result({ releases: count });
  });
}

export function assign(
  session: Session,
  verb: 'assign' | 'unassign',
  path: string,
  { vehicle, group }: { readonly vehicle?: string; readonly group?: string },
): Promise<void> {
  const name = vehicle ?? group;
  if (name === undefined || (vehicle !== undefined && group !== undefined))
    throw new RepositoryError('bad-argument', 'give --vehicle or --group, and one of them');
  const scope = vehicle === undefined ? 'group' : 'vehicle';
  return withDirector(session, async (director) => {
    await director.assign({ scope, name, path }, verb === 'assign');
    session.output.event(
      `${scope} ${name} is ${verb === 'assign' ? 'directed' : 'not directed any more'} to ${path}`,
    );
    session.output.result({ scope, name, path, assigned: verb === 'assign' });
  });
}

export function status(session: Session): Promise<void> {
  const { output } = session;
  return withDirector(session, async (director) => {
    const vehicles = await director.vehicles();
    const rows = vehicles.flatMap(({ id, group, lastSeen, ecus }) =>
      ecus.map((ecu) => [
        id,
        group || '-',
        lastSeen === 0 ? 'never' : formatTime(lastSeen),
        ecu.serial,
        installedText(ecu),
        ecu.directed ?? '-',
      ]),
    );
    output.table(['vehicle', 'group', 'last seen', 'ECU', 'has', 'is to have'], rows);
    for (const { id, heldBack, ecus } of vehicles) {
      for (const reason of heldBack) output.event(`${id}: held back, ${reason}`, 'warn');
      for (const { serial, attacks } of ecus)
        if (attacks !== '') output.event(`${id} ${serial} has refused: ${attacksText(attacks)}`, 'bad');
    }
    output.result(vehicles.map((vehicle) => ({ ...vehicle, ecus: vehicle.ecus.map(withFinding) })));
  });
}

/** What an ECU has refused, by name. */
function withFinding(ecu: EcuStatus): object {
  const finding = findingOf(ecu.attacks);
  return { ...ecu, ...(finding && { finding }) };
}

function installedText({ installed, sha256 }: EcuStatus): string {
  return installed ?? (sha256 === '' ? '-' : `unknown ${sha256.slice(0, 12)}`);
}

export function alerts(session: Session): Promise<void> {
  const { output } = session;
  return withDirector(session, async (director) => {
    const open = await director.alerts();
    const shown = open.map((alert) => {
      const finding = alert.kind === 'attack-reported' ? findingOf(alert.detail) : undefined;
      return { ...alert, ...(finding && { detail: attacksText(alert.detail), finding }) };
    });
    for (const alert of shown) {
      const who = alert.serial === '' ? alert.vehicle : `${alert.vehicle} ${alert.serial}`;
      const times = alert.count === 1 ? '' : `, ${alert.count} times since ${formatTime(alert.firstAt)}`;
      output.event(`${formatTime(alert.lastAt)} ${who}: ${alert.kind}: ${alert.detail}${times}`, 'bad');
    }
    if (open.length === 0) output.event('no alerts');
    else session.exit = EXIT.refused;
    output.result(shown);
  });
}

export function close(session: Session, vehicle: string, ecu: string, kind: string): Promise<void> {
  return withDirector(session, async (director) => {
    if (!(await director.closeAlert(vehicle, ecu === '-' ? '' : ecu, kind)))
      throw new RepositoryError('bad-argument', `there is no open alert ${kind} of ${vehicle} ${ecu}`);
    session.output.event(`closed: ${vehicle} ${ecu}: ${kind}`);
    session.output.result({ closed: true });
  });
}

export function token(session: Session, vehicle: string, lifetime: number): Promise<void> {
  return withDirector(session, async (director) => {
    const made = await (await director.enrolment()).token(vehicle, lifetime);
    const until = session.io.clock() + lifetime;
    session.output.event(`a token for one certificate of ${vehicle}, until ${formatTime(until)}:`);
    session.output.line(`  ${made}`);
    session.output.result({ vehicle, token: made, expires: until });
  });
}

export function revoke(session: Session, vehicle: string): Promise<void> {
  return withDirector(session, async (director) => {
    const count = await (await director.enrolment()).revoke(vehicle);
    session.output.event(`${count} certificates of ${vehicle} are revoked`, count > 0 ? 'good' : 'warn');
    session.output.result({ vehicle, revoked: count });
  });
}

export async function rotate(session: Session, role: VehicleRole): Promise<void> {
  const { clock } = session.io;
  const version = await rotateDirectorKeys(session.directory, role, {
    clock,
    passphrase: () => session.passphrase(false),
  });
  session.output.event(`${role} has a new key, in root ${version}; servers take it when they start again`);
  session.output.result({ role, root: version });
}

export async function timeKeys(session: Session, files: readonly string[]): Promise<void> {
  const paths = files.map((file) => session.path(file));
  const version = await nameTimeKeys(session.directory, paths, {
    clock: session.io.clock,
    passphrase: () => session.passphrase(false),
  });
  session.output.event(
    `root ${version} names ${files.length} time keys; servers take it when they start again`,
  );
  session.output.result({ timeKeys: files.length, root: version });
}

export async function offlineKeys(session: Session, [snapshot, targets]: readonly string[]): Promise<void> {
  if (snapshot !== undefined && targets === undefined)
    throw new RepositoryError(
      'bad-argument',
      'name two keys, for offline-snapshot and offline-targets; or none',
    );
  const files =
    snapshot === undefined || targets === undefined
      ? undefined
      : { snapshot: session.path(snapshot), targets: session.path(targets) };
  const version = await nameOfflineKeys(session.directory, files, {
    clock: session.io.clock,
    passphrase: () => session.passphrase(false),
  });
  const what = files ? 'names the keys of offline updates' : 'allows no offline updates any more';
  session.output.event(`root ${version} ${what}; servers take it when they start again`);
  session.output.result({ offline: files !== undefined, root: version });
}

export function bump(session: Session): Promise<void> {
  return withDirector(session, async (director) => {
    const missing = await director.bump();
    if (missing === 0)
      session.output.event('the database is not behind what was served: nothing to do', 'plain');
    else session.output.event(`every vehicle goes on ${missing} versions higher; start the servers again`);
    session.output.result({ raised: missing });
  });
}

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly enrolPort: number;
}

export async function serve(session: Session, options: ServeOptions): Promise<void> {
  const { output, io } = session;
  const director = await OnlineDirector.open(session.directory, {
    clock: io.clock,
    passphrase: () => session.passphrase(false),
  });
  try {
    const server = await serveDirector(director, {
      ...options,
      onRequest: ({ method, path, status: code }) =>
        output.event(`${code} ${method} ${path}`, code < 400 ? 'plain' : 'warn'),
      onFault: (error) => output.warn(error instanceof Error ? error.message : String(error)),
    });
    output.event(
      `vehicles at https://${options.host}:${server.port} (mutual TLS), enrolment at ${server.enrolPort}`,
    );
    output.result({ port: server.port, enrolPort: server.enrolPort });
    await new Promise<void>((done) => io.onStop(done));
    await server.close();
    output.event('stopped', 'plain');
  } finally {
    await director.close();
  }
}

async function withDirector(session: Session, act: (director: Director) => Promise<void>): Promise<void> {
  const director = await Director.open(session.directory, { clock: session.io.clock });
  try {
    await act(director);
  } finally {
    await director.close();
  }
}
