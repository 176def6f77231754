// Three vehicles of a Primary and two Secondaries each: an update across all ECUs, one that refuses, somebody on the line of
// one of them, and a thief with the Director's keys. Their time is simulated, their cores are the real one.
import { type Role, Status } from '../../host/node/abi.ts';
import type { PrimaryEvent } from '../../host/node/primary.ts';
import { Car, ECUS } from '../../sim/car.ts';
import { changeAnswers, changeImages } from '../../sim/meddler.ts';
import type { Output } from '../output.ts';
import { findingName, Unexpected } from './finding.ts';

/** What became of one vehicle. */
export interface VehicleRow {
  readonly vehicle: string;
  readonly what: string;
  /** What the first ECU to refuse said; empty: none did. */
  readonly finding: string;
  /** The versions that run then, the Primary's first. */
  readonly runs: readonly string[];
}

const VEHICLES = 3;
const SERIALS = ECUS.map(({ serial }) => serial);
/** Seconds of simulated time in which a vehicle that must not be updated is given its chance. */
const CHANCE = 400;

const PICTURE = [
  '  Director ────────┐                 ┌── brakes   verifies both repositories',
  '                   ├── gateway ──────┤',
  '  Image repository ┘   the Primary   └── radio    verifies what the Director signs',
];

/** A vehicle that is watched. */
class Watched {
  readonly car: Car;
  /** "brakes: targets: EXPIRED" */
  findings: string[] = [];
  rounds: string[] = [];
  refusing: string[] = [];

  constructor(number: number, beside?: Car) {
    this.car = new Car({
      vehicle: `car-${number}`,
      seed: number,
      ...(beside && { beside }),
      onEvent: (event) => this.#hear(event),
      onSecondary: (serial, event) => event.type === 'finding' && this.#find(serial, event),
    });
  }

  get runs(): string[] {
    return this.car.versions.map((release) => `${release}.0.0`);
  }

  /** Forgets what was heard so far. */
  listen(): this {
    this.findings = [];
    this.rounds = [];
    this.refusing = [];
    return this;
  }

  /** "2.0.0 on all three", or what each of them runs. */
  get state(): string {
    const [version, ...others] = this.runs;
    const alike = others.every((other) => other === version);
    return alike ? `${version} on all three` : SERIALS.map((name, i) => `${name} ${this.runs[i]}`).join(', ');
  }

  row(what: string): VehicleRow {
    return { vehicle: this.car.vehicle, what, finding: this.findings[0] ?? '', runs: this.runs };
  }

  #hear(event: PrimaryEvent): void {
    if (event.type === 'finding') this.#find(SERIALS[0] ?? '', event);
    if (event.type === 'begun' || event.type === 'committed' || event.type === 'given-up')
      this.rounds.push(event.type);
    if (event.type === 'given-up') this.refusing.push(...event.ecus);
  }

  #find(serial: string, finding: { readonly status: number; readonly role: Role }): void {
    // Before its Primary has verified anything there is nothing for a Secondary.
    if (finding.status !== Status.NETWORK) this.findings.push(`${serial}: ${findingName(finding)}`);
  }
}

/** Plays it all; one row for each vehicle and what was done to it. Throws `Unexpected`. */
export async function showVehicles(output: Output): Promise<readonly VehicleRow[]> {
  const first = new Watched(1);
  const others = Array.from({ length: VEHICLES - 1 }, (_, index) => new Watched(index + 2, first.car));
  const fleet = [first, ...others];
  output.line();
  output.line(`Three vehicles: ${fleet.map(({ car }) => car.vehicle).join(', ')}`);
  for (const line of PICTURE) output.line(line);
  const rows: VehicleRow[] = [];
  for (const scene of [updateAll, oneRefuses, partialBundle, stolenDirector])
    rows.push(...(await scene(fleet, output)));
  return rows;
}

type Fleet = readonly Watched[];

async function updateAll(fleet: Fleet, output: Output): Promise<VehicleRow[]> {
  for (const vehicle of fleet) await expectRuns(vehicle, '1.0.0');
  order(fleet, 2);
  output.event('the Director orders 2.0.0 for every ECU', 'plain');
  for (const vehicle of fleet) {
    await expectRuns(vehicle, '2.0.0');
    expect(vehicle.rounds.join() === 'begun,committed', vehicle);
    output.event(`${vehicle.car.vehicle}: all hold it, then all boot it, then all keep it: ${vehicle.state}`);
  }
  return fleet.map((vehicle) => vehicle.row('2.0.0 for all ECUs'));
}

