import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ABI_VERSION, Action, Area, Part, State, Status, Text } from '../../host/node/abi.ts';
import { RecordedBoot } from '../../host/node/boot.ts';
import { Core, coreModule, type Sha256Compress } from '../../host/node/core.ts';
import { engine } from '../../host/node/engine.ts';
import { HostError } from '../../host/node/errors.ts';
import {
  BOOT_AREA,
  type FlashContents,
  type FlashDriver,
  NorFlash,
  uniformGeometry,
} from '../../host/node/flash.ts';
import { type DeviceConfiguration, provision } from '../../host/node/provision.ts';
import { SimRepository } from '../../sim/repository.ts';
import { RELEASE_2, World } from '../../sim/scenarios/world.ts';
import { compress } from '../fixtures/sha256.ts';

const GEOMETRY = uniformGeometry({ block: 4096, unit: 4, erased: 0xff, bank: 32_768, slot: 65_536 });
const NOW = 1_893_456_000;
const CONFIGURATION: DeviceConfiguration = {
  hardwareId: 'esp32c3',
  component: 'app',
  version: '1.0.0',
  releaseCounter: 3,
  securityCounter: 2,
  buildTime: NOW - 60,
  checkInterval: 600,
};

function board(flash: NorFlash = new NorFlash(GEOMETRY)) {
  return { flash, boot: new RecordedBoot(flash) };
}

function started(flash?: NorFlash): Core {
  const core = new Core(board(flash));
  core.coreStart();
  return core;
}

/** A core around a flash of which one operation does something else. */
function coreOver(change: (flash: FlashDriver) => Partial<FlashDriver>): Core {
  const { flash, boot } = board();
  const driver: FlashDriver = {
    size: (area) => flash.size(area),
    blockEnd: (area, offset) => flash.blockEnd(area, offset),
    unit: (area) => flash.unit(area),
    erased: (area) => flash.erased(area),
    read: (area, offset, into) => flash.read(area, offset, into),
    write: (area, offset, data) => flash.write(area, offset, data),
    erase: (area, offset, length) => flash.erase(area, offset, length),
    ...change(flash),
  };
  return new Core({ flash: driver, boot });
}

const root = () => new SimRepository(() => NOW).root;

describe('the core in this process', () => {
  test('is compiled once and shared by all devices of a process', () => {
    expect(coreModule()).toBe(coreModule());
  });

  test('asks for provisioning, takes it once in its life, and remembers it across a restart', () => {
    const flash = new NorFlash(GEOMETRY);
    const core = new Core(board(flash));
    expect(core.coreStart()).toBe(Status.NOT_PROVISIONED);
    provision(core, CONFIGURATION, root());
    const later = new Core(board(flash));
    expect(later.coreStart()).toBe(Status.OK);
    expect(later.textRead(Text.HARDWARE_ID)).toBe('esp32c3');
    expect(later.textRead(Text.COMPONENT)).toBe('app');
    expect(later.textRead(Text.INSTALLED_VERSION)).toBe('1.0.0');
    expect(later.textRead(Text.CANDIDATE_VERSION)).toBe('');
    const numbers = [State.ROOT_VERSION, State.INSTALLED_RELEASE, State.SECURITY_COUNTER, State.LATEST_TIME];
    expect(numbers.map((field) => later.stateRead(field))).toEqual([1, 3, 2, NOW - 60]);
    expect(later.provisionBegin(Part.CONFIG)).toBe(Status.ALREADY_PROVISIONED);
  });

  test('says which part of a provisioning it refuses', () => {
    expect(() => provision(started(), { ...CONFIGURATION, checkInterval: 1 }, root())).toThrow(
      'the device configuration: the device configuration is not valid',
    );
    const forged = root().slice();
    forged[forged.length - 10] = (forged.at(-10) ?? 0) ^ 1;
    expect(() => provision(started(), CONFIGURATION, forged)).toThrow(/^the root of trust: /);
  });

  test('gives texts beyond ASCII back as they were given', () => {
    const core = started();
    provision(core, { ...CONFIGURATION, hardwareId: 'Gerät-✓' }, root());
    expect(core.textRead(Text.HARDWARE_ID)).toBe('Gerät-✓');
  });

  test('first asks for the next root, by name and limit', () => {
    const core = started();
    provision(core, CONFIGURATION, root());
    expect(core.agentStep(NOW)).toBe(Action.FETCH);
    expect([core.fetchName(), core.fetchOffset()]).toEqual(['2.root.json', 0]);
    expect(core.fetchLimit()).toBeGreaterThan(1000);
  });

  test('takes no more at once than its buffer holds', () => {
    const core = started();
    expect(() => core.provisionWrite(new Uint8Array(core.ioCapacity + 1))).toThrow(RangeError);
  });
});

