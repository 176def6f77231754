// What the demo shows, step by step. Every step checks what came of it; the first surprise ends the demo.
import { Status } from '../../host/node/abi.ts';
import { formatBytes, type Output } from '../output.ts';
import { type AttackRow, attackAll } from './attacks.ts';
import { type Board, expectState, updateAll } from './board.ts';
import { Unexpected } from './finding.ts';
import type { Firmware } from './firmware.ts';
import { Images, TRAILER, VERSIONS, type Version } from './images.ts';
import { type CutRow, updateThroughCuts } from './powercuts.ts';
import { buildStage, HARDWARE, KEY_PREFIX, type Stage } from './stage.ts';
import { showVehicles, type VehicleRow } from './vehicles.ts';

/** What the demo did, for programs. Sizes in bytes. */
export interface Summary {
  readonly firmware: { readonly name: string; readonly bytes: number };
  readonly boards: number;
  /** How many ran on which. */
  readonly engines: Readonly<Record<string, number>>;
  readonly releases: number;
  readonly cuts: readonly CutRow[];
  readonly attacks: readonly AttackRow[];
  /** What became of three vehicles. */
  readonly vehicles: readonly VehicleRow[];
  /** Content that the server sent. */
  readonly bytesServed: number;
  readonly seconds: number;
}

export interface StoryOptions {
  readonly firmware: Firmware;
  /** A folder of the demo's own; what is in it goes. */
  readonly directory: string;
  readonly output: Output;
  /** A path as the user would type it. */
  readonly show: (path: string) => string;
  /** Whether moult-device is built: then some boards run in it. */
  readonly ownProcesses: boolean;
  /** Brings a device whose flash is a file up to date from a repository at a URL; where it lies. */
  readonly updateFileDevice: (url: string) => Promise<string>;
}

const HOW_TO_BUILD = 'node scripts/wasm3.mjs (it needs cargo, cmake and a C compiler), then npm start again';

/** Plays it all. Throws `Unexpected` when something comes out otherwise than it must. */
export async function play(options: StoryOptions): Promise<Summary> {
  const begun = performance.now();
  const { firmware, directory, output, show, ownProcesses, updateFileDevice } = options;
  const stage = await buildStage(directory, new Images(firmware.bytes), ownProcesses);
  try {
    await introduce(stage, options);
    await firstRelease(stage, output);
    const cuts = await powerFails(stage, output);
    const device = await updateFileDevice(stage.server.url);
    output.event(`so does a device whose flash is a file: ${show(device)}`);
    await brokenRelease(stage, output);
    const attacks = await attackers(stage, output);
    const vehicles = await showVehicles(output);
    const { boards, traffic } = stage;
    return {
      firmware: { name: firmware.name, bytes: firmware.bytes.length },
      boards: boards.length,
      engines: countEngines(boards),
      releases: VERSIONS.length - 1,
      cuts,
      attacks,
      vehicles,
      bytesServed: traffic.bytes,
      seconds: Math.round((performance.now() - begun) / 10) / 100,
    };
  } finally {
    await stage.server.close();
  }
}

async function introduce(
  { repository, server, images, boards }: Stage,
  { firmware, output, show, ownProcesses }: StoryOptions,
): Promise<void> {
  output.line(`A repository, a web server and ${boards.length} boards, all on this machine`);
  output.event(`image: ${firmware.name}, ${formatBytes(firmware.bytes.length)}`);
  const size = formatBytes(images.length);
  output.event(`each version of it is ${size} long and differs in the last ${TRAILER} bytes`, 'plain');
  output.event(`repository: ${show(repository.directory)}, root 2 of 3 keys, targets 1 of 2`);
  output.event(
    `its keys, ${KEY_PREFIX}…, are for this demo only and not encrypted: sign nothing else`,
    'warn',
  );
  output.event(`web server: ${server.url}`);
  await Promise.all(boards.map(powerOnNew));
  output.event(`${boards.length} boards: each runs build/moult.wasm and is provisioned with root version 1`);
  output.event(`engines: ${describeEngines(countEngines(boards))}`);
  if (!ownProcesses)
    output.event(
      `for two boards on wasm3 in their own process, as on a microcontroller: ${HOW_TO_BUILD}`,
      'warn',
    );
}

