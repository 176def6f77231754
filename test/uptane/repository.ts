// One of the two repositories of a vehicle, of which everything can be forged: who signs, what is signed, how it is
// written, what is left out. Written from the Uptane Standard 2.1.0, TUF 1.0.34 and docs/formats.md; the legacy profile
// from what servers of the aktualizr era serve. Nothing of repo/ is used, so that this is a check on it.
import { createHash } from 'node:crypto';
import { bytes, type Change, type JsonObject, plain, text, type Value } from '../tuf/values.ts';
import {
  canonicalForm,
  type KeyKind,
  keyId,
  keyOf,
  type Profile,
  publicKey,
  signature,
  type UptaneKey,
  type Writing,
} from './keys.ts';

export type RepositoryName = 'director' | 'image';

export const TOP_ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
export type TopRole = (typeof TOP_ROLES)[number];

/** When all metadata expires unless told otherwise, and when what is expired did. */
export const EXPIRES = '2037-12-31T00:00:00Z';
export const EXPIRED = '2017-01-01T00:00:00Z';

/** What is false about a file; nothing set: it is honest. */
export interface Forgery {
  /** Changes what is signed. */
  readonly signed?: Change;
  /** Who signs; else the keys of the role, and for a root those of the root before too. */
  readonly signers?: readonly UptaneKey[];
  /** Changes the signatures. */
  readonly signatures?: (honest: JsonObject[]) => JsonObject[];
  /** Changes the file when it is signed, and before others list it. */
  readonly file?: (honest: Uint8Array) => Uint8Array;
  /** Changes the file when all others are written. */
  readonly served?: (honest: Uint8Array) => Uint8Array | undefined;
}

/** A delegation of the top-level targets, and the role that it makes. */
export interface Delegated {
  readonly name: string;
  readonly paths: readonly string[];
  /** Uptane 2.1.0, 5.2.3.1: only for these; any when left out. */
  readonly hardwareIds?: readonly string[];
  readonly terminating?: boolean;
  readonly threshold?: number;
  readonly keys: readonly UptaneKey[];
  readonly targets: Readonly<Record<string, JsonObject>>;
  readonly version?: number;
  readonly expires?: string;
  /** What the snapshot says of it; its own version when left out, undefined: nothing. */
  readonly listed?: number | undefined;
  /** The ids under which its keys are listed; their own when left out. */
  readonly listedKeys?: (honest: JsonObject) => JsonObject;
}

export interface RepositoryOptions extends Writing {
  readonly profile: Profile;
  readonly name: RepositoryName;
  /** Of all keys; Ed25519 when left out. */
  readonly kind?: KeyKind;
  /** Legacy: what the hashes in timestamp and snapshot are of; the canonical form when left out. */
  readonly hashed?: 'bytes' | 'canonical';
}

export class Repository {
  readonly profile: Profile;
  readonly name: RepositoryName;
  /** By path below the address of the metadata; `targets/…` are images. */
  readonly files = new Map<string, Uint8Array>();
  readonly keys: Record<TopRole, UptaneKey[]>;
  readonly thresholds: Record<TopRole, number> = { root: 1, timestamp: 1, snapshot: 1, targets: 1 };
  readonly versions: Record<TopRole, number> = { root: 1, timestamp: 1, snapshot: 1, targets: 1 };
  readonly forgeries: Partial<Record<string, Forgery>> = {};
  targets: Record<string, JsonObject> = {};
  /** `custom` of the signed part of the targets. */
  custom: JsonObject | undefined;
  delegations: Delegated[] = [];
  /** Legacy: the snapshot says what the hashes of the targets are, and not their version alone. */
  listsHashes = false;
  readonly #kind: KeyKind;
  readonly #hashed: 'bytes' | 'canonical';
  readonly #writing: Writing;
  /** Keys of the root before, which sign the next one too. */
  #rootKeys: readonly UptaneKey[] = [];
  #keysMade = 0;

  constructor({ profile, name, kind = 'ed25519', hashed = 'canonical', ...writing }: RepositoryOptions) {
    this.profile = profile;
    this.name = name;
    this.#kind = kind;
    this.#hashed = hashed;
    this.#writing = writing;
    // Two repositories never share a key.
    this.#keysMade = name === 'director' ? 0 : 100;
    const one = () => [this.newKey()];
    this.keys = { root: one(), timestamp: one(), snapshot: one(), targets: one() };
  }

  /** The top-level roles that it has: a legacy Director has no timestamp and no snapshot. */
  get roles(): readonly TopRole[] {
    const few = this.profile === 'legacy' && this.name === 'director';
    return few ? ['root', 'targets'] : TOP_ROLES;
  }

  newKey(): UptaneKey {
    return keyOf(this.#kind, this.#keysMade++);
  }

  /** Where the newest file of a role lies. */
  path(role: string): string {
    if (role === 'root') return `${this.versions.root}.root.json`;
    const isTop = (TOP_ROLES as readonly string[]).includes(role);
    if (this.profile === 'legacy') return isTop ? `${role}.json` : `delegations/${role}.json`;
    if (role === 'timestamp') return 'timestamp.json';
    return `${isTop ? this.versions[role as TopRole] : this.#listedAs(role)}.${role}.json`;
  }

  /** Raises the versions of all roles but root, as a server does that has something new. */
  raise(): this {
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) this.versions[role]++;
    return this;
  }

  /** A root of the next version, to be published; its keys change only when the caller changes them. */
  nextRoot(change: () => void = () => undefined): this {
    this.#rootKeys = this.keys.root;
    change();
    this.versions.root++;
    return this;
  }

