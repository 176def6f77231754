// The client of one ECU in a vehicle: what the Director wants installed, and the Image repository agrees to (Uptane
// Standard 2.1.0, 5.4.4). Each repository gets a verdict of its own, so that one which is refused does not hide the other.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { State as Field, Part, Role, STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import type { Addresses } from '../../host/node/address.ts';
import { Client, type ClientOptions } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { identifiedFetch } from '../../host/node/http.ts';
import { ProvisionError } from '../../host/node/provision.ts';
import { download } from './download.ts';
import { uptaneSources } from './map.ts';
import { Mirror } from './mirror.ts';
import type { Ecu, Sources, TlsFiles, UptaneCommand } from './options.ts';
import { CONFIGURATION, State } from './state.ts';
import { Watch } from './watch.ts';

/** `error` is the name of a status; null: there is none. */
export interface Verdict {
  readonly ok: boolean;
  readonly error: string | null;
}

export interface UptaneReport {
  readonly director: Verdict;
  readonly image: Verdict;
  /** What the Director wants installed; nothing where a repository is refused. */
  readonly targets: readonly ({ readonly name: string } & Verdict)[];
}

/** Throws only for what is no finding: HostError, or StatusError where the folder cannot be used. */
export async function runUptane(command: UptaneCommand): Promise<UptaneReport> {
  if (command.command === 'init') return init(command);
  const ecu = readEcu(command.metadataDir);
  if (!ecu)
    return { director: verdict(Status.NOT_PROVISIONED), image: verdict(Status.NOT_PROVISIONED), targets: [] };
  if (!isEcu(ecu, command.claimed))
    throw new HostError('argument-invalid', `${command.metadataDir} is of ${describe(ecu)}: begin with init`);
  const { both, director, image } = states(command.metadataDir, ecu);
  const { targetBaseUrl } = command.sources;
  const sources =
    'map' in command.sources ? uptaneSources(command.sources.map, targetBaseUrl) : command.sources;
  const at = { ...addresses(sources, ecu), ...(await identified(sources.directorUrl, command.tls)) };
  const alone = () => checkAlone(image, at);
  if (both.exists) return both.use((core) => new Run(command, ecu, both, core, at).report(alone));
  const ofDirector = await checkAlone(director, { ...at, metadataUrl: sources.directorUrl });
  return { director: ofDirector, image: await alone(), targets: [] };
}

/** 0 all is well, 1 something is refused, 3 a server cannot be reached. */
export function exitOf({ director, image, targets }: UptaneReport): 0 | 1 | 3 {
  const errors = [director, image, ...targets].flatMap(({ error }) => error ?? []);
  if (errors.length === 0) return 0;
  return errors.every((error) => error === 'NETWORK') ? 3 : 1;
}

function verdict(status: number): Verdict {
  return status >= 0
    ? { ok: true, error: null }
    : { ok: false, error: STATUS_TEXTS.get(status)?.name ?? `${status}` };
}

// ---- what is kept ----

/** Of both repositories together; and of each of them alone, for when the other is refused. */
function states(folder: string, { ecu, hardwareId, legacy }: Ecu): Record<'both' | RepositoryName, State> {
  const profile = legacy ? { legacy } : {};
  const vehicle = { ...CONFIGURATION, ecu, hardwareId, ecus: {}, ...profile } as const;
  const mirrors = (_: string, drafts: string) => [
    new Mirror(join(folder, 'image'), drafts),
    new Mirror(join(folder, 'director'), join(drafts, 'director'), DIRECTOR_ROOT),
  ];
  return {
    both: new State(folder, { configuration: { ...vehicle, uptane: 'full' }, mirrors }),
    director: new State(folder, {
      store: 'director',
      // A legacy Director has what partial verification reads, and no more.
      configuration: legacy ? { ...vehicle, uptane: 'partial' } : CONFIGURATION,
      mirrors: () => [],
    }),
    image: new State(folder, {
      store: 'image',
      configuration: { ...CONFIGURATION, ...profile },
      mirrors: () => [],
    }),
  };
}

type RepositoryName = 'director' | 'image';

/** Trusted files of the Director are counted from here. */
const DIRECTOR_ROOT = 8;

function ecuFile(folder: string): string {
  return join(folder, '.moult', 'ecu.json');
}

