// moult ecu: the ECUs of a vehicle, which take their orders from a Director (Uptane). What they do is loaded when it is asked
// for: certificates take longer to load than any other command to run.
import { RepositoryError } from '../../repo/index.ts';
import { reportDeviceError } from '../device/failure.ts';
import { parseInterval } from '../device/interval.ts';
import type { NewEcu } from '../ecu/create.ts';
import type { Enrolment } from '../ecu/enrol.ts';
import type { EcuRun } from '../ecu/run.ts';
import type { AddCommand } from '../main.ts';
import { collect, type Session } from '../session.ts';

const EXAMPLES = `
The Primary of a vehicle speaks to the Director and verifies for all; its Secondaries have a line to it. Each of them is a
device in a folder of its own, with a key of its own: moult device status and log show what became of it.

Examples:
  moult ecu new car-1/gw --vehicle car-1 --ecu-id gw-0001 --hw gw-1 --primary --secondary radio-0001=rf-2 \\
    --root images/public/metadata/1.root.json --director-root fleet/metadata/1.root.json \\
    --image gw.bin --version 1.0.0 --counter 1
  moult ecu new car-1/radio --vehicle car-1 --ecu-id radio-0001 --hw rf-2 \\
    --root images/public/metadata/1.root.json --director-root fleet/metadata/1.root.json \\
    --image radio.bin --version 1.0.0 --counter 1
  moult ecu key car-1/gw car-1/radio --group pilots > car-1.csv
  moult -C fleet director import car-1.csv
  moult -C fleet director token car-1
  moult ecu enrol car-1/gw --enrol-url https://director.example.com:8444 --ca fleet/tls/ca.crt
  moult ecu run car-1/gw --director-url https://director.example.com:8443 --image-url https://images.example.com \\
    --line radio-0001=/tmp/radio
  moult ecu run car-1/radio --line /tmp/radio`;

export const addEcu: AddCommand = (program, run) => {
  const ecu = program
    .command('ecu')
    .description('the ECUs of a vehicle, which a Director orders to install what (Uptane)')
    .addHelpText('after', EXAMPLES);
  const act = <A extends unknown[]>(use: (session: Session, ...args: A) => void | Promise<void>) =>
    run(async (session, ...args: A) => {
      try {
        await use(session, ...args);
      } catch (error) {
        session.exit = reportDeviceError(error, session.output);
      }
    });
  addNew(ecu, act);
  addKey(ecu, act);
  addEnrol(ecu, act);
  addRun(ecu, act);
};

const NEW_EXAMPLES = `
The core makes the key of the ECU; its public half is printed, and again by moult ecu key. Without --root it is a
Secondary that verifies in part: what the Director has signed, and that alone. moult-device runs such a folder too.

Examples:
  moult ecu new gw --vehicle car-1 --ecu-id gw-0001 --hw gw-1 --primary --secondary radio-0001=rf-2 \\
    --secondary lamp-0001=lp-1 --root image.root.json --director-root director.root.json \\
    --image gw.bin --version 1.0.0 --counter 1
  moult ecu new lamp --vehicle car-1 --ecu-id lamp-0001 --hw lp-1 --director-root director.root.json \\
    --image lamp.bin --version 1.0.0 --counter 1 --time-key time/time-1.pub`;

const addNew: AddCommand = (ecu, act) => {
  ecu
    .command('new <folder>')
    .description('make an ECU: its identity, its roots of trust, the image that it runs, a key of its own')
    .requiredOption('--vehicle <id>', 'the vehicle that it is in')
    .requiredOption('--ecu-id <id>', 'its serial')
    .requiredOption('--hw <id>', 'its hardware id')
    .requiredOption('--director-root <file>', 'root of trust of the Director')
    .option('--root <file>', 'root of trust of the Image repository')
    .requiredOption('--image <file>', 'the image that the factory has installed')
    .requiredOption('--version <text>', 'of that image')
    .option('--counter <n>', 'release counter of that image', parseCounter, 0)
    .option('--component <name>', 'what its releases are of', 'app')
    .option('--primary', 'it is the Primary of the vehicle')
    .option('--secondary <serial=hw>', 'of a Primary: another ECU; may be repeated', collect, [])
    .option('--time-key <file>', 'key of a time server, NAME.pub; may be repeated', collect, [])
    .option('--interval <seconds>', 'from one check to the next', parseInterval, 3600)
    .addHelpText('after', NEW_EXAMPLES)
    .action(
      act(async (session, folder: string, given: NewEcu) => {
        const { create } = await import('../ecu/create.ts');
        await create(session, folder, given);
      }),
    );
};