  /** Signs and writes everything as it stands now. Older roots stay where they are. */
  publish(): this {
    this.#write('root', this.#root());
    const delegated = this.delegations.map((role) => this.#writeDelegated(role));
    const targets = this.#write('targets', this.#targets());
    if (this.roles.includes('snapshot')) {
      const listed = [['targets.json', targets] as const, ...delegated.flat()];
      const snapshot = this.#write('snapshot', this.#list('snapshot', listed));
      this.#write('timestamp', this.#list('timestamp', [['snapshot.json', snapshot]]));
    }
    for (const [role, { served } = {}] of Object.entries(this.forgeries))
      if (served) this.#serve(role, served);
    return this;
  }

  #serve(role: string, change: (honest: Uint8Array) => Uint8Array | undefined): void {
    const path = this.path(role);
    const file = change(this.files.get(path) ?? new Uint8Array());
    if (file) this.files.set(path, file);
    else this.files.delete(path);
  }

  /** Writes a file; what those say of it who list it. */
  #write(role: string, signed: JsonObject, keys: readonly UptaneKey[] = this.#signers(role)): JsonObject {
    const { signed: change, signers = keys, signatures, file } = this.forgeries[role] ?? {};
    change?.(signed);
    const honest = signers.map((key) => signature(signed, key, this.profile, this.#writing));
    const envelope = { signatures: signatures?.(honest) ?? honest, signed };
    const written = this.#text(envelope);
    const content = file?.(written) ?? written;
    this.files.set(this.path(role), content);
    const hashed =
      this.profile === 'legacy' && this.#hashed === 'canonical'
        ? bytes(canonicalForm(envelope, this.#writing.canonical ?? 'escaped'))
        : content;
    return plain({ version: signed.version, length: content.length, hashes: hashesOf(hashed) });
  }

  #signers(role: string): readonly UptaneKey[] {
    const keys = this.keys[role as TopRole];
    return role === 'root' ? [...new Set([...this.#rootKeys, ...keys])] : keys;
  }

  /** Servers of the aktualizr era write JSON with indents and sorted names. */
  #text(envelope: JsonObject): Uint8Array {
    if (this.profile === 'modern') return bytes(text(envelope));
    return bytes(`${JSON.stringify(JSON.parse(canonicalForm(envelope, 'escaped')), undefined, 2)}\n`);
  }

  #common(role: TopRole, version: number, expires = EXPIRES): JsonObject {
    const spec: JsonObject = this.profile === 'modern' ? { spec_version: '1.0.34' } : {};
    return { _type: this.#type(role), ...spec, version, expires };
  }

  #type(role: TopRole): string {
    return this.profile === 'modern' ? role : role[0]?.toUpperCase() + role.slice(1);
  }

  #root(): JsonObject {
    const listed = this.roles.flatMap((role) => this.keys[role]);
    const roles = this.roles.map((role) => [
      role,
      { keyids: this.keys[role].map((key) => keyId(key, this.profile)), threshold: this.thresholds[role] },
    ]);
    return plain({
      ...this.#common('root', this.versions.root),
      consistent_snapshot: this.profile === 'modern',
      keys: this.#keys(listed),
      roles: Object.fromEntries(roles),
    });
  }

  #keys(keys: readonly UptaneKey[]): JsonObject {
    return Object.fromEntries(keys.map((key) => [keyId(key, this.profile), publicKey(key, this.profile)]));
  }

  #targets(): JsonObject {
    const signed = plain({ ...this.#common('targets', this.versions.targets), targets: this.targets });
    if (this.custom) signed.custom = this.custom;
    if (this.delegations.length > 0) signed.delegations = this.#delegationsOf(this.delegations);
    return signed;
  }

  #delegationsOf(delegations: readonly Delegated[]): JsonObject {
    const keys = delegations.map(({ keys: own, listedKeys }) => {
      const honest = this.#keys(own);
      return listedKeys?.(honest) ?? honest;
    });
    const roles = delegations.map(
      ({ name, paths, hardwareIds, terminating = false, threshold = 1, keys: own }) => ({
        name,
        paths,
        ...(hardwareIds && { hardwareIds }),
        terminating,
        threshold,
        keyids: own.map((key) => keyId(key, this.profile)),
      }),
    );
    return plain({ keys: Object.assign({}, ...keys), roles });
  }

  /** The version of a delegated role that clients ask for. */
  #listedAs(name: string): number {
    const { listed, version = 1 } = this.delegations.find((role) => role.name === name) ?? {};
    return listed ?? version;
  }

  /** What the snapshot says of a delegated role: servers of the aktualizr era its version and no more. */
  #writeDelegated(role: Delegated): (readonly [string, JsonObject])[] {
    const { name, keys, targets, version = 1, expires } = role;
    const info = this.#write(name, plain({ ...this.#common('targets', version, expires), targets }), keys);
    const listed = 'listed' in role ? role.listed : version;
    if (listed === undefined) return [];
    return [[`${name}.json`, this.profile === 'legacy' ? { version: listed } : { ...info, version: listed }]];
  }

  #list(role: 'snapshot' | 'timestamp', files: readonly (readonly [string, JsonObject])[]): JsonObject {
    const meta = Object.fromEntries(
      files.map(([name, info]) => [name, name === 'targets.json' ? this.#targetsInfo(info) : info]),
    );
    return plain({ ...this.#common(role, this.versions[role]), meta });
  }

  /** A legacy snapshot lists versions alone, as a rule. */
  #targetsInfo(info: JsonObject): Value {
    return this.profile === 'legacy' && !this.listsHashes ? { version: info.version ?? 1 } : info;
  }
}

/** With SHA-256 and SHA-512. */
export function hashesOf(file: Uint8Array): { sha256: string; sha512: string } {
  const hash = (algorithm: string) => createHash(algorithm).update(file).digest('hex');
  return { sha256: hash('sha256'), sha512: hash('sha512') };
}
