// The core in this process: the same moult.wasm that a device carries, behind typed calls.
import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ABI_VERSION,
  ComponentField,
  ComponentText,
  type CoreExports,
  type CoreImports,
  type Mode,
  Status,
} from './abi.ts';
import type { BootControl } from './boot.ts';
import { engine } from './engine.ts';
import { HostError, StatusError } from './errors.ts';
import { BOOT_AREA, type FlashDriver } from './flash.ts';
import { envelope, manifestText, type ReportSigner, readReport, reportKeyId } from './report.ts';
import { projectRoot } from './root.ts';

/** A security counter that the hardware never lets fall. */
export interface HardwareCounter {
  read(): number;
  /** Raises it to `value`; lower values change nothing. False: not raised. */
  advance(value: number): boolean;
}

/** One block of SHA-256: takes 64 bytes into the state of eight words. False: nothing was done, and never will be. */
export type Sha256Compress = (state: Uint32Array, block: Uint8Array) => boolean;

/** Fills the bytes with random ones that nobody can foresee. False: this board has no source of them. */
export type Entropy = (bytes: Uint8Array) => boolean;

/** What the core finds around it. */
export interface Board {
  readonly flash: FlashDriver;
  readonly boot: BootControl;
  /** Absent: the core keeps the security counter in its trust store. */
  readonly counter?: HardwareCounter;
  /** Absent: the core hashes by itself, which in V8 is fast. */
  readonly sha256Compress?: Sha256Compress;
  /** Absent: the system's. */
  readonly entropy?: Entropy;
  /** The board has a key store that signs reports. Absent: the core signs them with the key in its trust store. */
  readonly reportSigner?: ReportSigner;
}

/** What a device has of one component. */
export interface ComponentState {
  readonly component: string;
  /** What its releases are for. */
  readonly hardwareId: string;
  /** 0: slot A runs, 1: slot B. */
  readonly slot: number;
  /** Of the confirmed image, like the two counters. */
  readonly version: string;
  readonly releaseCounter: number;
  readonly securityCounter: number;
  /** Release counter of the image that is on its way or on trial; 0: none. */
  readonly candidate: number;
  readonly candidateVersion: string;
}

/** Bytes of a signature behind a report. */
const SIGNATURE = 64;

/**
 * One core, from power-on to power-off. The methods are the exports of host/README.md; those that
 * return a status return it as it is: negative is a finding. An exception of the board passes through
 * untouched; after it, or after a trap, the core has ended as if by a power cut.
 */
export class Core {
  readonly #exports: CoreExports;
  readonly #io: number;
  readonly #signer: ReportSigner | undefined;
  /** Bytes that pass through the buffer at once. */
  readonly ioCapacity: number;
  #end: unknown;

  /** Throws `module-unusable` when the module is not one of this ABI version. */
  constructor(board: Board, module: WebAssembly.Module = coreModule()) {
    const imports = new BoardImports(board, () => this.#exports.memory.buffer);
    this.#exports = instantiate(module, imports.table);
    this.#signer = board.reportSigner;
    this.#io = this.#exports.io_pointer() >>> 0;
    this.ioCapacity = this.#exports.io_capacity() >>> 0;
  }

  coreStart(): number {
    return this.#status((core) => core.core_start());
  }

  provisionBegin(part: number): number {
    return this.#status((core) => core.provision_begin(part));
  }

  /** At most `ioCapacity` bytes. */
  provisionWrite(bytes: Uint8Array): number {
    return this.#status((core) => core.provision_write(this.#put(bytes)));
  }

  provisionEnd(): number {
    return this.#status((core) => core.provision_end());
  }

  /** `now` in seconds since 1970, 0: unknown. The next `Action`. */
  agentStep(now: number): number {
    // A clock beyond the core's numbers is no clock: cut to 32 bits it would be some other time.
    return this.#status((core) => core.agent_step(now > 0xffff_ffff ? 0 : now));
  }

  /** When the next check is due, seconds since 1970. */
  agentUntil(): number {
    return this.#size((core) => core.agent_until());
  }

  fetchKind(): number {
    return this.#status((core) => core.fetch_kind());
  }

  fetchName(): string {
    return this.#text(
      this.#size((core) => core.fetch_name()),
      this.#size((core) => core.fetch_name_length()),
    );
  }

  fetchOffset(): number {
    return this.#size((core) => core.fetch_offset());
  }

  fetchLimit(): number {
    return this.#size((core) => core.fetch_limit());
  }

  fetchBegin(offset: number): number {
    return this.#status((core) => core.fetch_begin(offset));
  }

  /** At most `ioCapacity` bytes. */
  fetchWrite(bytes: Uint8Array): number {
    return this.#status((core) => core.fetch_write(this.#put(bytes)));
  }

