// The same core on all engines: what it leaves on flash and says must be the same, byte for byte.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { ClientEvent } from '../../host/node/client.ts';
import type { EngineName } from '../../host/node/engine.ts';
import { projectRoot } from '../../host/node/root.ts';
import type { SimDevice } from '../../sim/device.ts';
import { withCompiled } from '../fixtures/aot.ts';
import { HOW_TO_GET_WASM3, hasBinding } from '../fixtures/wasm3.ts';
import { optional } from '../optional.ts';

const withWasm3 = optional(hasBinding, HOW_TO_GET_WASM3);

interface Told {
  readonly engine: EngineName;
  readonly flash: readonly Uint8Array[];
  readonly events: readonly ClientEvent[];
  readonly boots: number;
}

/** An update, new keys for every role, an image that fails its test, an attack, three power cuts, a last update. */
async function story(name: EngineName): Promise<Told> {
  vi.resetModules();
  vi.stubEnv('MOULT_ENGINE', name);
  const { engineName } = await import('../../host/node/engine.ts');
  const { image, RELEASE_2, World } = await import('../../sim/scenarios/world.ts');
  const events: ClientEvent[] = [];
  let works = true;
  let boots = 0;
  const world = new World({
    selfTest: () => {
      boots++;
      return works;
    },
    onEvent: (event) => events.push(event),
  });
  const { device, repository, network } = world;
  await world.update();
  repository.publish(RELEASE_2);
  await world.update();
  for (const role of ['timestamp', 'snapshot', 'targets', 'root'] as const) repository.rotate(role);
  const release = (number: number) => ({
    version: `2.${number}.0`,
    releaseCounter: number,
    securityCounter: 2,
    image: image(number, 9000 + number),
  });
  works = false;
  repository.publish(release(3));
  await world.update();
  works = true;
  const honest = network.source;
  network.source = (path) => (path.startsWith('targets/') ? image(9, 9004) : honest(path));
  repository.publish(release(4));
  await world.update();
  network.source = honest;
  for (const operation of [5, 9, 14]) {
    device.power.plan({ operation: device.power.operations + operation, kind: 'torn', units: 1 });
    await world.update();
  }
  vi.unstubAllEnvs();
  return { engine: engineName, flash: contents(device), events, boots };
}

function contents({ flash }: SimDevice): Uint8Array[] {
  return flash.geometry.map((_, area) => {
    const bytes = new Uint8Array(flash.size(area));
    flash.read(area, 0, bytes);
    return bytes;
  });
}

describe('the engines', () => {
  for (const [name, withEngine] of [
    ['wasm3', withWasm3],
    ['aot', withCompiled('moult.wasm')],
  ] as const)
    withEngine(
      `${name} and V8 leave the same flash after a long story, byte for byte, and tell the same`,
      async () => {
        const [v8, other] = [await story('v8'), await story(name)];
        expect([v8.engine, other.engine]).toEqual(['v8', name]);
        expect(v8.events.map(({ type }) => type)).toEqual(
          expect.arrayContaining(['confirmed', 'rejected', 'refused', 'installed']),
        );
        expect(other.events).toEqual(v8.events);
        expect(other.boots).toBe(v8.boots);
        expect(
          other.flash.map((area, index) => area.every((byte, at) => byte === v8.flash[index]?.[at])),
        ).toEqual(v8.flash.map(() => true));
      },
    );

  withCompiled('moult.wasm')(
    'an exception of the board comes out of compiled code as it went in',
    async () => {
      const { aot } = await import('../../host/node/engine.ts');
      const bytes = readFileSync(join(projectRoot(), 'build/moult.wasm'));
      const thrown = { what: 'not even an Error' };
      const throws = () => {
        throw thrown;
      };
      const names = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ name }) => name);
      const engine = aot();
      const moult = Object.fromEntries(names.map((name) => [name, throws]));
      const { exports } = new engine.Instance(new engine.Module(bytes), { moult });
      const start = exports.core_start as () => number;
      let caught: unknown;
      try {
        start();
      } catch (error) {
        caught = error;
      }
      expect(caught).toBe(thrown);
    },
  );

  test('a module that was not compiled ahead of time is refused, with the way to get it', async () => {
    const { aot } = await import('../../host/node/engine.ts');
    const { Module } = aot();
    expect(() => new Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))).toThrow('node scripts/aot.mjs');
  });

  withWasm3('an exception of the board comes out of wasm3 as the very object that went in', async () => {
    const { wasm3 } = await import('../../host/node/engine.ts');
    const engine = wasm3();
    // (import "a" "b" (func)) (func (export "f") call 0)
    const bytes = Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...[1, 4, 1, 0x60, 0, 0],
      ...[2, 7, 1, 1, 0x61, 1, 0x62, 0, 0],
      ...[3, 2, 1, 0],
      ...[7, 5, 1, 1, 0x66, 0, 1],
      ...[10, 6, 1, 4, 0, 0x10, 0, 0x0b],
    ]);
    const thrown = { what: 'not even an Error' };
    let works = false;
    const b = () => {
      if (!works) throw thrown;
    };
    const { exports } = new engine.Instance(new engine.Module(bytes), { a: { b } });
    const f = exports.f as () => void;
    const caught: unknown[] = [];
    try {
      f();
    } catch (error) {
      caught.push(error);
    }
    expect(caught[0]).toBe(thrown);
    works = true;
    expect(f()).toBeUndefined();
  });

  withWasm3('bytes that are no module, and imports that are missing, are refused', async () => {
    const { wasm3 } = await import('../../host/node/engine.ts');
    const { Module, Instance } = wasm3();
    expect(() => new Module(Uint8Array.of(0, 0x61, 0x73))).toThrow(/^wasm3: /);
    const { readFileSync } = await import('node:fs');
    const core = new Module(readFileSync('build/moult.wasm'));
    expect(() => new Instance(core, { moult: {} })).toThrow('the import moult.');
  });

  test('an engine that there is not is refused by name', async () => {
    vi.resetModules();
    vi.stubEnv('MOULT_ENGINE', 'jsc');
    await expect(import('../../host/node/engine.ts')).rejects.toThrow('the engines are v8, wasm3, aot');
    vi.unstubAllEnvs();
  });
});