describe('what a board does', () => {
  test('an exception passes through the core untouched, and ends it', () => {
    const cut = new Error('the power is gone');
    const core = coreOver(() => ({
      write: () => {
        throw cut;
      },
    }));
    core.coreStart();
    expect(() => provision(core, CONFIGURATION, root())).toThrow(cut);
    expect(() => core.coreStart()).toThrow(expect.objectContaining({ code: 'core-ended', cause: cut }));
  });

  test.each([
    ['read', Status.FLASH_READ],
    ['write', Status.FLASH_WRITE],
    ['erase', Status.FLASH_ERASE],
  ] as const)('a failing %s of the flash is a status, not an exception', (operation, status) => {
    const core = coreOver(() => ({ [operation]: () => false }));
    const statuses = [core.coreStart(), core.provisionBegin(Part.CONFIG)];
    expect(statuses).toContain(status);
  });

  test('flash that loses a bit on the way is noticed when it is written', () => {
    const core = coreOver((flash) => ({
      write: (area, offset, data) =>
        flash.write(
          area,
          offset,
          data.map((byte) => byte & 0xfe),
        ),
    }));
    core.coreStart();
    expect(() => provision(core, CONFIGURATION, root())).toThrow('does not read back the same');
  });

  test('the boot record is out of the reach of the core', () => {
    const seen = new Set<number>();
    const core = coreOver((flash) => ({
      size: (area) => {
        seen.add(area);
        return flash.size(area);
      },
    }));
    core.coreStart();
    provision(core, CONFIGURATION, root());
    expect(seen).toContain(Area.STORE_A);
    expect(seen).not.toContain(BOOT_AREA);
  });
});

describe('a host that hashes blocks for the core', () => {
  async function afterUpdate(sha256Compress?: Sha256Compress): Promise<FlashContents> {
    const world = new World(sha256Compress && { sha256Compress });
    await world.update();
    world.repository.publish(RELEASE_2);
    await world.update();
    return world.device.snapshot().flash;
  }

  test('changes nothing but who hashes', async () => {
    let blocks = 0;
    const hashed = await afterUpdate((state, block) => {
      blocks++;
      return compress(state, block);
    });
    expect(hashed).toEqual(await afterUpdate());
    expect(blocks).toBeGreaterThan(200);
  });

  test('is asked once a boot when it does not, and the core does it', async () => {
    let asked = 0;
    const refuse = () => {
      asked++;
      return false;
    };
    expect(await afterUpdate(refuse)).toEqual(await afterUpdate());
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(3);
  });
});

describe('random bytes', () => {
  /** entropy(pointer, length), in place of `flash_read`. */
  const asking = (pointer: number, length: number) =>
    moduleWith(
      [...[pointer, length].flatMap((value) => [0x41, ...signedLeb(value)]), 0x10, 0x00],
      ABI_VERSION,
      'entropy',
      2,
    );

  test('are those of the board, in the place that the core names', () => {
    const asked: number[] = [];
    const entropy = (bytes: Uint8Array) => asked.push(bytes.byteOffset, bytes.length) > 0;
    expect(new Core({ ...board(), entropy }, asking(40, 24)).coreStart()).toBe(0);
    expect(asked).toEqual([40, 24]);
  });

  test('are the system’s where the board has no source of its own', () => {
    expect(new Core(board(), asking(0, 32)).coreStart()).toBe(0);
  });

  test('may be missing, which the core is told', () => {
    expect(new Core({ ...board(), entropy: () => false }, asking(0, 32)).coreStart()).toBe(-1);
  });

  test('never go beyond the memory of the core', () => {
    expect(() => new Core(board(), asking(65_535, 2)).coreStart()).toThrow('the core left its memory');
  });
});