/** One image does not work on one ECU, and all of them go back. */
async function oneRefuses(fleet: Fleet, output: Output): Promise<VehicleRow[]> {
  const [vehicle, , third] = fleet;
  if (!vehicle || !third) return [];
  const { car } = vehicle;
  order(fleet, 3, ['brakes']);
  output.event('the Director orders 3.0.0, which does not work on brakes', 'plain');
  await expectNothing(vehicle, '2.0.0');
  expect(vehicle.rounds.join() === 'begun,given-up' && vehicle.refusing.join() === 'brakes', vehicle);
  output.event(`${car.vehicle}: brakes fails its self-test`, 'bad');
  output.event(`${car.vehicle}: gateway and radio, which work, go back with it: ${vehicle.state}`);
  const row = vehicle.row('3.0.0, which fails on brakes');
  order(fleet, 4);
  for (const each of [vehicle, third]) await expectRuns(each, '4.0.0');
  output.event(`4.0.0 repairs it: ${car.vehicle} and ${third.car.vehicle} run ${vehicle.state}`);
  return [row];
}

/** Of the three ECUs of one vehicle one gets another image than was signed. */
async function partialBundle([, vehicle]: Fleet, output: Output): Promise<VehicleRow[]> {
  if (!vehicle) return [];
  const { car } = vehicle;
  car.meddlers.set('radio', changeAnswers(changeImages()));
  await expectNothing(vehicle, '2.0.0');
  expect(vehicle.rounds.length === 0, vehicle);
  output.event(`${car.vehicle}: somebody on the line to radio changes its image [partial bundle]`, 'warn');
  output.event(`${car.vehicle}: ${vehicle.findings[0]}; so nobody boots 4.0.0: ${vehicle.state}`);
  const row = vehicle.row('partial bundle: the image of radio is changed');
  car.meddlers.clear();
  await expectRuns(vehicle, '4.0.0');
  output.event(`${car.vehicle}: the line is honest again: ${vehicle.state}`);
  return [row];
}

/** Whoever has the Director's keys can order, but only what the Image repository has signed for that ECU. */
async function stolenDirector([, , vehicle]: Fleet, output: Output): Promise<VehicleRow[]> {
  if (!vehicle) return [];
  const { car } = vehicle;
  const signed = car.images.releaseAt('app/rf-3/4.0.0/firmware.bin');
  const evil = { ...signed.custom, version: '9.0.0', releaseCounter: 9 };
  const orders = [
    ['an image of the thief', { ...signed, path: 'app/rf-3/9.0.0/firmware.bin', custom: evil }],
    ['other bytes for a signed image', { ...signed, sha256: '0'.repeat(64) }],
    ['the image of another ECU', car.images.releaseAt('app/br-2/4.0.0/firmware.bin')],
    ['an old release', car.images.releaseAt('app/rf-3/1.0.0/firmware.bin')],
  ] as const;
  const rows: VehicleRow[] = [];
  for (const [what, release] of orders) {
    car.director.direct([{ serial: 'radio', hardwareId: 'rf-3', release }]);
    await expectNothing(vehicle, '4.0.0');
    expect(vehicle.findings.length > 0, vehicle);
    rows.push(vehicle.row(`stolen Director keys: ${what}`));
  }
  output.table(
    ["a thief of the Director's keys orders", `${car.vehicle} says`, 'and runs'],
    rows.map(({ finding }, index) => [orders[index]?.[0] ?? '', finding, vehicle.state]),
  );
  output.event('stolen Director keys install nothing: those of the Image repository are not on any server');
  return rows;
}

/** A release for all ECUs of all vehicles. */
function order(fleet: Fleet, release: number, broken: readonly string[] = []): void {
  fleet[0]?.car.publish(release, { broken });
  for (const { car } of fleet) car.direct(release);
}

async function expectRuns(vehicle: Watched, version: string): Promise<void> {
  const rested = await vehicle.listen().car.run();
  expect(rested && vehicle.runs.every((runs) => runs === version), vehicle);
}

/** It is given its chance twice: what the Primary finds in one check its Secondaries see in the next. */
async function expectNothing(vehicle: Watched, version: string): Promise<void> {
  await vehicle.listen().car.run(CHANCE);
  await vehicle.car.run(CHANCE);
  expect(!vehicle.rounds.includes('committed') && vehicle.runs.every((runs) => runs === version), vehicle);
}

function expect(right: boolean, { car, state, rounds, findings }: Watched): void {
  if (right) return;
  const done = rounds.join(', ') || 'none';
  throw new Unexpected(`${car.vehicle} runs ${state}; rounds: ${done}; findings: ${findings.join(', ')}`);
}