function readEcu(folder: string): Ecu | undefined {
  try {
    return JSON.parse(readFileSync(ecuFile(folder), 'utf8')) as Ecu;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isEcu(ecu: Ecu, claimed: Partial<Ecu> = {}): boolean {
  const { ecu: id, hardwareId, legacy } = { ...ecu, ...claimed };
  return id === ecu.ecu && hardwareId === ecu.hardwareId && legacy === ecu.legacy;
}

function describe({ ecu, hardwareId, legacy }: Ecu): string {
  return `the ECU ${ecu}, hardware ${hardwareId}${legacy ? ', in the legacy profile' : ''}`;
}

/** A root that is refused changes nothing of its own repository. */
function init(command: UptaneCommand & { command: 'init' }): UptaneReport {
  const { both, director, image } = states(command.metadataDir, command.ecu);
  const imageRoot = readFileSync(command.imageRoot);
  const directorRoot = readFileSync(command.directorRoot);
  const refused = refusal(() => both.init(imageRoot, directorRoot));
  const refusedAlone = refusal(() => image.init(imageRoot));
  if (refused?.part === Part.ROOT) director.init(directorRoot);
  if (!refusedAlone || refused?.part === Part.ROOT)
    writeFileSync(ecuFile(command.metadataDir), JSON.stringify(command.ecu));
  return {
    director: verdict(refused?.part === Part.DIRECTOR ? refused.status : Status.OK),
    image: verdict(refusedAlone?.status ?? (refused?.part === Part.ROOT ? refused.status : Status.OK)),
    targets: [],
  };
}

/** The root that was refused; undefined: none. */
function refusal(act: () => void): ProvisionError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ProvisionError && error.part !== Part.CONFIG) return error;
    throw error;
  }
}

// ---- what is found ----

/** Servers of the aktualizr era keep delegated roles apart; all keep targets below the Image repository. */
function addresses({ directorUrl, imageUrl, targetBaseUrl }: Sources, { legacy }: Ecu): Addresses {
  const base = imageUrl.replace(/\/$/, '');
  return {
    metadataUrl: imageUrl,
    targetsUrl: targetBaseUrl ?? `${base}/targets`,
    directorUrl,
    ...(legacy && { delegationsUrl: `${base}/delegations` }),
    allowHttp: true,
  };
}

/** Shows the Director who asks. */
async function identified(
  directorUrl: string,
  tls: TlsFiles | undefined,
): Promise<Pick<ClientOptions, 'fetch'>> {
  if (!tls) return {};
  const { createSecureContext } = await import('node:tls');
  const { cert, key, ca } = tls;
  const read = (path: string) => readFileSync(path, 'utf8');
  const identity = { cert: read(cert), key: read(key), ...(ca !== undefined && { ca: read(ca) }) };
  try {
    createSecureContext(identity);
  } catch (cause) {
    throw new HostError('argument-invalid', `${cert} and ${key} are no certificate and its key`, { cause });
  }
  return { fetch: identifiedFetch(directorUrl, identity) };
}

/** One of the repositories, by itself. */
async function checkAlone(state: State, at: ClientOptions): Promise<Verdict> {
  if (!state.exists) return verdict(Status.NOT_PROVISIONED);
  const status = await state.use(async (core) => statusOf(await new Client(at).check(core)));
  return verdict(OF_TARGETS.has(status) ? Status.OK : status);
}

function statusOf(outcome: Awaited<ReturnType<Client['check']>>): number {
  return outcome.action === 'wait' ? outcome.status : Status.WRONG_STATE;
}

/** One check of both repositories, and of what the Director wants installed. */
class Run {
  readonly #command: UptaneCommand & { command: 'refresh' | 'download' };
  readonly #core: Core;
  readonly #client: Client;
  readonly #watch: Watch;
  readonly #drafts: string;
  readonly #legacy: boolean;

  constructor(
    command: UptaneCommand & { command: 'refresh' | 'download' },
    ecu: Ecu,
    state: State,
    core: Core,
    at: ClientOptions,
  ) {
    this.#command = command;
    this.#core = core;
    this.#drafts = state.drafts;
    this.#legacy = ecu.legacy;
    this.#watch = new Watch((name) => state.note(name));
    const onEvent: ConstructorParameters<typeof Client>[0]['onEvent'] = (event) => this.#watch.event(event);
    this.#client = new Client({ ...at, onEvent });
  }

