// The fuzzer that is guided by coverage (host/aot/fuzz): its world, its first inputs, its build and its run. Nothing of
// it is kept in the repository: the world and the inputs are made by the repository tool and a device in V8.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/abi.ts';
import type { SimDevice } from '../../sim/device.ts';
import { RELEASE_1, RELEASE_2, World } from '../../sim/scenarios/world.ts';

const ROOT = projectRoot();
const FOLDER = join(ROOT, 'build/aot-fuzz');
const PROGRAM = join(FOLDER, 'fuzz');
const WORLD = join(FOLDER, 'world.bin');
const CORPUS = join(FOLDER, 'corpus');

/** What an input begins with (fuzz.c). */
const Kind = { PROVISIONING: 0, ANSWERS: 1, FLASH: 2, LINE: 3 } as const;
const Answer = { HONEST: 0, EDITED: 1, OTHER: 2, MISSING: 3 } as const;

export interface Campaign {
  /** Whether nothing was found. */
  readonly clean: boolean;
  readonly executions: number;
  /** Edges of the program's flow that were reached, and all that there are. */
  readonly edges: number;
  readonly allEdges: number;
  /** What the fuzzer said. */
  readonly said: string;
}

/** What has to be installed first; undefined: nothing. */
export function whatLacks(): string | undefined {
  const absent = ['wasm2c', 'cmake', 'clang'].filter((tool) => spawnSync(tool, ['--version']).status !== 0);
  if (absent.length > 0) return `needs ${absent.join(', ')}`;
  mkdirSync(FOLDER, { recursive: true });
  const empty = ['-x', 'c', '-', '-fsanitize=fuzzer,address,undefined', '-o', join(FOLDER, 'empty')];
  const input =
    '#include <stddef.h>\nint LLVMFuzzerTestOneInput(const char *b, size_t n) { return b == 0 && n > 0; }\n';
  return spawnSync('clang', empty, { input }).status === 0
    ? undefined
    : "needs clang's libFuzzer (Debian: libclang-rt-14-dev)";
}

/** Builds it around build/moult.wasm and makes world and first inputs; the corpus of earlier runs stays. */
export async function buildFuzzer(): Promise<void> {
  const module = join(ROOT, 'build/moult.wasm');
  command('cmake', [
    ...['-S', join(ROOT, 'host/aot'), '-B', FOLDER, '-DCMAKE_C_COMPILER=clang', '-DMOULT_FUZZ=ON'],
    `-DMOULT_MODULE=${module}`,
    `-DMOULT_MODULE_SHA256=${createHash('sha256').update(readFileSync(module)).digest('hex')}`,
  ]);
  command('cmake', ['--build', FOLDER, '--parallel', '2']);
  const world = new World();
  world.device.powerOn();
  const flash = contents(world.device);
  const image = Buffer.concat([RELEASE_1.image.subarray(2000, 9000), RELEASE_2.image.subarray(0, 5000)]);
  world.repository.publish({ ...RELEASE_2, image, payloads: [RELEASE_1, undefined] });
  const entries = [
    ...world.repository.files,
    ['flash', flash],
    ['image', image],
    ['root', world.repository.root],
    ['config', CONFIGURATION],
  ] as const;
  writeFileSync(
    WORLD,
    Buffer.concat([...entries.map(([name, bytes]) => entry(name, bytes)), Buffer.alloc(4)]),
  );
  mkdirSync(CORPUS, { recursive: true });
  for (const [name, input] of seeds(world)) writeFileSync(join(CORPUS, name), input);
}

/** Runs it for so many seconds. What it finds lies in build/aot-fuzz/found-*. */
export function runFuzzer(seconds: number, seed: number): Campaign {
  for (const old of readdirSync(FOLDER).filter((name) => name.startsWith('found-')))
    rmSync(join(FOLDER, old));
  const options = [
    `-max_total_time=${seconds}`,
    `-seed=${seed}`,
    '-timeout=60',
    '-max_len=8192',
    '-print_final_stats=1',
  ];
  const { status, stderr } = spawnSync(PROGRAM, [...options, `-artifact_prefix=${FOLDER}/found-`, CORPUS], {
    env: { ...process.env, MOULT_FUZZ_WORLD: WORLD },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const last = (pattern: RegExp) => Number([...stderr.matchAll(pattern)].at(-1)?.[1] ?? 0);
  return {
    clean: status === 0,
    executions: last(/stat::number_of_executed_units: (\d+)/g),
    edges: last(/ cov: (\d+)/g),
    allEdges: last(/\((\d+) inline 8-bit counters\)/g),
    said: stderr,
  };
}

/** First inputs: each kind, and each file of the repository as an answer. */
function seeds({ repository }: World): Map<string, Buffer> {
  const bytes = (...values: number[]) => Buffer.from(values);
  const given = (body: Uint8Array) =>
    Buffer.concat([bytes(1, body.length & 255, body.length >> 8), body, bytes(255)]);
  const files = [...repository.files].filter(([, { length }]) => length < 6000);
  const inputs = new Map([
    ['honest', bytes(Kind.ANSWERS)],
    ['unreachable', bytes(Kind.ANSWERS, Answer.MISSING)],
    ['flash', bytes(Kind.FLASH, 0, 0, 0, 0)],
    ['line', bytes(Kind.LINE, 4, 0, 1, 2, 0, 4, 5, 6, 7, 0)],
    ['provisioning', Buffer.concat([bytes(Kind.PROVISIONING), given(CONFIGURATION), given(repository.root)])],
  ]);
  for (const [index, [, body]] of files.entries()) {
    const before = bytes(
      ...Array.from({ length: 2 * (index % 8) }, (_, i) => (i % 2 === 0 ? Answer.HONEST : 255)),
    );
    const length = bytes(Answer.OTHER, body.length & 255, body.length >> 8);
    inputs.set(`file-${index}`, Buffer.concat([bytes(Kind.ANSWERS), before, length, body, bytes(255)]));
  }
  for (let fetch = 0; fetch < 8; fetch++) {
    const before = Array.from({ length: 2 * fetch }, (_, i) => (i % 2 === 0 ? Answer.HONEST : 255));
    inputs.set(
      `edited-${fetch}`,
      bytes(Kind.ANSWERS, ...before, Answer.EDITED, 40, 0, 0, 1, 0x20, 0, 0, 0, 0, 255),
    );
  }
  return inputs;
}

const CONFIGURATION = Buffer.from(
  '{"hardwareId":"sim","component":"app","version":"1.0.0","releaseCounter":1,"securityCounter":1,' +
    '"buildTime":1893455000,"checkInterval":3600}',
);

function entry(name: string, bytes: Uint8Array): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(name.length, 0);
  lengths.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([lengths, Buffer.from(name), bytes]);
}

/** The areas of test/c/flash.h, one after the other. */
function contents({ flash }: SimDevice): Uint8Array {
  const areas = flash.geometry.slice(0, 5).map((_, area) => {
    const bytes = new Uint8Array(flash.size(area));
    flash.read(area, 0, bytes);
    return bytes;
  });
  return Buffer.concat(areas);
}

function command(program: string, values: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(program, values, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stdout}${stderr}`);
}
