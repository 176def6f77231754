// The client of several repositories: a target counts when as many of them as the map says agree on it (TAP 4). Each has a
// folder, a root and a core of its own, and never sees what the others say.
//
// Cores tell nobody the hashes that they know. So repositories agree when they verify the same bytes: those that the
// first one has are given to the next, until there are bytes that enough of them take for the target.
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Role, STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import { Client } from '../../host/node/client.ts';
import type { Core } from '../../host/node/core.ts';
import { HostError, StatusError } from '../../host/node/errors.ts';
import { type Fetch, systemFetch } from '../../host/node/http.ts';
import { copyTarget, fileName, keep, openIfThere, pieces } from './download.ts';
import { type Mapping, mappingsOf, readMap, type TrustMap } from './map.ts';
import type { MappedCommand } from './options.ts';
import { State } from './state.ts';
import { Watch } from './watch.ts';

/** Throws unless the whole command was done: `map-unmet` where too few repositories agree. */
export async function runMapped(command: MappedCommand): Promise<void> {
  const map = readMap(command.map);
  if (command.command === 'init') return init(map, command);
  const wanted = command.command === 'download' ? command.targetNames : [];
  const named = wanted.flatMap((name) => mappingsOf(map, name).flatMap(({ repositories }) => repositories));
  const names = command.command === 'refresh' ? [...map.repositories.keys()] : [...new Set(named)];
  await withRepositories(command.metadataDir, map, names, async (repositories) => {
    if (command.command === 'download') {
      for (const name of wanted) await download(map, repositories, name, command.targetDir);
    } else await refresh(repositories);
  });
}

function init(map: TrustMap, command: MappedCommand & { command: 'init' }): void {
  const { repository, metadataDir, root } = command;
  if (!map.repositories.has(repository))
    throw new HostError(
      'map-invalid',
      `${command.map} has no repository ${repository}; there are ${[...map.repositories.keys()].join(', ')}`,
    );
  new State(join(metadataDir, repository)).init(readFileSync(root));
}

/** Opens them one inside the other, so that each is closed whatever becomes of the rest. */
async function withRepositories(
  folder: string,
  map: TrustMap,
  [name, ...others]: readonly string[],
  act: (open: ReadonlyMap<string, Repository>) => Promise<void>,
  open = new Map<string, Repository>(),
): Promise<void> {
  if (name === undefined) return act(open);
  const state = new State(join(folder, name));
  await state.use((core) => {
    open.set(name, new Repository(core, state, map.repositories.get(name) ?? []));
    return withRepositories(folder, map, others, act, open);
  });
}

async function refresh(repositories: ReadonlyMap<string, Repository>): Promise<void> {
  const faults: string[] = [];
  for (const [name, repository] of repositories) {
    const fault = await repository.check();
    if (fault !== undefined) faults.push(`${name}: ${fault}`);
  }
  if (faults.length > 0) throw new HostError('map-unmet', faults.join('; '));
}

async function download(
  map: TrustMap,
  repositories: ReadonlyMap<string, Repository>,
  name: string,
  folder: string,
): Promise<void> {
  const path = join(folder, await fileName(name));
  const faults: string[] = [];
  for (const mapping of mappingsOf(map, name)) {
    const vote = new Vote(name, mapping, path);
    try {
      const agreed = await vote.count(repositories);
      if (agreed !== undefined) return agreed === path ? undefined : copyTarget(agreed, path, folder);
    } finally {
      vote.close();
    }
    faults.push(
      `${mapping.threshold} of ${mapping.repositories.join(', ')} must agree: ${vote.faults.join('; ')}`,
    );
  }
  throw new HostError(
    'map-unmet',
    `${name}: ${faults.join('; then ') || 'the map gives its path to nobody'}`,
  );
}

/** Bytes that some repositories take for the target. */
interface Candidate {
  readonly path: string;
  readonly by: string[];
}

/** One mapping, asked for one target. */
class Vote {
  readonly faults: string[] = [];
  readonly #target: string;
  readonly #mapping: Mapping;
  readonly #candidates: Candidate[];
  readonly #drafts: string[] = [];

  /** `there`: where the target may lie from an earlier time. */
  constructor(target: string, mapping: Mapping, there: string) {
    this.#target = target;
    this.#mapping = mapping;
    this.#candidates = [{ path: there, by: [] }];
  }