  /** `alone` judges the Image repository where the Director is refused. */
  async report(alone: () => Promise<Verdict>): Promise<UptaneReport> {
    const status = statusOf(await this.#client.check(this.#core));
    const isDirector = this.#core.stateRead(Field.CHECK_REPOSITORY) === 1;
    const sound = verdict(Status.OK);
    if (status >= 0) return { director: sound, ...(await this.#targets()) };
    const isOfTargets = this.#isOfTargets(status);
    const found = isOfTargets ? sound : verdict(status);
    const targets = isOfTargets ? this.#names(status).map((name) => ({ name, ...verdict(status) })) : [];
    if (isDirector) return { director: found, image: await alone(), targets };
    return { director: sound, image: found, targets };
  }

  /** A delegated role that is refused is the Image repository's fault. */
  async #targets(): Promise<Pick<UptaneReport, 'image' | 'targets'>> {
    let image = verdict(Status.OK);
    const targets: UptaneReport['targets'][number][] = [];
    for (const name of directed(this.#core)) {
      const status = await this.#judge(name);
      const isDelegated = this.#core.stateRead(Field.CHECK_ROLE) === Role.DELEGATED;
      if (status < 0 && image.ok && isDelegated && !this.#isOfTargets(status)) image = verdict(status);
      targets.push({ name, ...verdict(status) });
    }
    return { image, targets };
  }

  /**
   * Whether a finding is against targets alone. Published vectors of the aktualizr era hold neither against a repository
   * that a delegated role has expired nor that the list of targets is longer than a client reads.
   */
  #isOfTargets(status: number): boolean {
    const role = this.#core.stateRead(Field.CHECK_ROLE);
    const isExpired = status === Status.EXPIRED && role === Role.DELEGATED;
    const isOverlong = status === Status.TOO_LONG && role === Role.TARGETS;
    return OF_TARGETS.has(status) || (this.#legacy && (isExpired || isOverlong));
  }

  /** What a finding about all targets is reported under: their names, or else that of the file that would have them. */
  #names(status: number): readonly string[] {
    const isUnread = status === Status.TOO_LONG && this.#core.stateRead(Field.CHECK_REPOSITORY) === 1;
    const names = isUnread ? [] : listed(this.#core);
    return names.length > 0 ? names : ['targets.json'];
  }

  async #judge(name: string): Promise<number> {
    try {
      return this.#command.command === 'refresh' ? await this.#match(name) : await this.#download(name);
    } catch (error) {
      if (error instanceof StatusError) return error.status;
      throw error;
    }
  }

  /** Asks for the target, and is content when the core would fetch it. */
  async #match(name: string): Promise<number> {
    let isWanted = false;
    const nothing = {
      [Symbol.iterator]: () => {
        isWanted = true;
        return [].values();
      },
    };
    const status = statusOf(await this.#client.judge(this.#core, name, nothing));
    return isWanted ? Status.OK : status;
  }

  async #download(name: string): Promise<number> {
    const { targetDir: folder } = this.#command;
    await download({
      client: this.#client,
      core: this.#core,
      watch: this.#watch,
      name,
      folder,
      drafts: this.#drafts,
    });
    return Status.OK;
  }
}

/** Findings that say nothing against the metadata of a repository, but against what the Director wants installed. */
const OF_TARGETS: ReadonlySet<number> = new Set([
  Status.ECU_UNKNOWN,
  Status.HARDWARE_MISMATCH,
  Status.TARGET_MISMATCH,
  Status.CUSTOM_MISMATCH,
]);

/** The paths of the Director's targets. */
function* directed(core: Core): Generator<string> {
  for (let index = 0; ; index++) {
    const name = core.directorTarget(index);
    if (name === undefined) return;
    yield name;
  }
}

/** The same of targets that the core refuses as a whole, and so names none of. */
function listed(core: Core): string[] {
  const file = core.trustedFile(DIRECTOR_ROOT + Role.TARGETS);
  const { signed } = JSON.parse(new TextDecoder().decode(file)) as { signed: { targets: object } };
  return Object.keys(signed.targets);
}
