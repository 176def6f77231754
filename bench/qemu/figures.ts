// Runs the image that counts (figures.c): what a core costs on rv32imc, in instructions and bytes, the same on every
// machine and every run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtProgram, EmulatedBoard, QEMU, sealImage } from '../../sim/emulator.ts';
import { Random } from '../../sim/random.ts';
import { SimRepository } from '../../sim/repository.ts';

/** 2030-01-01, as figures.c has it. */
const NOW = 1_893_456_000;
export const IMAGE = 65_536;

/** The rows that it prints, by name. */
export function countOnBoard(program = 'figures'): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'moult-figures-'));
  try {
    const { repository, ready } = life();
    const board = new EmulatedBoard({
      folder,
      root: repository.files.get('metadata/1.root.json') ?? new Uint8Array(),
      configuration: {
        hardwareId: 'sim',
        component: 'app',
        version: '1.0.0',
        releaseCounter: 1,
        securityCounter: 1,
        buildTime: NOW - 1000,
        checkInterval: 3600,
      },
      image: sealImage(readFileSync(builtProgram(program)), '1.0.0'),
      gateway: { metadataUrl: 'http://localhost/', targetsUrl: 'http://localhost/' },
      ready,
    });
    const { status, stdout } = spawnSync(QEMU, board.command('-icount', 'shift=0'), { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the image that counts ended with ${status}: ${stdout}`);
    return new Map(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The files of a life, round by round: a first check, an update, a root that changes all keys. */
function life() {
  const repository = new SimRepository(() => NOW, 1);
  const entries: Buffer[] = [];
  const round = (name: string) => {
    for (const [path, bytes] of repository.files) entries.push(entry(path.replace(/^\w+/, name), bytes));
  };
  repository.publish({
    version: '1.0.0',
    releaseCounter: 1,
    securityCounter: 1,
    image: new Random(1).bytes(4096),
  });
  round('0');
  repository.publish({
    version: '1.1.0',
    releaseCounter: 2,
    securityCounter: 2,
    image: new Random(2).bytes(IMAGE),
  });
  round('1');
  for (const role of ['root', 'targets', 'snapshot', 'timestamp'] as const) repository.rotate(role);
  round('2');
  return { repository, ready: Buffer.concat([...entries, Buffer.alloc(8)]) };
}

function entry(name: string, bytes: Uint8Array): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(name.length, 0);
  lengths.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([lengths, padded(Buffer.from(name)), padded(bytes)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