  /** The file that enough repositories agree on. They are asked in their order, and no more of them than it takes. */
  async count(repositories: ReadonlyMap<string, Repository>): Promise<string | undefined> {
    for (const name of this.#mapping.repositories) {
      const repository = repositories.get(name);
      const found = repository && (await this.#ask(name, repository));
      if (found && found.by.length >= this.#mapping.threshold) return found.path;
    }
    for (const { by } of this.#candidates) if (by.length > 0) this.faults.push(`alike: ${by.join(', ')}`);
    return undefined;
  }

  close(): void {
    for (const draft of this.#drafts) rmSync(draft, { force: true });
  }

  /** What a repository takes for the target. */
  async #ask(name: string, repository: Repository): Promise<Candidate | undefined> {
    try {
      const fault = await repository.check();
      if (fault !== undefined) throw new HostError('map-unmet', fault);
      for (const candidate of this.#candidates) {
        if (!(await repository.takes(this.#target, candidate.path))) continue;
        candidate.by.push(name);
        return candidate;
      }
      const made = { path: repository.draft, by: [name] };
      this.#drafts.push(made.path);
      await repository.fetch(this.#target);
      this.#candidates.push(made);
      return made;
    } catch (error) {
      if (!(error instanceof StatusError) && !(error instanceof HostError)) throw error;
      this.faults.push(`${name}: ${textOf(error)}`);
      return undefined;
    }
  }
}

class Repository {
  /** Where its own bytes of a target are until enough agree. */
  readonly draft: string;
  readonly #core: Core;
  readonly #client: Client;
  readonly #watch: Watch;
  #checked: Promise<string | undefined> | undefined;

  constructor(core: Core, state: State, urls: readonly string[]) {
    this.#core = core;
    this.draft = join(state.drafts, 'candidate');
    this.#watch = new Watch((name) => state.note(name));
    const bases = urls.map((url) => url.replace(/\/*$/, '/'));
    this.#client = new Client({
      metadataUrl: `${bases[0]}metadata`,
      targetsUrl: `${bases[0]}targets`,
      allowHttp: true,
      fetch: mirrored(bases),
      onEvent: (event) => this.#watch.event(event),
    });
  }

  /** Brings the metadata up to date, once; what is wrong with it. */
  check(): Promise<string | undefined> {
    this.#checked ??= this.#check();
    return this.#checked;
  }

  async #check(): Promise<string | undefined> {
    try {
      this.#watch.expect(await this.#client.check(this.#core));
      return undefined;
    } catch (error) {
      if (error instanceof StatusError) return textOf(error);
      throw error;
    }
  }

  /** Whether a file is the target. Throws StatusError for what is found against the repository, or where it lists none. */
  async takes(target: string, path: string): Promise<boolean> {
    const file = openIfThere(path);
    if (file === undefined) return false;
    try {
      const outcome = await this.#client.judge(this.#core, target, pieces(file));
      if (outcome.action === 'wait' && outcome.status < 0 && outcome.role === Role.IMAGE) return false;
      this.#watch.expect(outcome, target);
      return outcome.action === 'wait' && outcome.status === Status.TARGET_VERIFIED;
    } finally {
      closeSync(file);
    }
  }

  /** Gets the target into `draft`. */
  async fetch(target: string): Promise<void> {
    const file = openSync(this.draft, 'w');
    try {
      const outcome = await this.#client.find(this.#core, target, (piece, at) => keep(file, piece, at));
      this.#watch.expect(outcome, target);
    } finally {
      closeSync(file);
    }
  }
}

/** Asks one mirror after the other until one has the file; what the last one says counts. */
function mirrored(bases: readonly string[]): Fetch {
  return async (url, options) => {
    const at = (base = '') => base + url.slice(bases[0]?.length ?? 0);
    for (const base of bases.slice(0, -1)) {
      const reply = await systemFetch(at(base), options).catch(() => undefined);
      if (reply && reply.status < 400) return reply;
      await reply?.body?.getReader().cancel();
      options.signal.throwIfAborted();
    }
    return systemFetch(at(bases.at(-1)), options);
  };
}

/** A finding of the core keeps its name. */
function textOf(error: Error): string {
  const name = error instanceof StatusError && STATUS_TEXTS.get(error.status)?.name;
  return name ? `${error.message} (${name})` : error.message;
}