async function powerOnNew(board: Board): Promise<void> {
  const version = await board.provision();
  if (version !== 1) throw new Unexpected(`${board.name} is new and trusts root version ${version}`);
}

function countEngines(boards: readonly Board[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { runsOn } of boards) counts[runsOn] = (counts[runsOn] ?? 0) + 1;
  return counts;
}

/** "14 on V8, 2 on wasm3 in their own process", "all on V8" */
export function describeEngines(engines: Readonly<Record<string, number>>): string {
  const counts = Object.entries(engines);
  return counts.map(([engine, count]) => `${counts.length > 1 ? count : 'all'} on ${engine}`).join(', ');
}

async function firstRelease(stage: Stage, output: Output): Promise<void> {
  await publish(stage, '1.0.0', 'the first release', output);
  await install(stage.boards, '1.0.0', output);
}

async function powerFails(stage: Stage, output: Output): Promise<readonly CutRow[]> {
  const { boards, unlucky } = stage;
  await publish(stage, '1.1.0', 'an update, and ten power cuts', output);
  await install(
    boards.filter((board) => board !== unlucky),
    '1.1.0',
    output,
  );
  const cuts = await updateThroughCuts(unlucky, '1.1.0');
  const rows = cuts.map(({ place, operation, boots }, index) => [`${index + 1}`, place, operation, boots]);
  output.table(['cut', `the power of ${unlucky.name} fails when`, 'operation on flash', 'it boots'], rows);
  output.event(`${unlucky.name} runs 1.1.0, confirmed, after ${cuts.length} power cuts`);
  return cuts;
}

async function brokenRelease(stage: Stage, output: Output): Promise<void> {
  const { boards } = stage;
  await publish(stage, '1.2.0', 'a release that does not work', output);
  const expected = { status: Status.RELEASE_FAILED_BEFORE, runs: '1.1.0' } as const;
  await updateAll(boards, '1.2.0', expected, output);
  output.event(`1.2.0 failed its self-test on ${boards.length} boards`, 'bad');
  output.event(`${boards.length} boards went back to 1.1.0 and will not try 1.2.0 again`);
}

async function attackers(stage: Stage, output: Output): Promise<readonly AttackRow[]> {
  const { boards, watched } = stage;
  await publish(stage, '1.2.1', `a repair, and somebody who owns the network of ${watched.name}`, output);
  await install(
    boards.filter((board) => board !== watched),
    '1.2.1',
    output,
  );
  const stolenKeys = await stage.repository.signingKeys('timestamp');
  const attacks = await attackAll({ ...stage, board: watched, stolenKeys }, '1.2.1', output);
  const rows = attacks.map(({ attack, did, finding, runs }) => [attack, did, finding, runs]);
  output.table(['attack', 'the attacker', 'the board says', 'and runs'], rows);
  const surprise = attacks.find(({ expected }) => !expected);
  if (surprise) throw new Unexpected(`${surprise.attack} was not met as it must be`);
  expectState(watched, await watched.update(), { status: Status.UP_TO_DATE, runs: '1.2.1' });
  output.event(`${attacks.length} attacks refused; on an honest network ${watched.name} runs 1.2.1 too`);
  return attacks;
}

async function publish(stage: Stage, version: Version, what: string, output: Output): Promise<void> {
  const { repository, images } = stage;
  output.line();
  output.line(`${version}: ${what}`);
  const image = { bytes: images.of(version), name: 'firmware.bin' };
  await repository.addRelease({ image, component: 'app', version, hardwareIds: [HARDWARE] });
  const { roles } = await repository.publish();
  output.event(`published: ${roles.map((role) => `${role.role} ${role.version}`).join(', ')}`);
}

async function install(boards: readonly Board[], version: Version, output: Output): Promise<void> {
  const begun = performance.now();
  await updateAll(boards, version, { status: Status.UP_TO_DATE, runs: version }, output);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  output.event(
    `${boards.length} boards found ${version}, verified, installed, tested and confirmed it in ${seconds} s`,
  );
}
