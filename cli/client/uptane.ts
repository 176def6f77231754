// The client of one ECU in a vehicle: what the Director wants installed, and the Image repository agrees to (Uptane
// Standard 2.1.0, 5.4.4). Each repository gets a verdict of its own, so that one which is refused does not hide the other.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { State as Field, Part, Role, STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import { Client } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { ProvisionError } from '../../host/node/provision.ts';
import { download } from './download.ts';
import { Mirror } from './mirror.ts';
import type { Ecu, Sources, UptaneCommand } from './options.ts';
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
  const { both, image } = states(command.metadataDir, ecu);
  const alone = () => checkImage(image, command.sources, ecu);
  if (!both.exists) return { director: verdict(Status.NOT_PROVISIONED), image: await alone(), targets: [] };
  return both.use((core) => new Run(command, ecu, both, core).report(alone));
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

/** Of both repositories together; and of the Image repository alone, for when the Director is refused. */
function states(folder: string, { ecu, hardwareId, legacy }: Ecu): { both: State; image: State } {
  const profile = legacy ? { legacy } : {};
  const configuration = { ...CONFIGURATION, uptane: 'full', ecu, hardwareId, ecus: {}, ...profile } as const;
  const mirrors = (_: string, drafts: string) => [
    new Mirror(join(folder, 'image'), drafts),
    new Mirror(join(folder, 'director'), join(drafts, 'director'), DIRECTOR_ROOT),
  ];
  return {
    both: new State(folder, { configuration, mirrors }),
    image: new State(folder, {
      store: 'image',
      configuration: { ...CONFIGURATION, ...profile },
      mirrors: () => [],
    }),
  };
}

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
  const { both, image } = states(command.metadataDir, command.ecu);
  const imageRoot = readFileSync(command.imageRoot);
  const refused = refusal(() => both.init(imageRoot, readFileSync(command.directorRoot)));
  const refusedAlone = refusal(() => image.init(imageRoot));
  if (!refusedAlone) writeFileSync(ecuFile(command.metadataDir), JSON.stringify(command.ecu));
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
function addresses({ directorUrl, imageUrl, targetBaseUrl }: Sources, { legacy }: Ecu) {
  const base = imageUrl.replace(/\/$/, '');
  return {
    metadataUrl: imageUrl,
    targetsUrl: targetBaseUrl ?? `${base}/targets`,
    directorUrl,
    ...(legacy && { delegationsUrl: `${base}/delegations` }),
    allowHttp: true,
  };
}

/** The Image repository as a plain TUF client sees it. */
function checkImage(image: State, sources: Sources, ecu: Ecu): Promise<Verdict> {
  const client = new Client(addresses(sources, ecu));
  return image.use(async (core) => verdict(statusOf(await client.check(core))));
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

  constructor(
    command: UptaneCommand & { command: 'refresh' | 'download' },
    ecu: Ecu,
    state: State,
    core: Core,
  ) {
    this.#command = command;
    this.#core = core;
    this.#drafts = state.drafts;
    this.#watch = new Watch((name) => state.note(name));
    const onEvent: ConstructorParameters<typeof Client>[0]['onEvent'] = (event) => this.#watch.event(event);
    this.#client = new Client({ ...addresses(command.sources, ecu), onEvent });
  }

  /** `alone` judges the Image repository where the Director is refused. */
  async report(alone: () => Promise<Verdict>): Promise<UptaneReport> {
    const status = statusOf(await this.#client.check(this.#core));
    const isDirector = this.#core.stateRead(Field.CHECK_REPOSITORY) === 1;
    const director = verdict(Status.OK);
    if (status >= 0) return { director, ...(await this.#targets()) };
    if (!isDirector) return { director, image: verdict(status), targets: [] };
    if (!OF_TARGETS.has(status)) return { director: verdict(status), image: await alone(), targets: [] };
    const targets = listed(this.#core).map((name) => ({ name, ...verdict(status) }));
    return { director, image: await alone(), targets };
  }

  /** A delegated role that is refused is the Image repository's fault. */
  async #targets(): Promise<Pick<UptaneReport, 'image' | 'targets'>> {
    let image = verdict(Status.OK);
    const targets: UptaneReport['targets'][number][] = [];
    for (const name of directed(this.#core)) {
      const status = await this.#judge(name);
      if (status < 0 && image.ok && this.#core.stateRead(Field.CHECK_ROLE) === Role.DELEGATED)
        image = verdict(status);
      targets.push({ name, ...verdict(status) });
    }
    return { image, targets };
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

/** Findings that say nothing against the Director's metadata, but against what it wants installed: none of it counts. */
const OF_TARGETS: ReadonlySet<number> = new Set([Status.ECU_UNKNOWN, Status.HARDWARE_MISMATCH]);

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
