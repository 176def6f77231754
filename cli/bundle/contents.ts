// What a bundle says that it holds. Nothing here is verified: it is for people to read.
import type { Bundle } from '../../host/node/bundle.ts';
import {
  type BundledRelease,
  listedReleases,
  metadataName,
  OFFLINE_ROLES,
  type OfflineRole,
  parseJson,
  parseMetadata,
  parseTime,
  ROLES,
  type RoleName,
  type Target,
  targetFileName,
} from '../../repo/index.ts';

export interface StatedRole {
  readonly role: RoleName;
  readonly version: number;
  /** Seconds since 1970. */
  readonly expires: number;
}

export interface StatedContents {
  /** The first root that there is; the last one is that of the role. */
  readonly firstRoot: number;
  /** The top-level roles that are there and can be read. */
  readonly roles: readonly StatedRole[];
  /** The Director's offline roles that are there and can be read. */
  readonly offline: readonly {
    readonly role: OfflineRole;
    readonly version: number;
    readonly expires: number;
  }[];
  /** Those whose images are there. */
  readonly releases: readonly BundledRelease[];
}

export function statedContents(bundle: Bundle): StatedContents {
  const versions = rootVersions(bundle);
  const last = Math.max(0, ...versions);
  const files = ROLES.flatMap((role) => stated(bundle, role, last) ?? []);
  const targets = files.flatMap((signed) => (signed._type === 'targets' ? [signed.targets] : []));
  return {
    firstRoot: Math.min(last, ...versions),
    roles: files.map(({ _type, version, expires }) => ({
      role: _type,
      version,
      expires: parseTime(expires) ?? 0,
    })),
    offline: OFFLINE_ROLES.flatMap((role) => offlineRole(bundle, role) ?? []),
    releases: releasesIn(bundle, targets[0] ?? {}),
  };
}

function offlineRole(bundle: Bundle, role: OfflineRole): StatedContents['offline'][number] | undefined {
  const entry = [...bundle.entries.values()].find(({ name }) =>
    new RegExp(`^director/(?:\\d+\\.)?${role}\\.json$`).test(name),
  );
  if (!entry) return undefined;
  try {
    const { signed } = parseJson(bundle.read(entry, 0, entry.length), entry.name) as {
      signed: { version: number; expires: string };
    };
    const expires = parseTime(signed.expires);
    return Number.isInteger(signed.version) && expires !== undefined
      ? { role, version: signed.version, expires }
      : undefined;
  } catch {
    return undefined;
  }
}

function rootVersions(bundle: Bundle): number[] {
  const names = [...bundle.entries.keys()];
  return names.flatMap((name) => {
    const [, digits] = /^metadata\/(\d{1,9})\.root\.json$/.exec(name) ?? [];
    return digits === undefined ? [] : [Number(digits)];
  });
}

/** A top-level role; of versioned ones the file with the highest version. Undefined: not there, or not to be read. */
function stated(bundle: Bundle, role: RoleName, root: number) {
  const fits = new RegExp(`^metadata/(?:\\d+\\.)?${role}\\.json$`);
  const name =
    role === 'root'
      ? `metadata/${metadataName('root', root)}`
      : [...bundle.entries.keys()]
          .filter((candidate) => fits.test(candidate))
          .sort(byVersion)
          .at(-1);
  const entry = bundle.entries.get(name ?? '');
  if (!entry) return undefined;
  try {
    return parseMetadata(bundle.read(entry, 0, entry.length), role, entry.name).signed;
  } catch {
    return undefined;
  }
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}

function releasesIn(bundle: Bundle, targets: Readonly<Record<string, Target>>): BundledRelease[] {
  const isHere = (path: string, sha256 = '') => bundle.entries.has(`targets/${targetFileName(path, sha256)}`);
  const payloadsOf = (image: string) =>
    Object.entries(targets).filter(
      ([path, { hashes, custom = {} }]) => custom.image === image && isHere(path, hashes.sha256),
    );
  return listedReleases(targets)
    .filter(({ path, sha256 }) => isHere(path, sha256))
    .map((release) => ({
      ...release,
      payloads: Object.fromEntries(payloadsOf(release.sha256).map(([path, { length }]) => [path, length])),
    }));
}
