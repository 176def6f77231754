// Releases: what `custom` says of a target (docs/formats.md), their records in `releases/`, and their images.
import type { FileHandle } from 'node:fs/promises';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { compareNames } from './canonical.ts';
import { RepositoryError, systemCode } from './errors.ts';
import { copyWhole, openExisting, readChunks, readLimited } from './files.ts';
import { CORE_COMPONENT, coreImage } from './formats/core.ts';
import type { ImageFormat, ImageReport } from './formats/image.ts';
import { type Json, parseJson } from './json.ts';
import { checkCounter, checkText, MAX_HARDWARE_ID, MAX_NAME } from './limits.ts';
import { type Target, targetFileName } from './metadata.ts';
import { checkNotice, parseNotice, type ReleaseNotice } from './notice.ts';
import { ENCRYPTION } from './payload.ts';
import { checkRules, type Range, type Rules, readRanges } from './rules.ts';
import { Check } from './schema.ts';

export interface ReleaseInput extends Partial<Rules> {
  /** A file, or bytes with the file name to publish them under. */
  readonly image: string | { readonly bytes: Uint8Array; readonly name: string };
  /** 1 to 31 characters, as `version`; hardware ids 1 to 63. Letters, digits and `. _ ~ + -` only. */
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  /** 1 to 2^31 − 1. Left out: the highest of this component + 1. */
  readonly releaseCounter?: number;
  /** 0 to 2^31 − 1. Left out: that in the image, else that of the component's last release. */
  readonly securityCounter?: number;
  /** Versions that devices may be patched from. */
  readonly deltaFrom?: readonly string[];
  /** Also offer the image compressed. */
  readonly compress?: boolean;
  /**
   * X25519 public keys, 32 bytes each: image and payloads are published encrypted for them, and not as they are. The
   * image stays in `images/`, beside the public folder, to make patches from.
   */
  readonly encryptFor?: readonly Uint8Array[];
  /** The format of the image, where it is not to be told by its first bytes. */
  readonly format?: ImageFormat;
  /** Of the ESP32 family: the chip that it must be for. */
  readonly chipId?: number;
  /** Called with what the image says of itself, before it is judged. */
  readonly onImage?: (image: ImageReport) => void;
  /** What it tells the user. */
  readonly notice?: ReleaseNotice;
  /** Called as bytes are hashed and copied. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A release as its record in `releases/` states it. */
export interface Release extends Partial<Rules> {
  /** The target path, `COMPONENT/HARDWARE/VERSION/FILE`; HARDWARE is the first of `hardwareIds`. */
  readonly path: string;
  readonly length: number;
  /** hexadecimal */
  readonly sha256: string;
  readonly component: string;
  readonly version: string;
  readonly hardwareIds: readonly string[];
  readonly releaseCounter: number;
  readonly securityCounter: number;
  /** The image itself is not published; its payloads are encrypted. Left out: it is. */
  readonly encrypted?: true;
  /** What may be fetched instead of the image, by target path; left out when there is nothing. */
  readonly payloads?: Readonly<Record<string, Target>>;
  /** What it tells the user; left out when it tells nothing. */
  readonly notice?: ReleaseNotice;
}

const RECORD_LIMIT = 65_536;

/** The release as a target of TUF. */
export function asTarget(release: Release): Target {
  const { component, version, hardwareIds, releaseCounter, securityCounter } = release;
  return {
    length: release.length,
    hashes: { sha256: release.sha256 },
    custom: {
      component,
      version,
      hardwareIds,
      releaseCounter,
      securityCounter,
      ...rulesOf(release),
      ...release.notice,
      ...(release.encrypted && { encryption: ENCRYPTION }),
    },
  };
}

/** The rules that there are; none is left out. */
export function rulesOf({ requires = [], conflicts = [] }: Partial<Rules>): Partial<Rules> {
  return { ...(requires.length > 0 && { requires }), ...(conflicts.length > 0 && { conflicts }) };
}

/** The release and its payloads, by target path. */
export function targetsOf(release: Release): Record<string, Target> {
  return { ...release.payloads, [release.path]: asTarget(release) };
}

/** The path of its bytes under `targets/`. */
export function imageName(release: Pick<Release, 'path' | 'sha256'>): string {
  return targetFileName(release.path, release.sha256);
}

/** The releases whose images a new one is to be patched from (`bad-argument` for one that is not there). */
export function findBases(input: ReleaseInput, existing: readonly Release[]): Release[] {
  return (input.deltaFrom ?? []).map((version) => {
    const base = existing.find(
      (release) =>
        release.component === input.component &&
        release.version === version &&
        release.hardwareIds.some((id) => input.hardwareIds.includes(id)),
    );
    if (base === undefined) {
      const what = `${input.component} ${version} for ${input.hardwareIds.join(', ')}`;
      throw bad(`there is no release ${what} to make a patch from`);
    }
    return base;
  });
}

/** The path of its record under `releases/`. */
export function recordName(release: Pick<Release, 'component' | 'version' | 'hardwareIds'>): string {
  return `${release.component}/${release.hardwareIds[0]}/${release.version}.json`;
}

export function recordBytes(release: Release): Uint8Array {
  return Buffer.from(`${JSON.stringify(release, null, 2)}\n`);
}

/** Refuses (`bad-argument`) texts that a device or a path cannot carry. */
export function checkTexts(
  input: Pick<ReleaseInput, 'component' | 'version' | 'hardwareIds' | 'notice' | keyof Rules>,
): void {
  checkNotice(input.notice ?? {});
  checkText('component', input.component, MAX_NAME);
  checkText('version', input.version, MAX_NAME);
  if (input.hardwareIds.length === 0) throw bad('a release needs at least one hardware id');
  for (const id of input.hardwareIds) checkText('hardware id', id, MAX_HARDWARE_ID);
  if (new Set(input.hardwareIds).size < input.hardwareIds.length) throw bad('a hardware id is given twice');
  checkRules(input);
}

/** The counter that an image has in it, unless another one is asked for. */
export function withCounter(input: ReleaseInput, image: ImageReport): ReleaseInput {
  if (input.securityCounter !== undefined || image.format === 'raw') return input;
  return { ...input, securityCounter: image.securityCounter };
}

/** Fills in the counters, and refuses those that devices could not follow (`counter-too-low`). */
export function chooseCounters(
  input: ReleaseInput,
  existing: readonly Release[],
): { releaseCounter: number; securityCounter: number } {
  const earlier = existing.filter(({ component }) => component === input.component);
  const latest = earlier.reduce<Release | undefined>(
    (a, b) => (a && a.releaseCounter > b.releaseCounter ? a : b),
    undefined,
  );
  const same = earlier.filter(({ hardwareIds }) => hardwareIds.some((id) => input.hardwareIds.includes(id)));
  const releaseCounter = input.releaseCounter ?? (latest?.releaseCounter ?? 0) + 1;
  const securityCounter = input.securityCounter ?? latest?.securityCounter ?? 0;
  checkCounter('release counter', releaseCounter, 1);
  checkCounter('security counter', securityCounter, 0);
  for (const { version, ...other } of same) {
    if (other.releaseCounter >= releaseCounter) {
      throw tooLow(
        `release counter ${releaseCounter}`,
        `${version} has ${other.releaseCounter}: no device would install it`,
      );
    }
    if (other.securityCounter > securityCounter) {
      throw tooLow(
        `security counter ${securityCounter}`,
        `${version} has ${other.securityCounter}: devices would refuse it`,
      );
    }
  }
  return { releaseCounter, securityCounter };
}

/** One version of a component for one board exists once (`release-exists`). */
export function checkNew(input: ReleaseInput, existing: readonly Release[]): void {
  for (const { component, version, hardwareIds } of existing) {
    const board = hardwareIds.find((id) => input.hardwareIds.includes(id));
    if (component === input.component && version === input.version && board !== undefined) {
      throw new RepositoryError(
        'release-exists',
        `${component} ${version} for ${board} exists already; give the new image a new version`,
      );
    }
  }
}

/** A core is published behind its header (`image-refused` when it is none), all else as it is. */
export async function withCoreHeader(input: ReleaseInput, limit: number): Promise<ReleaseInput> {
  if (input.component !== CORE_COMPONENT) return input;
  return { ...input, image: { bytes: coreImage(await readImage(input.image, limit)), name: 'core.bin' } };
}

/** All of the image. */
export async function readImage(image: ReleaseInput['image'], limit: number): Promise<Buffer> {
  const { chunks, handle } = await openImage(image, limit);
  try {
    const parts: Uint8Array[] = [];
    for await (const part of chunks) parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  } finally {
    await handle?.close();
  }
}

/** Copies the image to its place under `targets/` and returns its path, length and hash. */
export async function storeImage(
  input: ReleaseInput,
  folders: { readonly targets: string; readonly staging: string },
  limit: number,
): Promise<Pick<Release, 'path' | 'length' | 'sha256'>> {
  const image = await openImage(input.image, limit);
  try {
    const path = `${input.component}/${input.hardwareIds[0]}/${input.version}/${safeFileName(image.name)}`;
    const chunks = withProgress(image.chunks, image.length, input.onProgress);
    const digest = await copyWhole(folders.staging, chunks, image.length, ({ length, sha256 }) => {
      if (length !== image.length)
        throw new RepositoryError('file-unreadable', `${image.name} changed while it was read`);
      return join(folders.targets, targetFileName(path, sha256));
    });
    return { path, ...digest };
  } finally {
    await image.handle?.close();
  }
}

/** All records, by component and release counter. Refuses with `repository-corrupt`, naming the file. */
export async function readReleases(directory: string): Promise<Release[]> {
  const releases = await Promise.all(
    (await recordPaths(directory)).map((path) => readRecord(directory, path)),
  );
  const order = (a: Release, b: Release) =>
    a.releaseCounter - b.releaseCounter || compareNames(a.path, b.path);
  return releases.sort((a, b) => compareNames(a.component, b.component) || order(a, b));
}

interface Image {
  readonly name: string;
  readonly length: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly handle?: FileHandle;
}

async function openImage(image: ReleaseInput['image'], limit: number): Promise<Image> {
  if (typeof image !== 'string') {
    checkSize(image.name, image.bytes.length, limit);
    return { name: image.name, length: image.bytes.length, chunks: once(image.bytes) };
  }
  const handle = await openExisting(image);
  if (handle === undefined) throw new RepositoryError('file-missing', `${image} does not exist`);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new RepositoryError('file-unreadable', `${image} is not a file`);
    checkSize(image, stat.size, limit);
    return { name: basename(image), length: stat.size, chunks: readChunks(handle), handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function checkSize(name: string, length: number, limit: number): void {
  if (length === 0) throw new RepositoryError('file-empty', `${name} is empty`);
  if (length > limit) {
    const what = `${name} has ${length} bytes; this repository takes images of up to ${limit}`;
    throw new RepositoryError('file-too-large', `${what} (max_image_size in moult.toml)`);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  total: number,
  onProgress: ReleaseInput['onProgress'],
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of chunks) {
    yield chunk;
    done += chunk.length;
    onProgress?.(done, total);
  }
}

async function recordPaths(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
    return files.map((entry) => relative(directory, join(entry.parentPath, entry.name)));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function readRecord(directory: string, name: string): Promise<Release> {
  const path = join(directory, name);
  try {
    const release = parseRecord(readLimited(path, RECORD_LIMIT) ?? new Uint8Array(), path);
    if (recordName(release) !== name.replaceAll('\\', '/'))
      throw bad('it lies under another name than its own');
    return release;
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    throw new RepositoryError('repository-corrupt', `${path} is not a release record: ${reason}`, error);
  }
}

function parseRecord(bytes: Uint8Array, path: string): Release {
  const check = new Check(path);
  const record = check.object(parseJson(bytes, path), 'the record');
  const text = (field: string) => check.string(record[field], field);
  const release: Release = {
    path: text('path'),
    length: check.integer(record.length, 1, 'length'),
    sha256: text('sha256'),
    component: text('component'),
    version: text('version'),
    hardwareIds: check
      .array(record.hardwareIds, 'hardwareIds')
      .map((id) => check.string(id, 'a hardware id')),
    releaseCounter: check.integer(record.releaseCounter, 1, 'releaseCounter'),
    securityCounter: check.integer(record.securityCounter, 0, 'securityCounter'),
    ...(record.encrypted === true && { encrypted: true }),
    ...rulesOf({
      requires: parseRanges(check, record, 'requires'),
      conflicts: parseRanges(check, record, 'conflicts'),
    }),
  };
  return checkRecord(check, {
    ...release,
    ...(record.payloads !== undefined && { payloads: parsePayloads(check, record.payloads) }),
    ...(record.notice !== undefined && { notice: parseNotice(check, record.notice) }),
  });
}

function parseRanges(check: Check, record: { [name: string]: Json }, field: keyof Rules): Range[] {
  return readRanges(record[field]) ?? check.fail(`${field} is not an array of ranges`);
}

function parsePayloads(check: Check, value: Json): Record<string, Target> {
  const entries = Object.entries(check.object(value, 'payloads')).map(([path, entry]) => {
    const { length, hashes, custom } = check.object(entry, path);
    const sha256 = check.string(check.object(hashes, path).sha256, `sha256 of ${path}`);
    const target: Target = {
      length: check.integer(length, 1, `length of ${path}`),
      hashes: { sha256 },
      custom: check.object(custom, `custom of ${path}`),
    };
    return [path, target] as const;
  });
  return Object.fromEntries(entries);
}

function checkRecord(check: Check, release: Release): Release {
  checkTexts(release);
  const folder = `${release.component}/${release.hardwareIds[0]}/${release.version}/`;
  const file = release.path.slice(folder.length);
  if (!release.path.startsWith(folder) || file !== safeFileName(file))
    check.fail('path does not fit the release');
  if (!/^[0-9a-f]{64}$/.test(release.sha256)) check.fail('sha256 is not 64 hexadecimal digits');
  return release;
}

/** What people call a file, with only the characters that every URL and file system takes as they are. */
function safeFileName(name: string): string {
  return name.replace(/[^A-Za-z0-9._~-]/g, '_').slice(-100) || 'image';
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}

function tooLow(what: string, why: string): RepositoryError {
  return new RepositoryError('counter-too-low', `${what} is too low: ${why}`);
}