  /** While the next bytes are on their way: erases where they will go. 1: it did, 0: there is nothing to erase now. */
  fetchEraseAhead(): number {
    return this.#status((core) => core.fetch_erase_ahead());
  }

  fetchEnd(result: number): number {
    return this.#status((core) => core.fetch_end(result));
  }

  /** After `Action.TIME`: the datagram for a time server, all of it. */
  timeRequest(): Uint8Array {
    return window(this.#exports.memory.buffer, this.#io, this.ioCapacity).slice();
  }

  /** The answer of a time server; empty: there is none. Negative: what is wrong with it. */
  timeAnswer(answer: Uint8Array): number {
    if (answer.length > this.ioCapacity) return Status.TIME_INVALID;
    return this.#status((core) => core.time_answer?.(this.#put(answer)) ?? Status.WRONG_STATE);
  }

  /** Looks for a target by its path: see host/README.md. */
  targetFind(path: string): number {
    const bytes = new TextEncoder().encode(path);
    if (bytes.length > this.ioCapacity) return Status.NAME_TOO_LONG;
    return this.#status((core) => core.target_find(this.#put(bytes)));
  }

  /** The path of one of the Director's trusted targets, counted from 0; undefined: there is none of that number. */
  directorTarget(index: number): string | undefined {
    const length = this.#status((core) => core.director_target?.(index) ?? Status.NOT_FOUND);
    return length < 0 ? undefined : this.#text(this.#io, length);
  }

  imageConfirm(): number {
    return this.#status((core) => core.image_confirm());
  }

  imageReject(): number {
    return this.#status((core) => core.image_reject());
  }

  /** How updates go from now on: see `Mode`. */
  policySet(mode: Mode): number {
    return this.#status((core) => core.policy_set?.(mode) ?? Status.WRONG_STATE);
  }

  /** The newest release is to be installed; after `Action.ASK`: now. */
  updateApprove(): number {
    return this.#status((core) => core.update_approve?.() ?? Status.WRONG_STATE);
  }

  /** Not before `until`, seconds since 1970. */
  updatePostpone(until: number): number {
    return this.#status((core) => core.update_postpone?.(until) ?? Status.WRONG_STATE);
  }

  /** What is signed of the newest release that the last check found, for `readNotice`; empty: it found none. */
  release(): Uint8Array {
    return this.#trusted(this.#status((core) => core.release_find?.() ?? 0));
  }

  /** `CHECK_STATUS` reads as a signed number, every other field as an unsigned one: see `State`. */
  stateRead(field: number): number {
    return this.#size((core) => core.state_read(field));
  }

  /** See `Text`. Empty when there is none. */
  textRead(field: number): string {
    return this.#text(
      this.#io,
      Math.max(
        0,
        this.#status((core) => core.text_read(field)),
      ),
    );
  }

  /** The 32 bytes of the public key that payloads for this device are encrypted for; empty: it has none. */
  publicKeyRead(): Uint8Array {
    return this.#publicKey(0);
  }

  /** The 32 bytes of the Ed25519 key that the core signs reports with; empty: it has none, the board may have one. */
  reportKeyRead(): Uint8Array {
    return this.#publicKey(1);
  }