const KEY_EXAMPLES = `
What it prints is an inventory, for moult director import: name all ECUs of a vehicle. With --json it is JSON.

Examples:
  moult ecu key car-1/gw car-1/radio > car-1.csv
  moult ecu key car-1/gw car-1/radio --group pilots --json > car-1.json`;

const addKey: AddCommand = (ecu, act) => {
  ecu
    .command('key <folders...>')
    .description('print who ECUs are and the keys of their reports, as a Director takes them')
    .option('--group <name>', 'the group of the vehicle', '')
    .addHelpText('after', KEY_EXAMPLES)
    .action(
      act(async (session, folders: string[], { group }: { group: string }) => {
        const { showKeys } = await import('../ecu/key.ts');
        showKeys(session, folders, group);
      }),
    );
};

const ENROL_EXAMPLES = `
The token (moult director token) is read from --token-file, from MOULT_TOKEN or from the terminal. The key of the
certificate is made here. A certificate that ends is renewed in the same way, with another token.

Examples:
  moult ecu enrol car-1/gw --enrol-url https://director.example.com:8444 --ca fleet/tls/ca.crt
  moult ecu enrol car-1/gw --enrol-url https://127.0.0.1:8444 --ca fleet/tls/ca.crt --token-file token`;

const addEnrol: AddCommand = (ecu, act) => {
  ecu
    .command('enrol <folder>')
    .description('get the certificate by which the Director knows the vehicle; of a Primary')
    .requiredOption('--enrol-url <address>', 'where the Director enrols vehicles')
    .requiredOption('--ca <file>', "the Director's certificate authority, tls/ca.crt in its folder")
    .option('--token-file <file>', 'read the token from the first line of a file')
    .addHelpText('after', ENROL_EXAMPLES)
    .action(
      act(async (session, folder: string, given: Enrolment) => {
        const { enrolVehicle } = await import('../ecu/enrol.ts');
        await enrolVehicle(session, folder, given);
      }),
    );
};

const RUN_EXAMPLES = `
A Primary sends the manifest of the vehicle at each check, verifies what the Director orders for all ECUs, and answers them
on their lines; all hold their images before one boots. Start it first: Secondaries ask it, and nobody else. Ctrl-C
switches an ECU off; it goes on where it was. A Secondary on moult-device: moult-device … --primary --link SOCKET FOLDER.

Examples:
  moult ecu run car-1/gw --director-url https://director.example.com:8443 --image-url https://images.example.com \\
    --line radio-0001=/tmp/radio --time-server time.example.com:2002
  moult ecu run car-1/gw --bundle cars.bundle --line radio-0001=/tmp/radio
  moult ecu run car-1/radio --line /tmp/radio`;

const addRun: AddCommand = (ecu, act) => {
  ecu
    .command('run <folder>')
    .description('run an ECU: a Primary with the lines of its Secondaries, or a Secondary with its own')
    .option(
      '--line <socket>',
      'of a Secondary: a Unix socket; of a Primary: SERIAL=SOCKET for each',
      collect,
      [],
    )
    .option('--director-url <address>', 'of a Primary: the Director, as moult director serve says')
    .option('--image-url <address>', 'of a Primary: the Image repository; metadata/ and targets/ lie below')
    .option(
      '--bundle <file>',
      'of a Primary, in place of both: an offline update, made by moult bundle create',
    )
    .option(
      '--time-server <host:port>',
      'of a Primary: a time server (Roughtime); may be repeated',
      collect,
      [],
    )
    .option('--insecure-http', 'allow plain HTTP beyond this machine, for images')
    .addHelpText('after', RUN_EXAMPLES)
    .action(
      act(async (session, folder: string, given: EcuRun) => {
        const ecus = await import('../ecu/run.ts');
        await ecus.run(session, folder, given);
      }),
    );
};

function parseCounter(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new RepositoryError('bad-argument', `--counter takes a number, not "${text}"`);
  return Number(text);
}
