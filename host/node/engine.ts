// What runs the core in this process: V8, or what MOULT_ENGINE names: wasm3, or the core compiled ahead of time. Nobody
// else looks at that variable.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { instantiateSync } from '@assemblyscript/loader';
import { HostError } from './errors.ts';
import { type Native, nativeEngine } from './native.ts';
import { projectRoot } from './root.ts';

/** The part of `WebAssembly` that the host needs. A trap is a `RuntimeError`. */
export interface Engine {
  readonly Module: new (bytes: Uint8Array) => WebAssembly.Module;
  readonly Instance: new (
    module: WebAssembly.Module,
    imports?: Record<string, Record<string, unknown>>,
  ) => WebAssembly.Instance;
  readonly RuntimeError: abstract new (...values: never[]) => Error;
}

const ENGINES = ['v8', 'wasm3', 'aot'] as const;
export type EngineName = (typeof ENGINES)[number];

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

export const engine: Engine = { v8: () => v8, wasm3, aot }[engineName]();

/** Throws `engine-missing` when it is not built. */
export function wasm3(): Engine {
  const native = loadNative('wasm3/node/wasm3.node', 'scripts/wasm3.mjs');
  return nativeEngine('wasm3', () => native);
}

/** Its modules throw `engine-missing` when they were not compiled. */
export function aot(): Engine {
  return nativeEngine('aot', (bytes) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    return loadNative(`aot/node/${digest}.node`, 'scripts/aot.mjs');
  });
}

function loadNative(name: string, script: string): Native {
  const path = join(projectRoot(), 'build', name);
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw new HostError(
      'engine-missing',
      `${path} is missing or not for this machine; build it with: node ${script}`,
      { cause },
    );
  }
}

function named(name: string): EngineName {
  const found = ENGINES.find((engine) => engine === name);
  if (found !== undefined) return found;
  throw new HostError('engine-missing', `MOULT_ENGINE is "${name}"; the engines are ${ENGINES.join(', ')}`);
}
