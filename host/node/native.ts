// Native code with the face of `WebAssembly`, as far as this host uses it: what microcontrollers run the core on, so that
// what V8 shows can be shown there too. It is wasm3 (host/wasm3/node), or the module itself compiled ahead of time
// (host/aot/node).
import type { Engine } from './engine.ts';

/** The native part. */
export interface Native {
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

/** The engine of this name; `nativeFor` has the native part for a module, or throws. */
export function nativeEngine(name: string, nativeFor: (bytes: Uint8Array) => Native): Engine {
  function load(native: Native, bytes: Uint8Array): Loaded {
    const loaded = native.load(bytes);
    if (typeof loaded === 'string') throw new Error(`${name}: ${loaded}`);
    return loaded;
  }

  /** Bytes that the native part takes. Nothing is shared between instances: each loads them again. */
  class Module {
    readonly bytes: Uint8Array;
    readonly native: Native;

    constructor(bytes: Uint8Array) {
      this.bytes = bytes.slice();
      this.native = nativeFor(bytes);
      load(this.native, bytes);
    }
  }

  class Instance {
    readonly exports: Record<string, unknown> = {};

    constructor(module: WebAssembly.Module, imports: Imports = {}) {
      if (!(module instanceof Module)) throw new TypeError(`${name}: a module of another engine`);
      const { native } = module;
      const loaded = load(native, module.bytes);
      const functions = loaded.imports.map(([from, what]) => imported(name, imports, from, what));
      for (const [kind, what, index] of loaded.exports)
        this.exports[what] = exported(native, loaded, functions, kind, index);
    }
  }

  return { Module, Instance, RuntimeError };
}

function imported(engine: string, imports: Imports, module: string, name: string): unknown {
  const found = imports[module]?.[name];
  if (typeof found !== 'function')
    throw new TypeError(`${engine}: the import ${module}.${name} is not a function`);
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
