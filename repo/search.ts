// Who may list a path: the search through delegated roles (specification 1.0.34, section 5.6.7), pre-order and depth
// first, over roles that are verified already.
import { canonicalize } from './canonical.ts';
import { type Chain, type LoadedDelegated, readDelegated } from './chain.ts';
import type { RepositoryError } from './errors.ts';
import { sha256 } from './keys.ts';
import type { AgreedRoles, DelegatedRole, Delegation, Delegations, Target, Targets } from './metadata.ts';
import type { Source } from './source.ts';

/** Every target that a client finds, by its path. Refuses delegated roles whose signatures do not hold. */
export async function findTargets(source: Source, chain: Chain): Promise<Record<string, Target>> {
  const delegated = await readDelegated(source, chain, (fault: RepositoryError) => {
    throw fault;
  });
  const roles = new Map(delegated.map((file: LoadedDelegated) => [file.role, file.signed]));
  const found: Record<string, Target> = { ...chain.targets.signed.targets };
  for (const path of delegated.flatMap(({ signed }) => Object.keys(signed.targets))) {
    const target = new Search(roles, path).from(chain.targets.signed);
    if (target !== undefined) found[path] = target;
  }
  return found;
}

class Search {
  readonly #roles: ReadonlyMap<string, Targets>;
  readonly #path: string;
  readonly #visited = new Set<string>();
  /** A terminating delegation was followed to its end: nobody later is asked. */
  #over = false;

  constructor(roles: ReadonlyMap<string, Targets>, path: string) {
    this.#roles = roles;
    this.#path = path;
  }

  from({ targets, delegations }: Targets): Target | undefined {
    const own = Object.hasOwn(targets, this.#path) ? targets[this.#path] : undefined;
    return own ?? (delegations && this.#through(delegations));
  }

  #through(delegations: Delegations): Target | undefined {
    for (const role of delegations.roles ?? [bin(delegations, this.#path)]) {
      if (role === undefined || !coversPath(role, this.#path)) continue;
      if (!('roleinfo' in role)) {
        if (this.#visited.has(role.name)) continue;
        this.#visited.add(role.name);
      }
      const file = this.#roles.get(role.name);
      const target = 'roleinfo' in role ? this.#agreed(role) : file && this.from(file);
      if (target !== undefined) return coversBoards(role, target) ? target : undefined;
      this.#over ||= role.terminating;
      if (this.#over) return undefined;
    }
    return undefined;
  }

  /** TAP 3: what the first role says that enough of them say. A client goes no further where one of them is missing. */
  #agreed({ roleinfo, min_roles_in_agreement: least }: AgreedRoles): Target | undefined {
    const files = roleinfo.map(({ rolename }) => this.#roles.get(rolename));
    this.#over ||= files.includes(undefined);
    if (this.#over) return undefined;
    const said = files.flatMap(
      (file) => (Object.hasOwn(file?.targets ?? {}, this.#path) ? file?.targets[this.#path] : []) ?? [],
    );
    const words = said.map((target) => Buffer.from(canonicalize(target)).toString());
    return said.find((_, index) => words.filter((word) => word === words[index]).length >= least);
  }
}

/** Whether a delegation is of this path: by its patterns, or by how the SHA-256 of the path begins. */
export function coversPath({ paths, path_hash_prefixes: prefixes }: Delegation, path: string): boolean {
  const digest = prefixes && sha256(Buffer.from(path));
  return prefixes
    ? prefixes.some((prefix) => digest?.startsWith(prefix))
    : (paths ?? []).some((pattern) => matches(pattern, path));
}

/** Uptane: whether it is of all boards that a target is for. A payload names none: its release does. */
export function coversBoards({ hardwareIds }: Delegation, { custom }: Target): boolean {
  const boards = custom?.hardwareIds;
  if (hardwareIds === undefined || !Array.isArray(boards)) return true;
  return boards.every((board) => hardwareIds.includes(String(board)));
}

/** The one of succinct roles (TAP 15) that a path belongs to. */
function bin({ succinct_roles: succinct }: Delegations, path: string): DelegatedRole | undefined {
  if (succinct === undefined) return undefined;
  const bits = succinct.bit_length;
  const first = Number.parseInt(sha256(Buffer.from(path)).slice(0, 8), 16);
  const number = Math.floor(first / 2 ** (32 - bits)).toString(16);
  const name = `${succinct.name_prefix}-${number.padStart(Math.ceil(bits / 4), '0')}`;
  return { ...succinct, name, path_hash_prefixes: [''], terminating: true };
}

/** Whether a path fits a pattern (specification 4.5): neither `*` nor `?` stands for a slash. */
function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const given = path.split('/');
  return parts.length === given.length && parts.every((part, index) => glob(part).test(given[index] ?? ''));
}

function glob(part: string): RegExp {
  const source = part
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
