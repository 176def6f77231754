// Images of the core itself: docs/formats.md, "Image of a core".
import { RepositoryError } from '../errors.ts';
import { sha256 } from '../keys.ts';

/** The component whose images these are. */
export const CORE_COMPONENT = 'moult';

const MAGIC = 0x3143544d;
const HEADER = 44;

/** A module behind its header. Refuses (`image-refused`) what is no core. */
export function coreImage(module: Uint8Array): Uint8Array {
  return withHeader(module, abiVersion(module));
}

/** The same for whatever is given as a module of this ABI version. */
export function withHeader(module: Uint8Array, version: number): Uint8Array {
  const image = Buffer.alloc(HEADER + module.length);
  image.writeUInt32LE(MAGIC, 0);
  image.writeUInt32LE(version, 4);
  image.writeUInt32LE(module.length, 8);
  image.write(sha256(module), 12, 'hex');
  image.set(module, HEADER);
  return image;
}

/** Asks the module, which has nothing around it to reach. */
function abiVersion(bytes: Uint8Array): number {
  try {
    const module = new WebAssembly.Module(Uint8Array.from(bytes));
    const imports: Record<string, Record<string, () => number>> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      imports[from] = { ...imports[from], [name]: () => 0 };
    const { abi_version } = new WebAssembly.Instance(module, imports).exports;
    if (typeof abi_version === 'function') return Number(abi_version());
  } catch (cause) {
    throw new RepositoryError('image-refused', 'this is not a core: it does not compile or start', cause);
  }
  throw new RepositoryError('image-refused', 'this is not a core: it exports no abi_version');
}
