// The image that the demo releases: the user's own file, or a real binary that comes with the packages.
import { readFileSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { messageOf, RepositoryError, systemCode } from '../../repo/index.ts';
import { TRAILER } from './images.ts';

export interface Firmware {
  /** What people call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The slot of a device of `moult device run`, which the demo leaves behind one of. */
const LARGEST_IMAGE = 2 * 1024 * 1024;
/** The most bytes of a firmware file. */
export const MAX_FIRMWARE = LARGEST_IMAGE - TRAILER;

const PACKAGE = '@micropython/micropython-webassembly-pyscript';
const HINT = 'give the path of a firmware image, or none to take the one that comes along';

/** MicroPython, built for WebAssembly: of firmware size, and the same on every machine. */
export function defaultFirmware(): Firmware {
  const require = createRequire(import.meta.url);
  try {
    const about = readFileSync(require.resolve(`${PACKAGE}/package.json`), 'utf8');
    const { version } = JSON.parse(about) as { version: string };
    const bytes = readFileSync(require.resolve(`${PACKAGE}/micropython.wasm`));
    return { name: `MicroPython ${version} for WebAssembly, from npm`, bytes };
  } catch (error) {
    const remedy = 'run "npm ci", or give a firmware image of your own';
    throw new RepositoryError('file-missing', `the package ${PACKAGE} is not installed; ${remedy}`, error);
  }
}

/** The user's file. Refuses with `file-missing`, `file-unreadable`, `file-empty` or `file-too-large`. */
export async function readFirmware(path: string): Promise<Firmware> {
  check(path, await stat(path).catch((error) => refuse(path, error)));
  return { name: path, bytes: await readFile(path).catch((error) => refuse(path, error)) };
}

function check(path: string, found: Stats): void {
  if (found.isDirectory())
    throw new RepositoryError('file-unreadable', `${path} is a folder; name the image file in it`);
  if (!found.isFile()) throw new RepositoryError('file-unreadable', `${path} is not a file; ${HINT}`);
  if (found.size === 0) throw new RepositoryError('file-empty', `${path} is empty; ${HINT}`);
  if (found.size > MAX_FIRMWARE) {
    const [size, most] = [found.size, MAX_FIRMWARE].map((bytes) => bytes.toLocaleString('en'));
    throw new RepositoryError('file-too-large', `${path} has ${size} bytes; give one of up to ${most}`);
  }
}

function refuse(path: string, error: unknown): never {
  const reason = systemCode(error);
  if (reason === 'ENOENT')
    throw new RepositoryError('file-missing', `${path} does not exist; ${HINT}`, error);
  const why = reason === 'EACCES' ? 'you lack the permission; change it, or name a copy' : messageOf(error);
  throw new RepositoryError('file-unreadable', `${path} cannot be read: ${why}`, error);
}
