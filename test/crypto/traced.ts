// A module, build/crypto.wasm when none is named, with every decision and every address recorded: what a branch, a select or a jump was decided by,
// where each load, store, copy and fill went and how much it moved, and that something was divided. Two runs with the
// same trace executed the same instructions at the same addresses.
import { readFileSync } from 'node:fs';
import binaryen from 'binaryen';
import { builtCrypto } from './module.ts';

const FEATURES =
  binaryen.Features.MVP |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.SignExt;

/** The recorder: a hash of all values in their order, and how many there were. */
const RECORDER = `
 (global $trace (mut i64) (i64.const 0))
 (global $count (mut i32) (i32.const 0))
 (global $divisions (mut i32) (i32.const 0))
 (func $record (param i32) (result i32)
  (global.set $trace
   (i64.rotl
    (i64.mul
     (i64.xor (global.get $trace) (i64.add (i64.extend_i32_u (local.get 0)) (i64.const 1)))
     (i64.const 0x9e3779b97f4a7c15))
    (i64.const 29)))
  (global.set $count (i32.add (global.get $count) (i32.const 1)))
  (local.get 0))
 (func $copy (param i32 i32 i32)
  (memory.copy (call $record (local.get 0)) (call $record (local.get 1)) (call $record (local.get 2))))
 (func $fill (param i32 i32 i32)
  (memory.fill (call $record (local.get 0)) (local.get 1) (call $record (local.get 2))))
 (func $division (global.set $divisions (i32.add (global.get $divisions) (i32.const 1))))
 (func (export "trace_begin")
  (global.set $trace (i64.const 0)) (global.set $count (i32.const 0)) (global.set $divisions (i32.const 0)))
 (func (export "trace") (result i64) (global.get $trace))
 (func (export "trace_count") (result i32) (global.get $count))
 (func (export "trace_divisions") (result i32) (global.get $divisions))
)`;

export interface Trace {
  readonly hash: bigint;
  /** Decisions and addresses in it. */
  readonly count: number;
  readonly divisions: number;
}

export class TracedModule {
  readonly #exports: Record<string, (...values: number[]) => number> & {
    readonly memory: { readonly buffer: ArrayBuffer };
    readonly trace: () => bigint;
  };
  readonly memory: Uint8Array;

  constructor(bytes: Uint8Array = readFileSync(builtCrypto('crypto.wasm'))) {
    const module = new WebAssembly.Module(instrumented(bytes));
    this.#exports = new WebAssembly.Instance(module, {}).exports as never;
    this.memory = new Uint8Array(this.#exports.memory.buffer);
  }

  call(name: string, ...values: number[]): number {
    const found = this.#exports[name];
    if (found === undefined) throw new Error(`the module has no function ${name}`);
    return found(...values);
  }

  /** What `act` executes of the module. */
  trace(act: () => void): Trace {
    this.call('trace_begin');
    act();
    return {
      hash: this.#exports.trace(),
      count: this.call('trace_count'),
      divisions: this.call('trace_divisions'),
    };
  }
}

/** Addresses are recorded by a pass of Binaryen, whose imports become functions here; the rest in its text. */
function instrumented(bytes: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(FEATURES);
  module.runPasses(['instrument-memory']);
  const functions: string[] = [];
  const text = module
    .emitStackIR()
    .replace(/^ \(import "env" "\w+" \(func (\$\w+) (.*)\)\)$/gm, (_, name: string, type: string) => {
      functions.push(`(func ${name} ${type} ${bodyOf(name)})`);
      return '';
    })
    .replace(/^ +(?=(?:if|br_if|br_table|select)\b)/gm, '$&call $record\n')
    .replace(/^ +(?=i(?:32|64)\.(?:div|rem)_)/gm, '$&call $division\n')
    .replace(/^( +)memory\.(copy|fill)$/gm, '$1call $$$2')
    .replace(/\)\s*$/, () => functions.join('\n') + RECORDER);
  const traced = binaryen.parseText(text);
  traced.setFeatures(FEATURES);
  return traced.emitBinary();
}

/** An access has its number, bytes, offset and pointer and gives the pointer; a value its number and itself. */
function bodyOf(name: string): string {
  if (!name.endsWith('_ptr')) return '(local.get 1)';
  return '(drop (call $record (i32.add (local.get 2) (local.get 3)))) (local.get 3)';
}
