// wasm3 with the face of `WebAssembly`, as far as this host uses it: the interpreter that microcontrollers run the
// core on, so that what V8 shows can be shown there too. The native part is host/wasm3/node.
import { createRequire } from 'node:module';
import type { Engine } from './engine.ts';

/** The native part. */
interface Native {
  /** A text: why the module cannot be loaded. */
  load(bytes: Uint8Array): Loaded | string;
  /** A text: why the call was a trap. */
  call(handle: unknown, index: number, imports: readonly unknown[], values: unknown[]): number | string;
  global(handle: unknown, index: number): number;
}

interface Loaded {
  readonly handle: unknown;
  readonly memory?: ArrayBuffer;
  readonly imports: readonly (readonly [module: string, name: string, index: number])[];
  readonly exports: readonly (readonly [
    kind: 'memory' | 'function' | 'global',
    name: string,
    index: number,
  ])[];
}

type Imports = Record<string, Record<string, unknown>>;

/** A trap. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

/** The engine whose native part is in a file. Throws when the file is missing or not for this machine. */
export function loadWasm3(path: string): Engine {
  const native: Native = createRequire(import.meta.url)(path);

  function load(bytes: Uint8Array): Loaded {
    const loaded = native.load(bytes);
    if (typeof loaded === 'string') throw new Error(`wasm3: ${loaded}`);
    return loaded;
  }

  /** Bytes that wasm3 takes. It cannot share compiled code, so each instance compiles them again. */
  class Module {
    readonly bytes: Uint8Array;

    constructor(bytes: Uint8Array) {
      load(bytes);
      this.bytes = bytes.slice();
    }
  }

  class Instance {
    readonly exports: Record<string, unknown> = {};

    constructor(module: WebAssembly.Module, imports: Imports = {}) {
      if (!(module instanceof Module)) throw new TypeError('wasm3: a module of another engine');
      const loaded = load(module.bytes);
      const functions = loaded.imports.map(([module, name]) => imported(imports, module, name));
      for (const [kind, name, index] of loaded.exports)
        this.exports[name] = exported(native, loaded, functions, kind, index);
    }
  }

  return { Module, Instance, RuntimeError };
}

function imported(imports: Imports, module: string, name: string): unknown {
  const found = imports[module]?.[name];
  if (typeof found !== 'function')
    throw new TypeError(`wasm3: the import ${module}.${name} is not a function`);
  return found;
}

function exported(
  native: Native,
  { handle, memory }: Loaded,
  imports: readonly unknown[],
  kind: 'memory' | 'function' | 'global',
  index: number,
): unknown {
  if (kind === 'memory') return { buffer: memory };
  if (kind === 'global') return { value: native.global(handle, index) };
  return (...values: unknown[]) => {
    const result = native.call(handle, index, imports, values);
    if (typeof result === 'string') throw new RuntimeError(result);
    return result;
  };
}
