// What stands in a repository, judged at a given second.
import type { Chain } from './chain.ts';
import { keyMaterial } from './keys.ts';
import type { StoredKey } from './keystore.ts';
import { ROLES, type RoleName } from './metadata.ts';
import { type Release, targetsOf } from './release.ts';
import { type Factory, findFaults } from './set.ts';
import { expiryOf } from './verify.ts';

export interface KeyStatus {
  readonly id: string;
  /** The name of its file in `keys/`; undefined: not in this repository's folder. */
  readonly name: string | undefined;
  /** The private half is at hand. */
  readonly held: boolean;
  /** Its signature on the current file holds. */
  readonly signed: boolean;
}

export interface RoleStatus {
  readonly role: RoleName;
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly expired: boolean;
  readonly threshold: number;
  readonly keys: readonly KeyStatus[];
  /** Signatures that the current file still lacks. */
  readonly missing: number;
}

export interface RepositoryStatus {
  readonly name: string;
  /** The second that expiry was judged at. */
  readonly at: number;
  readonly roles: readonly RoleStatus[];
  readonly published: readonly Release[];
  /** Added, but not published yet. */
  readonly staged: readonly Release[];
  /** Published, but no longer in `releases/`: the next publish withdraws these target paths. */
  readonly withdrawn: readonly string[];
  readonly warnings: readonly string[];
}

/** `at`: seconds since 1970. */
export function repositoryStatus(
  name: string,
  at: number,
  chain: Chain,
  keys: readonly StoredKey[],
  releases: readonly Release[],
  factory: Factory,
): RepositoryStatus {
  const published = chain.targets.signed.targets;
  return {
    name,
    at,
    roles: ROLES.map((role) => roleStatus(chain, role, keys, at)),
    published: releases.filter(({ path }) => path in published),
    staged: releases.filter(({ path }) => !(path in published)),
    withdrawn: Object.keys(published).filter(
      (path) => !releases.some((release) => path in targetsOf(release)),
    ),
    warnings: [...sharedKeys(chain), ...findFaults(releases, factory)],
  };
}

function roleStatus(chain: Chain, role: RoleName, keys: readonly StoredKey[], at: number): RoleStatus {
  const file = chain[role];
  const expires = expiryOf(file);
  return {
    role,
    version: file.signed.version,
    expires,
    expired: expires <= at,
    threshold: file.threshold,
    keys: chain.root.signed.roles[role].keyids.map((id) => {
      const stored = keys.find((key) => key.id === id);
      return {
        id,
        name: stored?.name,
        held: stored?.held ?? false,
        signed: file.signatures.valid.includes(id),
      };
    }),
    missing: Math.max(0, file.threshold - file.signatures.count),
  };
}

function sharedKeys(chain: Chain): string[] {
  const { keys, roles } = chain.root.signed;
  const users = new Map<string, RoleName[]>();
  for (const role of ROLES) {
    for (const key of roles[role].keyids.flatMap((id) => keys[id] ?? [])) {
      users.set(keyMaterial(key), [...(users.get(keyMaterial(key)) ?? []), role]);
    }
  }
  const shared = [...users.values()].filter((names) => names.length > 1);
  return shared.map(
    (names) => `one key signs ${names.join(' and ')}: give each role its own ("moult role rotate")`,
  );
}
