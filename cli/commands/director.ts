// moult director: an Uptane Director, on the command line. What it does is loaded when it is asked for: its database
// and certificates take longer to load than any other command to run.

import { parseDuration, RepositoryError } from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { collect, oneOf, type Session } from '../session.ts';

type Verbs = typeof import('../director/verbs.ts');

const EXAMPLES = `
A Director says which vehicle installs what. It verifies signed manifests, and signs metadata for each vehicle with
online keys; the keys of the Image repository stay elsewhere. -C names its folder.

Examples:
  moult director init fleet --image ../acme-lock --host director.example.com
  moult -C fleet director import vehicles.csv
  moult -C fleet director sync
  moult -C fleet director assign app/gw-1/1.4.0/app.bin --group pilots
  moult -C fleet director token car-1
  moult -C fleet director serve --host 0.0.0.0 --port 8443
  moult -C fleet director offline-keys ../safe/offline-snapshot.pub ../safe/offline-targets.pub
  moult -C fleet director status
  moult -C fleet director alerts
  moult -C fleet director close car-1 car-1-gw unknown-image`;

export const addDirector: AddCommand = (program, run) => {
  const director = program
    .command('director')
    .description('say which vehicle installs what (Uptane)')
    .addHelpText('after', EXAMPLES);
  const act = <A extends unknown[]>(use: (verbs: Verbs, session: Session, ...args: A) => Promise<void>) =>
    run(async (session, ...args: A) => use(await import('../director/verbs.ts'), session, ...args));

  director
    .command('init <folder>')
    .description('make a Director: its folder, keys, certificates and settings')
    .requiredOption('--image <place>', 'the folder or URL of the Image repository')
    .option(
      '--image-root <file>',
      'the root to verify it from (default: metadata/1.root.json of that folder)',
    )
    .option('--database <place>', 'a file in the folder, or postgres://USER@HOST/NAME', 'director.db')
    .option('--host <name>', 'a name or address that vehicles reach it under; may be repeated', collect, [])
    .option('--no-encrypt', 'leave the private keys open')
    .action(act((verbs, session, folder: string, options) => verbs.init(session, folder, options)));
  director
    .command('import <file>')
    .description(
      "add a manufacturer's vehicles, in CSV or JSON (docs/formats.md), or give known ones other ECUs",
    )
    .action(act((verbs, session, file: string) => verbs.importFile(session, file)));
  director
    .command('sync')
    .description('read the releases of the Image repository, verified from its root')
    .action(act((verbs, session) => verbs.sync(session)));
  for (const verb of ['assign', 'unassign'] as const)
    director
      .command(`${verb} <path>`)
      .description(
        verb === 'assign' ? 'direct vehicles to a release, by its path' : 'take an assignment away',
      )
      .option('--vehicle <id>', 'one vehicle')
      .option('--group <name>', 'all vehicles of a group')
      .action(act((verbs, session, path: string, options) => verbs.assign(session, verb, path, options)));
  director
    .command('status')
    .description('what each vehicle has, by its signed manifests, and what it is directed to')
    .action(act((verbs, session) => verbs.status(session)));
  director
    .command('alerts')
    .description('what is wrong; ends with 1 when there is something')
    .action(act((verbs, session) => verbs.alerts(session)));
  director
    .command('close <vehicle> <ecu> <kind>')
    .description('close an alert; it opens again when it is seen again. - for no ECU')
    .action(
      act((verbs, session, vehicle: string, ecu: string, kind: string) =>
        verbs.close(session, vehicle, ecu, kind),
      ),
    );
  director
    .command('token <vehicle>')
    .description('a token with which the vehicle gets a certificate, once')
    .option('--valid <duration>', 'how long it is good', parseDuration, parseDuration('7d'))
    .action(act((verbs, session, vehicle: string, { valid }) => verbs.token(session, vehicle, valid)));
  director
    .command('revoke <vehicle>')
    .description('revoke all certificates of a vehicle')
    .action(act((verbs, session, vehicle: string) => verbs.revoke(session, vehicle)));
  director
    .command('rotate <role>')
    .description('give targets, snapshot or timestamp a new key; needs the root keys in keys/')
    .action(
      act((verbs, session, role: string) =>
        verbs.rotate(session, oneOf('the role', ['targets', 'snapshot', 'timestamp'], role)),
      ),
    );
  director
    .command('time-keys [keys...]')
    .description(
      'name the keys of time servers, NAME.pub, in a new root; none: those that vehicles were given. Needs the root keys',
    )
    .action(act((verbs, session, keys: string[]) => verbs.timeKeys(session, keys)));
  director
    .command('offline-keys [keys...]')
    .description(
      'name the keys of offline-snapshot and offline-targets, NAME.pub each, in a new root; none: take them away. Needs the root keys',
    )
    .action(act((verbs, session, keys: string[]) => verbs.offlineKeys(session, keys)));
  director
    .command('bump')
    .description('after an old backup was restored: go on above all versions that were served')
    .action(act((verbs, session) => verbs.bump(session)));
  director
    .command('serve')
    .description('serve vehicles over mutual TLS, and enrolment on a port of its own')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <n>', 'the port for vehicles; 0 for a free one', parsePort('--port'), 8443)
    .option('--enrol-port <n>', 'the port for enrolment', parsePort('--enrol-port'), 8444)
    .action(act((verbs, session, options) => verbs.serve(session, options)));
};

function parsePort(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
    throw new RepositoryError('bad-argument', `${option} takes a number from 0 to 65535, not "${text}"`);
  };
}
