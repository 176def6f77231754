// The shipped module with its loops counted, over flash that is plain memory: thousands of checks a second, each from
// the same state of the device.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'binaryen';
import { ABI_VERSION, Action, type CoreExports, Part, State, Status } from '../../host/node/abi.ts';
import type { DeviceConfiguration } from '../../host/node/provision.ts';
import { projectRoot } from '../../host/node/root.ts';

const FEATURES =
  binaryen.Features.MVP |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SignExt;

/** Bytes of each area: two banks, the journal, two slots. All in blocks of 4096, written in units of 4. */
const AREAS = [65_536, 65_536, 8192, 16_384, 16_384];
const BLOCK = 4096;
const UNIT = 4;
const ERASED = 0xff;
/** More answers than a check may ask for. */
const FETCHES = 600;

/** The files that a repository serves, by name; undefined: it does not have that one. */
export type Serve = (name: string) => Uint8Array | undefined;

/** What all areas hold at one moment. */
export type FlashContents = readonly Uint8Array[];

export interface Outcome {
  /** Of the check. */
  readonly status: number;
  /** Of each file that was served. */
  readonly files: ReadonlyMap<string, number>;
  /** Rounds of loops that the core went through, and bytes that it read of its flash. */
  readonly steps: number;
  readonly bytesRead: number;
  /** Bytes that it was given. */
  readonly bytesFed: number;
  /** Slots were selected to boot next. */
  readonly selected: boolean;
}

let instrumented: WebAssembly.Module | undefined;

/** Every round of every loop adds one to the export `steps`. */
function countedModule(): WebAssembly.Module {
  if (instrumented) return instrumented;
  const module = binaryen.readBinary(readFileSync(join(projectRoot(), 'build/moult.wasm')));
  module.setFeatures(FEATURES);
  const text = module
    .emitStackIR()
    .replace(/^ +loop .*$/gm, '$&\n(global.set $steps (i32.add (global.get $steps) (i32.const 1)))')
    .replace(/\)\s*$/, '(global $steps (export "steps") (mut i32) (i32.const 0)))');
  const counted = binaryen.parseText(text);
  counted.setFeatures(FEATURES);
  instrumented = new WebAssembly.Module(new Uint8Array(counted.emitBinary()));
  return instrumented;
}

export class Target {
  readonly #core: CoreExports & { readonly steps: WebAssembly.Global };
  readonly #areas = AREAS.map((size) => new Uint8Array(size).fill(ERASED));
  readonly #io: number;
  readonly #capacity: number;
  #bytesRead = 0;
  #selected = false;

  constructor() {
    const imports = this.#imports();
    this.#core = new WebAssembly.Instance(countedModule(), { moult: imports }).exports as never;
    if (this.#core.abi_version() !== ABI_VERSION) throw new Error('the module is of another ABI version');
    this.#io = this.#core.io_pointer();
    this.#capacity = this.#core.io_capacity();
  }

  contents(): FlashContents {
    return this.#areas.map((area) => area.slice());
  }

  restore(contents: FlashContents): void {
    contents.forEach((bytes, area) => {
      this.#areas[area]?.set(bytes);
    });
  }

  /** Gives a device without anything its configuration, its key if it has one, and its root; the status that ended it. */
  provision(configuration: DeviceConfiguration | Uint8Array, root: Uint8Array, key?: Uint8Array): number {
    for (const area of this.#areas) area.fill(ERASED);
    this.#core.core_start();
    const text =
      configuration instanceof Uint8Array
        ? configuration
        : new TextEncoder().encode(JSON.stringify(configuration));
    return (
      this.#give(Part.CONFIG, text) || (key ? this.#give(Part.KEY, key) : 0) || this.#give(Part.ROOT, root)
    );
  }

  /** One check from a fresh start. `size`: in how large pieces the files come. */
  check(now: number, serve: Serve, size: number): Outcome {
    const files = new Map<string, number>();
    const steps = this.#steps();
    this.#bytesRead = 0;
    this.#selected = false;
    let bytesFed = 0;
    const started = this.#core.core_start();
    for (let fetches = 0; started === Status.OK && this.#next(now) === Action.FETCH; fetches++) {
      if (fetches === FETCHES) throw new Error('the core asks without end');
      const name = this.#name();
      const file = serve(name);
      bytesFed += file?.length ?? 0;
      files.set(name, this.#answer(file, size));
    }
    return {
      status: started < 0 ? started : this.state(State.CHECK_STATUS) | 0,
      files,
      steps: this.#steps() - steps,
      bytesRead: this.#bytesRead,
      bytesFed,
      selected: this.#selected,
    };
  }

  state(field: State): number {
    return this.#core.state_read(field);
  }

  #next(now: number): number {
    for (;;) {
      const action = this.#core.agent_step(now);
      if (action === Action.ASK) this.#core.update_approve?.();
      else if (action !== Action.CONTINUE) return action;
    }
  }

  #name(): string {
    const pointer = this.#core.fetch_name();
    return new TextDecoder().decode(
      new Uint8Array(this.#core.memory.buffer, pointer, this.#core.fetch_name_length()),
    );
  }

  #answer(file: Uint8Array | undefined, size: number): number {
    if (!file) return this.#core.fetch_end(Status.NOT_FOUND);
    const wanted = file.subarray(this.#core.fetch_offset());
    let status = this.#core.fetch_begin(this.#core.fetch_offset());
    for (let from = 0; status >= 0 && from < wanted.length; from += size) {
      this.#core.fetch_erase_ahead();
      status = this.#core.fetch_write(
        this.#put(wanted.subarray(from, from + Math.min(size, this.#capacity))),
      );
    }
    return this.#core.fetch_end(status < 0 ? Status.NETWORK : Status.OK);
  }

  #give(part: Part, bytes: Uint8Array): number {
    let status = this.#core.provision_begin(part);
    for (let from = 0; status >= 0 && from < bytes.length; from += this.#capacity)
      status = this.#core.provision_write(this.#put(bytes.subarray(from, from + this.#capacity)));
    const end = this.#core.provision_end();
    return status < 0 ? status : end;
  }

  #put(bytes: Uint8Array): number {
    new Uint8Array(this.#core.memory.buffer, this.#io, bytes.length).set(bytes);
    return bytes.length;
  }

  #steps(): number {
    return this.#core.steps.value >>> 0;
  }

  #imports(): Record<string, (...values: number[]) => number> {
    const area = (index: number) => this.#areas[index] ?? new Uint8Array();
    const at = (pointer: number, length: number) =>
      new Uint8Array(this.#core.memory.buffer, pointer >>> 0, length);
    return {
      flash_read: (index = 0, offset = 0, pointer = 0, length = 0) => {
        this.#bytesRead += length;
        at(pointer, length).set(area(index).subarray(offset, offset + length));
        return 0;
      },
      flash_write: (index = 0, offset = 0, pointer = 0, length = 0) => {
        area(index).set(at(pointer, length), offset);
        return 0;
      },
      flash_erase: (index = 0, offset = 0, length = 0) => {
        area(index).fill(ERASED, offset, offset + length);
        return 0;
      },
      flash_size: (index = 0) => area(index).length,
      flash_block_end: (_, offset = 0) => (Math.floor(offset / BLOCK) + 1) * BLOCK,
      flash_unit: () => UNIT | (ERASED << 16),
      counter_read: () => -1,
      counter_advance: () => -1,
      boot_state: () => 0,
      boot_select: () => {
        this.#selected = true;
        return 0;
      },
      boot_confirm: () => 0,
      boot_revert: () => 0,
      entropy: () => -1,
      sha256_compress: () => -1,
    };
  }
}
