// What runs the core in this process: V8, or wasm3 when MOULT_ENGINE says so. Nobody else looks at that variable.
import { join } from 'node:path';
import { instantiateSync } from '@assemblyscript/loader';
import { HostError } from './errors.ts';
import { projectRoot } from './root.ts';
import { loadWasm3 } from './wasm3.ts';

/** The part of `WebAssembly` that the host needs. A trap is a `RuntimeError`. */
export interface Engine {
  readonly Module: new (bytes: Uint8Array) => WebAssembly.Module;
  readonly Instance: new (
    module: WebAssembly.Module,
    imports?: Record<string, Record<string, unknown>>,
  ) => WebAssembly.Instance;
  readonly RuntimeError: abstract new (...values: never[]) => Error;
}

export type EngineName = 'v8' | 'wasm3';

export const engineName: EngineName = named(process.env.MOULT_ENGINE ?? 'v8');

/** V8, through AssemblyScript's loader, which gives a module the few imports that its compiler may add. */
const v8: Engine = {
  Module: WebAssembly.Module,
  Instance: class {
    readonly exports: Record<string, unknown>;

    constructor(module: WebAssembly.Module, imports: Record<string, Record<string, unknown>> = {}) {
      this.exports = instantiateSync<Record<string, unknown>>(module, imports).exports;
    }
  },
  RuntimeError: WebAssembly.RuntimeError,
};

export const engine: Engine = engineName === 'v8' ? v8 : wasm3();

/** Throws `engine-missing` when it is not built. */
export function wasm3(): Engine {
  const path = join(projectRoot(), 'build/wasm3/node/wasm3.node');
  try {
    return loadWasm3(path);
  } catch (cause) {
    throw new HostError(
      'engine-missing',
      `${path} is missing or not for this machine; build it with: node scripts/wasm3.mjs`,
      { cause },
    );
  }
}

function named(name: string): EngineName {
  if (name === 'v8' || name === 'wasm3') return name;
  throw new HostError('engine-missing', `MOULT_ENGINE is "${name}"; the engines are v8 and wasm3`);
}
