// Verifies a whole bundle as devices will: through the core, from a root that is trusted, with nothing else at hand.
import { FetchKind, Role, State, Status } from '../../host/node/abi.ts';
import { type Bundle, bundleUpstream } from '../../host/node/bundle.ts';
import { Client, type ClientEvent, type Outcome } from '../../host/node/client.ts';
import { systemClock } from '../../host/node/clock.ts';
import { Core } from '../../host/node/core.ts';
import { HostError } from '../../host/node/errors.ts';
import { NorFlash, uniformGeometry } from '../../host/node/flash.ts';
import { provision } from '../../host/node/provision.ts';
import { CONFIGURATION, NO_BOOT } from '../client/state.ts';
import { statedContents } from './contents.ts';

export interface BundleFinding {
  /** In the bundle. */
  readonly name: string;
  readonly role: Role;
  readonly status: number;
}

export interface BundleVerification {
  /** The version of the root that was trusted from the start, and of the one that the chain ends with. */
  readonly trustedRoot: number;
  readonly rootVersion: number;
  /** Names of the files whose every byte was verified. */
  readonly verified: readonly string[];
  /** Those that nothing asks for, such as a role that no target needs; the trusted root and those before it left out. */
  readonly unasked: readonly string[];
  /** Empty: devices that trust the root accept all of it. */
  readonly findings: readonly BundleFinding[];
}

export interface VerifyOptions {
  /** Seconds since 1970: what is expired is judged at this second. */
  readonly now: number;
  /** Of a Director: its offline update is verified too, as an ECU of each board will. */
  readonly directorRoot?: Uint8Array;
  readonly onProgress?: (bytes: number) => void;
}

/** Throws StatusError when the root is none. */
export async function verifyBundle(
  bundle: Bundle,
  root: Uint8Array,
  { now, directorRoot, onProgress }: VerifyOptions,
): Promise<BundleVerification> {
  const watch = new Watch(onProgress);
  const clock = { now: () => now * 1000, after: systemClock.after };
  const watchEvent = (event: ClientEvent) => watch.event(event);
  const client = new Client({ ...bundleUpstream(bundle), clock, onEvent: watchEvent });
  const core = coreFor(bundle, root);
  const trustedRoot = core.stateRead(State.ROOT_VERSION);
  const findings: BundleFinding[] = [];
  const look = (outcome: Outcome, name: string) => {
    if (outcome.action !== 'wait') throw new HostError('core-call', `the core wants a ${outcome.action}`);
    const { status, role } = outcome;
    if (status < 0) findings.push({ name, role, status });
  };
  look(await client.check(core), 'metadata');
  const targets = findings.length > 0 ? [] : targetFiles(bundle);
  for (const name of targets) {
    watch.forget(name);
    look(await client.find(core, pathOf(name), () => undefined), name);
    // The path may have another hash by now: then this file is not what the metadata lists.
    if (!watch.verified.has(name) && !findings.some((finding) => finding.name === name))
      findings.push({ name, role: Role.IMAGE, status: Status.TARGET_UNKNOWN });
  }
  for (const hardwareId of directorRoot ? boards(bundle) : []) {
    const ecu = coreFor(bundle, root, { hardwareId, directorRoot });
    look(
      await new Client({ ...bundleUpstream(bundle), clock, onEvent: watchEvent }).check(ecu),
      `director, for ${hardwareId}`,
    );
  }
  const isLeft = (name: string) => !watch.asked.has(name) && !targets.includes(name);
  return {
    trustedRoot,
    rootVersion: core.stateRead(State.ROOT_VERSION),
    verified: [...watch.verified].sort(),
    unasked: [...bundle.entries.keys()].filter((name) => isLeft(name) && !isEarlierRoot(name, trustedRoot)),
    findings,
  };
}

const FOLDERS: Readonly<Record<number, string>> = {
  [FetchKind.METADATA]: 'metadata',
  [FetchKind.TARGET]: 'targets',
  [FetchKind.DIRECTOR]: 'director',
};

/** What was asked for, and what of it was accepted. */
class Watch {
  readonly asked = new Set<string>();
  readonly verified = new Set<string>();
  readonly #onProgress: VerifyOptions['onProgress'];
  #bytes = 0;
  #received = 0;

  constructor(onProgress: VerifyOptions['onProgress']) {
    this.#onProgress = onProgress;
  }

  event(event: ClientEvent): void {
    if (!('name' in event) || !('kind' in event)) return;
    const name = `${FOLDERS[event.kind]}/${event.name}`;
    if (event.type === 'fetch') this.#begin(name);
    else if (event.type === 'accepted') this.verified.add(name);
    else if (event.type === 'progress') this.#progress(event.received);
  }

  #begin(name: string): void {
    this.asked.add(name);
    this.#received = 0;
  }

  #progress(received: number): void {
    this.#bytes += received - this.#received;
    this.#received = received;
    this.#onProgress?.(this.#bytes);
  }

  forget(name: string): void {
    this.verified.delete(name);
  }
}

/** A core that trusts the root, with room for all metadata of the bundle twice. */
function coreFor(
  bundle: Bundle,
  root: Uint8Array,
  ecu?: { readonly hardwareId: string; readonly directorRoot: Uint8Array | undefined },
): Core {
  const block = 4096;
  const metadata = [...bundle.entries.values()].filter(({ name }) => !name.startsWith('targets/'));
  const bytes = metadata.reduce((sum, { length }) => sum + length, root.length);
  const bank = Math.ceil((2 * bytes + 65_536) / block) * block;
  const flash = new NorFlash(uniformGeometry({ block, unit: 1, erased: 0xff, bank, slot: block }));
  const core = new Core({ flash, boot: NO_BOOT });
  core.coreStart();
  const { hardwareId, directorRoot } = ecu ?? {};
  if (hardwareId === undefined) provision(core, CONFIGURATION, root);
  else
    provision(
      core,
      { ...CONFIGURATION, uptane: 'full', ecu: 'inspected', hardwareId },
      root,
      undefined,
      directorRoot,
    );
  return core;
}

function isEarlierRoot(name: string, trusted: number): boolean {
  const [, digits] = /^metadata\/(\d{1,9})\.root\.json$/.exec(name) ?? [];
  if (/^director\/\d{1,9}\.root\.json$/.test(name)) return true;
  return digits !== undefined && Number(digits) <= trusted;
}

/** The boards that the offline update is for, or one that none is for: its metadata is judged all the same. */
function boards(bundle: Bundle): string[] {
  const listed = statedContents(bundle).releases.flatMap(({ hardwareIds }) => hardwareIds);
  return listed.length > 0 ? [...new Set(listed)] : ['none'];
}

function targetFiles(bundle: Bundle): string[] {
  return [...bundle.entries.keys()].filter((name) => name.startsWith('targets/'));
}

/** The path of the target whose bytes lie under `targets/DIR/HASH.NAME`. */
function pathOf(name: string): string {
  return name.slice('targets/'.length).replace(/[^/.]*\.([^/]*)$/, '$1');
}
