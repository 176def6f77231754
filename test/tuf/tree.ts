// Delegated roles on a stage: who delegates what to whom, and what each role lists.
import { createHash } from 'node:crypto';
import { metaFile, type SigningKey, type Target, targetFileName } from '../../repo/index.ts';
import { drive, type Found, find } from './drive.ts';
import {
  type Forgery,
  imageOf,
  START,
  type Stage,
  type StageOptions,
  signaturesBy,
  stage,
  targetOf,
} from './kit.ts';
import { bytes, type JsonObject, plain, text, type Value } from './values.ts';

/** A delegation as the delegator writes it, but for the keys. */
export interface Delegation {
  readonly to: string;
  readonly paths?: readonly string[];
  readonly path_hash_prefixes?: readonly string[];
  readonly terminating?: boolean;
  /** Uptane: for images of these hardware ids only. */
  readonly hardwareIds?: readonly string[];
  readonly threshold?: number;
  /** Else the key of the role. */
  readonly keys?: readonly SigningKey[];
  /** TAP 3: not one role but these, each by its own key, of which so many must agree; `to` is what they are called. */
  readonly several?: readonly string[];
  readonly agreement?: Value;
}

interface Node {
  version: number;
  /** Seconds from the start at which it expires. */
  expires: number;
  readonly key: SigningKey;
  readonly targets: Record<string, Target>;
  readonly delegations: Delegation[];
  /** Instead of listed delegations. */
  succinct: { readonly bits: number; readonly prefix: string; readonly key: SigningKey } | undefined;
  forgery: Forgery;
}

const YEAR = 365 * 86_400;

export class Tree {
  readonly s: Stage;
  readonly #nodes = new Map<string, Node>();
  /** Whether the snapshot lists lengths and hashes of delegated roles, or versions only as tuf-on-ci does. */
  hashes = true;
  /** Roles that the snapshot does not list. */
  readonly unlisted = new Set<string>();

  constructor(s: Stage) {
    this.s = s;
  }

  role(name: string): Node {
    const node = this.#nodes.get(name) ?? {
      version: 1,
      expires: YEAR,
      key: this.s.newKey(),
      targets: {},
      delegations: [],
      succinct: undefined,
      forgery: {},
    };
    this.#nodes.set(name, node);
    return node;
  }

  /** `from` delegates, in the order of the calls; everything unless told otherwise. */
  delegate(from: string, to: string, options: Omit<Delegation, 'to'> = {}): this {
    const limits =
      (options.paths ?? options.path_hash_prefixes) ? {} : { paths: ['*', '*/*', '*/*/*', '*/*/*/*'] };
    this.role(from).delegations.push({ to, ...limits, ...options });
    if (!options.keys) for (const role of options.several ?? [to]) this.role(role);
    return this;
  }

  /** `from` delegates everything to several roles of which so many must agree. */
  several(from: string, to: readonly string[], agreement: Value, options: Partial<Delegation> = {}): this {
    return this.delegate(from, `${to[0]} and others`, { several: to, agreement, ...options });
  }

  /** A role lists a file. */
  list(role: string, path: string, content: string): this {
    const file = bytes(content);
    const target = { length: file.length, hashes: { sha256: digest(file) } };
    this.#targetsOf(role)[path] = target;
    this.s.files.set(`targets/${targetFileName(path, digest(file))}`, file);
    return this;
  }

  /** A role lists a release for the device of the stage. */
  release(role: string, releaseCounter: number, path = `app/sim/1.${releaseCounter}.0/firmware.bin`): this {
    const image = imageOf(releaseCounter);
    this.#targetsOf(role)[path] = targetOf(releaseCounter) as unknown as Target;
    this.s.files.set(`targets/${targetFileName(path, digest(image))}`, image);
    return this;
  }

  /** Signs everything as it stands now. */
  publish(): this {
    for (const [name, node] of this.#nodes) if (name !== 'targets') this.#write(name, node);
    const top = this.#nodes.get('targets');
    this.s.delegations = top && this.#delegations(top);
    this.s.publish('targets');
    return this;
  }

  /** Where the file of a role lies. */
  path(name: string): string {
    return `metadata/${this.s.consistent ? `${this.role(name).version}.` : ''}${name}.json`;
  }

  /** A core that has checked. */
  core(): ReturnType<Stage['powerOn']> {
    const core = this.s.powerOn();
    drive(core, this.s);
    return core;
  }

  /** A check, and then one target by its path. */
  find(path: string): Found {
    return find(this.core(), this.s, path);
  }

  /** The roles that are asked for while a path is looked for that nobody lists, without their versions. */
  visits(path: string): string[] {
    return this.find(path).asked.map((name) => decodeURIComponent(name).replace(/^1\.(.*)\.json$/, '$1'));
  }

  #targetsOf(role: string): Record<string, Target> {
    return role === 'targets' ? this.s.targets : this.role(role).targets;
  }

  #write(name: string, node: Node): void {
    const { signed: changes, keys = [node.key], signatures, file } = node.forgery;
    const signed = plain({
      _type: 'targets',
      spec_version: '1.0.34',
      version: node.version,
      expires: new Date((START + node.expires) * 1000).toISOString().replace('.000', ''),
      targets: node.targets,
    });
    if (node.delegations.length > 0 || node.succinct) signed.delegations = this.#delegations(node);
    for (const change of [changes ?? []].flat()) change(signed);
    const honest = signaturesBy(keys, signed);
    const envelope = { signatures: (signatures?.(honest) ?? honest) as Value, signed };
    const written = file?.(envelope) ?? text(envelope);
    const content = typeof written === 'string' ? bytes(written) : written;
    this.s.files.set(this.path(name), content);
    delete this.s.delegated[`${name}.json`];
    if (this.unlisted.has(name)) return;
    this.s.delegated[`${name}.json`] = this.hashes ? metaFile(content, node.version) : node.version;
  }

  #delegations({ delegations, succinct }: Node): JsonObject {
    if (succinct) {
      const { bits, prefix, key } = succinct;
      const roles = { keyids: [key.id], threshold: 1, bit_length: bits, name_prefix: prefix };
      return plain({ keys: { [key.id]: key.public }, succinct_roles: roles });
    }
    const rolesOf = ({ to, several = [to] }: Delegation) => several;
    const keysOf = ({ keys }: Delegation, role: string) => keys ?? [this.role(role).key];
    const all = delegations.flatMap((one) => rolesOf(one).flatMap((role) => keysOf(one, role)));
    const keys = Object.fromEntries(all.map((key) => [key.id, key.public]));
    const roles = delegations.map((delegation) => {
      const { to, keys: _, several, agreement, threshold = 1, terminating = false, ...limits } = delegation;
      const signers = (role: string) => ({ keyids: keysOf(delegation, role).map(({ id }) => id), threshold });
      if (!several) return { name: to, ...signers(to), terminating, ...limits };
      const roleinfo = several.map((rolename) => ({ rolename, ...signers(rolename) }));
      return { name: to, min_roles_in_agreement: agreement, roleinfo, terminating, ...limits };
    });
    return plain({ keys, roles });
  }
}

/** A stage with a TUF client that has checked, and no delegations yet. */
export async function tree(options: StageOptions = {}): Promise<Tree> {
  return new Tree(await stage({ client: true, ...options }));
}

export function digest(file: Uint8Array | string): string {
  return createHash('sha256').update(file).digest('hex');
}