describe('a module that misbehaves', () => {
  test('a trap becomes an error that names it a bug of the core', () => {
    const core = new Core(board(), moduleWith([0x00]));
    expect(() => core.coreStart()).toThrow(
      expect.objectContaining({ code: 'core-trap', cause: expect.any(engine.RuntimeError) }),
    );
    expect(() => core.agentStep(0)).toThrow(HostError);
  });

  test.each([
    ['beyond its memory', [0, 0, 65_535, 2], 'the core left its memory: 2 bytes at 65535'],
    ['beyond an area', [0, 32_767, 0, 2], 'the core left flash area 0: 2 bytes at 32767'],
    ['of the boot record', [BOOT_AREA, 0, 0, 1], 'the core left flash area 5'],
    ['of no area', [-1, 0, 0, 1], 'the core left flash area -1'],
    ['of a length below zero', [0, 0, 0, -1], 'the core left flash area 0: 4294967295 bytes at 0'],
  ] as const)('a read %s is refused', (_, values, message) => {
    const call = [...values.flatMap((value) => [0x41, ...signedLeb(value)]), 0x10, 0x00];
    const core = new Core(board(), moduleWith(call));
    expect(() => core.coreStart()).toThrow(
      expect.objectContaining({ code: 'core-call', message: expect.stringContaining(message) }),
    );
  });

  test('another ABI version is refused when it is loaded', () => {
    expect(() => new Core(board(), moduleWith([0x41, 0x00], 1))).toThrow(
      `ABI version 1, this host needs ${ABI_VERSION}`,
    );
  });

  test('a module that is none of ours is refused', () => {
    const empty = new engine.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    expect(() => new Core(board(), empty)).toThrow(expect.objectContaining({ code: 'module-unusable' }));
  });

  test('our module imports only what the board gives', () => {
    const bytes = readFileSync('build/moult.wasm');
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
    expect([...new Set(imports.map(({ module }) => module))]).toEqual(['moult']);
    expect(bytes.length).toBeLessThan(65_536);
  });
});

/** A module of one memory with one import; its `core_start` is this code. */
function moduleWith(
  code: readonly number[],
  version: number = ABI_VERSION,
  imported = 'flash_read',
  parameters = 4,
): WebAssembly.Module {
  const text = (name: string) => [name.length, ...Buffer.from(name)];
  const section = (id: number, entries: readonly (readonly number[])[]) => {
    const body = [entries.length, ...entries.flat()];
    return [id, ...unsignedLeb(body.length), ...body];
  };
  const constant = (value: number) => [0x41, ...signedLeb(value)];
  const body = (instructions: readonly number[]) => [instructions.length + 2, 0, ...instructions, 0x0b];
  const functions = ['abi_version', 'io_pointer', 'io_capacity', 'core_start', 'agent_step'];
  return new engine.Module(
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, [
        [0x60, parameters, ...Array.from({ length: parameters }, () => 0x7f), 1, 0x7f],
        [0x60, 0, 1, 0x7f],
      ]),
      ...section(2, [[...text('moult'), ...text(imported), 0, 0]]),
      ...section(
        3,
        functions.map(() => [1]),
      ),
      ...section(5, [[1, 1, 1]]),
      ...section(7, [
        [...text('memory'), 2, 0],
        ...functions.map((name, index) => [...text(name), 0, index + 1]),
      ]),
      ...section(10, [
        body(constant(version)),
        body(constant(0)),
        body(constant(16)),
        body(code),
        body(constant(0)),
      ]),
    ]),
  );
}

function unsignedLeb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsignedLeb(value >>> 7)];
}

function signedLeb(value: number): number[] {
  const rest = value >> 7;
  const low = value & 0x7f;
  const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return last ? [low] : [low | 0x80, ...signedLeb(rest)];
}