  #publicKey(which: number): Uint8Array {
    return this.#buffer(this.#status((core) => core.public_key_read?.(which) ?? Status.KEY_MISSING));
  }

  /**
   * This ECU's version report, signed by it, in canonical form: after `Action.REPORT`, or between two checks. Each is
   * another, with a number above those before. Throws StatusError; KEY_MISSING: there is no key to sign with.
   */
  report(): Uint8Array {
    const length = this.#status((core) => core.report_write?.() ?? Status.WRONG_STATE);
    if (length < 0) throw new StatusError(length, 'the version report');
    const made = this.#buffer(length + SIGNATURE);
    const sign = () => made.subarray(length);
    return new TextEncoder().encode(this.#envelope(new TextDecoder().decode(made.subarray(0, length)), sign));
  }

  /**
   * On a Primary, the vehicle version manifest: a new report of its own and those of its Secondaries, each as its ECU
   * signed it, under the signature of the Primary. Throws StatusError, and `report-invalid` where one is no report.
   */
  manifest(vehicle: string, secondaries: Iterable<Uint8Array>): Uint8Array {
    const reports = [this.report(), ...secondaries].map(readReport);
    const signed = manifestText(vehicle, reports);
    return new TextEncoder().encode(this.#envelope(signed, () => this.#signManifest(signed)));
  }

  #envelope(signed: string, sign: () => Uint8Array): string {
    if (this.#signer)
      return envelope(signed, this.#signer.keyId, this.#signer.sign(new TextEncoder().encode(signed)));
    // Before the key is read into the buffer, where the signature of a report is.
    const signature = sign();
    const key = this.reportKeyRead();
    if (key.length === 0) throw new StatusError(Status.KEY_MISSING, 'the version report');
    return envelope(signed, reportKeyId(key), signature);
  }

  #signManifest(signed: string): Uint8Array {
    const bytes = new TextEncoder().encode(signed);
    let status: number = Status.OK;
    for (let from = 0; from < bytes.length && status >= 0; from += this.ioCapacity) {
      const piece = bytes.subarray(from, from + this.ioCapacity);
      status = this.#status((core) => core.manifest_write?.(this.#put(piece)) ?? Status.WRONG_STATE);
    }
    if (status >= 0) status = this.#status((core) => core.manifest_end?.() ?? Status.WRONG_STATE);
    if (status < 0) throw new StatusError(status, 'the vehicle version manifest');
    return this.#buffer(status);
  }

  /** Ends `Action.REPORT`: `Status.OK` when the report was sent, else what went wrong. The check goes on with either. */
  reportEnd(result: number): number {
    return this.#status((core) => core.report_end?.(result) ?? Status.WRONG_STATE);
  }

  #buffer(length: number): Uint8Array {
    return window(this.#exports.memory.buffer, this.#io, Math.max(0, length)).slice();
  }

  /** What the device has of each component, the main one first. The small core has that alone, and does not tell. */
  components(): ComponentState[] {
    const count = this.#status((core) => core.component_choose?.(0) ?? 0);
    return Array.from({ length: Math.max(0, count) }, (_, component) => this.#component(component));
  }

  #component(component: number): ComponentState {
    this.#status((core) => core.component_choose?.(component) ?? Status.WRONG_STATE);
    const number = (field: number) => this.#size((core) => core.component_read?.(field) ?? 0);
    const text = (field: number) => {
      const length = this.#status((core) => core.component_text?.(field) ?? 0);
      return this.#text(this.#io, Math.max(0, length));
    };
    return {
      component: text(ComponentText.COMPONENT),
      hardwareId: text(ComponentText.HARDWARE_ID),
      slot: number(ComponentField.RUNNING_SLOT),
      version: text(ComponentText.INSTALLED_VERSION),
      releaseCounter: number(ComponentField.INSTALLED_RELEASE),
      securityCounter: number(ComponentField.SECURITY_COUNTER),
      candidate: number(ComponentField.CANDIDATE_RELEASE),
      candidateVersion: text(ComponentText.CANDIDATE_VERSION),
    };
  }

  /** The trusted file of a Role, or of the Director's where it is 8 more; as it was received. Empty: there is none. */
  trustedFile(role: number): Uint8Array {
    return this.#trusted(this.#status((core) => core.trusted_length(role)));
  }

  /** The same for a delegated role, by its name. */
  delegatedFile(name: string): Uint8Array {
    const bytes = new TextEncoder().encode(`${name}.json`);
    if (bytes.length > this.ioCapacity) return new Uint8Array();
    return this.#trusted(this.#status((core) => core.trusted_find(this.#put(bytes))));
  }

  /** The area of the log, its oldest block first, for `readLog`; empty: this device keeps none. */
  logArea(): Uint8Array {
    const length = this.#size((core) => core.log_length?.() ?? 0);
    return this.#read(length, (core, offset) => core.log_read?.(offset) ?? 0, 'the log');
  }

  #trusted(length: number): Uint8Array {
    return this.#read(length, (core, offset) => core.trusted_read(offset), 'the trust store');
  }

  /** So many bytes, in the pieces in which the core puts them into the buffer. */
  #read(length: number, piece: (core: CoreExports, offset: number) => number, what: string): Uint8Array {
    const file = new Uint8Array(Math.max(0, length));
    for (let offset = 0; offset < file.length; ) {
      const part = this.#status((core) => piece(core, offset));
      if (part <= 0) throw new StatusError(part, what);
      file.set(window(this.#exports.memory.buffer, this.#io, part), offset);
      offset += part;
    }
    return file;
  }

  #status(call: (core: CoreExports) => number): number {
    return this.#run(call) | 0;
  }

  #size(call: (core: CoreExports) => number): number {
    return this.#run(call) >>> 0;
  }

  #run(call: (core: CoreExports) => number): number {
    if (this.#end !== undefined)
      throw new HostError('core-ended', 'this core has ended; power the device on again', {
        cause: this.#end,
      });
    try {
      return call(this.#exports);
    } catch (error) {
      this.#end = error;
      if (error instanceof engine.RuntimeError)
        throw new HostError('core-trap', `the core stopped at a bug of its own (${error.message})`, {
          cause: error,
        });
      throw error;
    }
  }

  #put(bytes: Uint8Array): number {
    if (bytes.length > this.ioCapacity)
      throw new RangeError(`${bytes.length} bytes at once, the buffer takes ${this.ioCapacity}`);
    window(this.#exports.memory.buffer, this.#io, bytes.length).set(bytes);
    return bytes.length;
  }

  #text(pointer: number, length: number): string {
    return new TextDecoder().decode(window(this.#exports.memory.buffer, pointer, length));
  }
}

/** The imports of the module, each argument checked: a bad one is a bug of the core, and throws. */
class BoardImports {
  readonly table: CoreImports;
  readonly #flash: FlashDriver;
  readonly #memory: () => ArrayBuffer;

  constructor(
    { flash, boot, counter, sha256Compress, entropy = systemEntropy }: Board,
    memory: () => ArrayBuffer,
  ) {
    this.#flash = flash;
    this.#memory = memory;
    this.table = {
      flash_read: (area, offset, pointer, length) =>
        done(
          flash.read(area, this.#range(area, offset, length), this.#bytes(pointer, length)),
          Status.FLASH_READ,
        ),
      flash_write: (area, offset, pointer, length) =>
        done(
          flash.write(area, this.#range(area, offset, length), this.#bytes(pointer, length)),
          Status.FLASH_WRITE,
        ),
      flash_erase: (area, offset, length) =>
        done(flash.erase(area, this.#range(area, offset, length), length >>> 0), Status.FLASH_ERASE),
      flash_size: (area) => this.#size(area),
      flash_block_end: (area, offset) => flash.blockEnd(area, this.#range(area, offset, 0)),
      flash_unit: (area) => (this.#size(area) > 0 ? flash.unit(area) | (flash.erased(area) << 16) : 0),
      counter_read: () => counter?.read() ?? -1,
      counter_advance: (value) => done(counter?.advance(value >>> 0) ?? false, Status.COUNTER),
      boot_state: () => boot.slots | (boot.onTrial ? 0x100 : 0),
      boot_select: (slots) => done(slots >= 0 && slots <= 0xff && boot.select(slots), Status.BOOT),
      boot_confirm: () => done(boot.confirm(), Status.BOOT),
      boot_revert: () => done(boot.revert(), Status.BOOT),
      entropy: (pointer, length) => done(entropy(this.#bytes(pointer, length)), -1),
      sha256_compress: (state, block) =>
        done(sha256Compress?.(this.#words(state, 8), this.#bytes(block, 64)) ?? false, -1),
    };
  }

  /** The boot record is not the core's. */
  #size(area: number): number {
    return area >= 0 && area !== BOOT_AREA ? this.#flash.size(area) : 0;
  }

  #range(area: number, offset: number, length: number): number {
    const start = offset >>> 0;
    if (start + (length >>> 0) > this.#size(area))
      throw new HostError('core-call', `the core left flash area ${area}: ${length >>> 0} bytes at ${start}`);
    return start;
  }

  #bytes(pointer: number, length: number): Uint8Array {
    return window(this.#memory(), pointer >>> 0, length >>> 0);
  }

  #words(pointer: number, count: number): Uint32Array {
    const { buffer, byteOffset } = this.#bytes(pointer, 4 * count);
    return new Uint32Array(buffer, byteOffset, count);
  }
}

function systemEntropy(bytes: Uint8Array): boolean {
  randomFillSync(bytes);
  return true;
}

function done(success: boolean, status: number): number {
  return success ? Status.OK : status;
}

function window(memory: ArrayBuffer, pointer: number, length: number): Uint8Array {
  if (pointer + length > memory.byteLength)
    throw new HostError('core-call', `the core left its memory: ${length} bytes at ${pointer}`);
  return new Uint8Array(memory, pointer, length);
}

let compiled: WebAssembly.Module | undefined;

/**
 * The core, compiled once a process and shared by all devices in it: build/moult.wasm, or the file that
 * MOULT_WASM names (another build of it, under test).
 */
export function coreModule(): WebAssembly.Module {
  compiled ??= compile();
  return compiled;
}

function compile(): WebAssembly.Module {
  const path = process.env.MOULT_WASM ?? join(projectRoot(), 'build/moult.wasm');
  try {
    return new engine.Module(readFileSync(path));
  } catch (cause) {
    throw new HostError('module-unusable', `${path} is missing or damaged; build it with: npm run build`, {
      cause,
    });
  }
}

function instantiate(module: WebAssembly.Module, imports: CoreImports): CoreExports {
  let exports: CoreExports;
  try {
    exports = new engine.Instance(module, { moult: imports }).exports as CoreExports;
  } catch (cause) {
    throw new HostError(
      'module-unusable',
      'moult.wasm does not fit this host; build both from the same sources',
      {
        cause,
      },
    );
  }
  const version = exports.abi_version?.();
  if (version !== ABI_VERSION)
    throw new HostError(
      'module-unusable',
      `moult.wasm has ABI version ${version}, this host needs ${ABI_VERSION}`,
    );
  return exports;
}
