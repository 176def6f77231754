// What can be wrong with a pair of repositories, by name, and what a client must find. A client has checked once and
// trusts version 2 of everything; the server then publishes version 3 of everything, with one fault.
import type { Status } from '../../host/node/abi.ts';
import { bytes, type Change, drop, type JsonObject, put } from '../tuf/values.ts';
import { keyOf, type Profile, type UptaneKey } from './keys.ts';
import { CONTENT, type Conduct, ECU, FILE, HARDWARE, type Pair } from './pair.ts';
import {
  type Delegated,
  EXPIRED,
  type Forgery,
  type Repository,
  type RepositoryName,
  type TopRole,
} from './repository.ts';

export type Finding = keyof typeof Status;

/** What is found; whatever is not named is in order. */
export interface Expected {
  readonly director?: Finding;
  readonly image?: Finding;
  /** By path; null: in order. Left out: the update in order, or none where a repository is refused. */
  readonly targets?: Readonly<Record<string, Finding | null>>;
}

export interface Fault {
  readonly name: string;
  readonly profile: Profile;
  /** Changes what version 3 is; the caller publishes it. */
  readonly change: (pair: Pair) => void;
  readonly conduct?: Conduct;
  readonly expected: Expected;
}

const PROFILES = ['modern', 'legacy'] as const;
const STRANGER = keyOf('ed25519', 900);

/** Each fault of each role of both repositories, in both profiles. */
export function roleFaults(): Fault[] {
  return PROFILES.flatMap((profile) =>
    (['director', 'image'] as const).flatMap((name) =>
      rolesOf(profile, name).flatMap((role) =>
        Object.entries(ROLE_FAULTS).flatMap(([fault, make]) => {
          const made = make(role, profile, name);
          return made ? [onRole(`${name} ${role}: ${fault}`, profile, name, role, made)] : [];
        }),
      ),
    ),
  );
}

function rolesOf(profile: Profile, name: RepositoryName): readonly TopRole[] {
  const isFew = profile === 'legacy' && name === 'director';
  return isFew ? ['root', 'targets'] : ['root', 'timestamp', 'snapshot', 'targets'];
}

interface RoleFault {
  readonly finding: Finding | undefined;
  /** Where it is found; in the repository itself when left out. */
  readonly expected?: Expected;
  readonly forgery?: Forgery;
  readonly before?: (repository: Repository) => void;
  /** The next root; left out: there is one only where the fault is of the root. */
  readonly root?: (repository: Repository) => void;
}

/** Undefined: this role cannot have it. */
type MakeFault = (role: TopRole, profile: Profile, name: RepositoryName) => RoleFault | undefined;

function onRole(
  name: string,
  profile: Profile,
  where: RepositoryName,
  role: TopRole,
  made: RoleFault,
): Fault {
  return {
    name: `${profile} ${name}`,
    profile,
    change: (pair) => {
      const repository = pair.get(where);
      if (made.root || role === 'root') repository.nextRoot(() => made.root?.(repository));
      made.before?.(repository);
      if (made.forgery) repository.forgeries[role] = made.forgery;
    },
    expected: made.expected ?? (made.finding ? { [where]: made.finding } : {}),
  };
}

const ROLE_FAULTS: Readonly<Record<string, MakeFault>> = {
  expired: () => ({ finding: 'EXPIRED', forgery: { signed: put('expires', EXPIRED) } }),
  'no signatures': () => ({ finding: 'SIGNATURES', forgery: { signers: [] } }),
  'signed by an unknown key': () => ({ finding: 'SIGNATURES', forgery: { signers: [STRANGER] } }),
  'another key signs under the id of the right one': () => ({
    finding: 'SIGNATURES',
    forgery: { signatures: (honest) => honest.map((one) => ({ ...one, sig: wrong(`${one.sig}`) })) },
  }),
  'one signature twice': () => ({
    finding: 'SIGNATURE_DUPLICATE',
    forgery: { signatures: (honest) => [...honest, ...honest] },
  }),
  'fewer signatures than its threshold': (role) => ({
    finding: 'SIGNATURES',
    root: (repository) => {
      repository.keys[role] = [...repository.keys[role], repository.newKey()];
      repository.thresholds[role] = 2;
    },
    before: (repository) => {
      repository.forgeries[role] = { signers: repository.keys[role].slice(0, 1) };
    },
  }),
  'a threshold of two, and two signatures': (role) => ({
    finding: undefined,
    root: (repository) => {
      repository.keys[role] = [...repository.keys[role], repository.newKey()];
      repository.thresholds[role] = 2;
    },
  }),
  'a threshold of zero': (role) => ({
    finding: 'THRESHOLD_INVALID',
    root: (repository) => {
      repository.thresholds[role] = 0;
    },
  }),
  'a threshold below zero': (role) => ({
    finding: 'THRESHOLD_INVALID',
    root: (repository) => {
      repository.thresholds[role] = -1;
    },
  }),
  'its key rotated by the root': (role) => ({
    finding: undefined,
    root: (repository) => {
      repository.keys[role] = [repository.newKey()];
    },
  }),
  'signed by the key before its rotation': (role) => {
    const keys: UptaneKey[] = [];
    return {
      finding: 'SIGNATURES',
      root: (repository) => {
        keys.push(...repository.keys[role]);
        repository.keys[role] = [repository.newKey()];
      },
      before: (repository) => {
        repository.forgeries[role] = { signers: keys };
      },
    };
  },
  'its key listed under another id': (role) => ({
    finding: 'SIGNATURES',
    root: (repository) => {
      repository.forgeries.root = { signed: renameKey(role) };
    },
  }),
  'of another type': () => ({ finding: 'TYPE_MISMATCH', forgery: { signed: put('_type', 'invalidrole') } }),
  'altered after it was signed': (role, profile, name) => ({
    finding: isListed(role, profile, name) ? 'HASH_MISMATCH' : 'SIGNATURES',
    forgery: { served: (file) => bytes(Buffer.from(file).toString().replace('2037', '2036')) },
  }),
  'too long': (role, profile, name) => ({
    finding: 'TOO_LONG',
    ...(role === 'targets' && profile === 'legacy' && { expected: unread(name) }),
    forgery: { served: (file) => padded(file, hasLength(role, profile) ? 1 : LIMITS[role]) },
  }),
  'missing [drop-request]': (role) =>
    role === 'root' ? undefined : { finding: 'NOT_FOUND', forgery: { served: () => undefined } },
  'an older version [rollback]': (role, profile, name) => ({
    finding: role === 'root' ? 'ROOT_VERSION' : rollbackOf(role, profile, name),
    ...(role === 'root'
      ? { forgery: { signed: put('version', 1) } }
      : { before: ({ versions }) => versions[role]-- && versions[role]-- }),
  }),
  'a version beyond the next': (role) =>
    role === 'root' ? { finding: 'ROOT_VERSION', forgery: { signed: put('version', 3) } } : undefined,
  'two new ones at once, with a new key each': (role) => (role === 'root' ? twoRoots() : undefined),
  'signed by the new keys alone': (role) => onlyRoot(role, (_, now) => now),
  'signed by the old keys alone': (role) => onlyRoot(role, (before) => before),
};

/** The most bytes of a file whose length nobody announces. */
const LIMITS: Readonly<Record<TopRole, number>> = {
  root: 512_000,
  timestamp: 16_384,
  snapshot: 2_000_000,
  targets: 5_000_000,
};

/** Whether another file says which bytes it has: legacy snapshots list versions alone. */
function isListed(role: TopRole, profile: Profile, name: RepositoryName): boolean {
  if (profile === 'legacy') return role === 'snapshot' && name === 'image';
  return role === 'snapshot' || role === 'targets';
}

/** Whether another file says how long it may be: a legacy length may be that of the canonical form, and binds nobody. */
function hasLength(role: TopRole, profile: Profile): boolean {
  return profile === 'modern' && (role === 'snapshot' || role === 'targets');
}

function rollbackOf(role: TopRole, profile: Profile, name: RepositoryName): Finding {
  if (role === 'timestamp' || (profile === 'legacy' && name === 'director')) return 'ROLLBACK';
  return 'SNAPSHOT_ROLLBACK';
}

/** Published vectors hold against no repository that its targets are longer than a client reads. */
function unread(name: RepositoryName): Expected {
  return { targets: { [name === 'director' ? 'targets.json' : FILE]: 'TOO_LONG' } };
}

function twoRoots(): RoleFault {
  const rotate = (repository: Repository) => {
    repository.keys.root = [repository.newKey()];
  };
  return {
    finding: undefined,
    root: rotate,
    before: (repository) => repository.publish().nextRoot(() => rotate(repository)),
  };
}

/** A rotation of the root that lacks the signatures of one side. */
function onlyRoot(
  role: TopRole,
  signers: (before: readonly UptaneKey[], now: readonly UptaneKey[]) => readonly UptaneKey[],
): RoleFault | undefined {
  if (role !== 'root') return undefined;
  let before: readonly UptaneKey[] = [];
  return {
    finding: 'SIGNATURES',
    root: (repository) => {
      before = repository.keys.root;
      repository.keys.root = [repository.newKey()];
    },
    before: (repository) => {
      repository.forgeries.root = { signers: signers(before, repository.keys.root) };
    },
  };
}

/** Another signature of the same length. */
function wrong(sig: string): string {
  return (sig.startsWith('A') || sig.startsWith('a') ? 'b' : 'a') + sig.slice(1);
}

function padded(file: Uint8Array, by: number): Uint8Array {
  return Buffer.concat([file, Buffer.alloc(by, ' ')]);
}

/** The role names its key as before, and the list of keys has it under another id. */
function renameKey(role: TopRole): Change {
  return (signed) => {
    const { keys, roles } = signed as unknown as {
      keys: Record<string, unknown>;
      roles: Record<string, { keyids: string[] }>;
    };
    const [id = ''] = roles[role]?.keyids ?? [];
    keys[`${wrong(id)}`] = keys[id];
    delete keys[id];
  };
}

// ---- what the two say of the targets ----

type Named = readonly [
  name: string,
  change: (pair: Pair) => void,
  expected: Expected | Readonly<Record<Profile, Expected>>,
];

/** Faults of the targets, in both profiles unless the profile has no such field. */
export function targetFaults(): Fault[] {
  const both = [...DIRECTOR_TARGETS, ...MATCHING, ...SUPPLIERS, ...BYTES].flatMap(inBoth);
  const modern = MODERN.map((named) => of('modern', named));
  const legacy = LEGACY.map((named) => of('legacy', named));
  return [...both, ...modern, ...legacy, ...ENDLESS];
}

function of(profile: Profile, [name, change, expected]: Named): Fault {
  const one = 'modern' in expected ? expected[profile] : expected;
  return { name: `${profile} ${name}`, profile, change, expected: one };
}

/** Faults that a client of the Image repository alone finds too: it knows nothing of ECUs and hardware. */
export function imageFaults(): Fault[] {
  const ofRoles = roleFaults().filter(({ name }) => name.includes(' image '));
  return [...ofRoles, ...[...SUPPLIERS, ...BYTES].flatMap(inBoth), ...ENDLESS];
}

function inBoth(named: Named): Fault[] {
  return PROFILES.map((profile) => of(profile, named));
}

const OTHER = 'app/gw-1/3.0.0/app.bin';
const refusedTarget = (finding: Finding): Expected => ({ targets: { [FILE]: finding } });

/** Uptane 2.1.0, 5.4.4.5: what a Director's targets must not be. */
const DIRECTOR_TARGETS: readonly Named[] = [
  ['nothing new', () => undefined, {}],
  [
    'the Director has nothing for this vehicle',
    ({ director }) => {
      director.targets = {};
    },
    { targets: {} },
  ],
  [
    'one target of two for an unknown ECU: nothing of it counts',
    (pair) => pair.list(OTHER, 'third', { director: toEcu('none') }),
    { targets: { [FILE]: 'ECU_UNKNOWN', [OTHER]: 'ECU_UNKNOWN' } },
  ],
  [
    'the Director delegates',
    ({ director }) => {
      director.delegations = [supplier({ targets: {} })];
    },
    { director: 'DIRECTOR_DELEGATES' },
  ],
  ['one ECU twice [mix-and-match]', (pair) => pair.list(OTHER, 'third'), { director: 'ECU_DUPLICATE' }],
  [
    'an ECU that the vehicle does not have',
    ({ director }) => toEcu('gateway-0002')(director.targets[FILE] ?? {}),
    refusedTarget('ECU_UNKNOWN'),
  ],
  [
    'the Director names another hardware id [wrong hardware]',
    ({ director }) =>
      put('custom', 'ecuIdentifiers', ECU, 'hardwareId', 'gw-2')(director.targets[FILE] ?? {}),
    refusedTarget('HARDWARE_MISMATCH'),
  ],
];

/** 5.4.4.2: Director and Image repository must agree. */
const MATCHING: readonly Named[] = [
  [
    'another length in the Director',
    ({ director }) => put('length', 5)(director.targets[FILE] ?? {}),
    refusedTarget('TARGET_MISMATCH'),
  ],
  [
    'another length in the Image repository',
    ({ image }) => put('length', 5)(image.targets[FILE] ?? {}),
    refusedTarget('TARGET_MISMATCH'),
  ],
  [
    'another hash in the Director [arbitrary software]',
    ({ director }) => put('hashes', 'sha256', '00'.repeat(32))(director.targets[FILE] ?? {}),
    refusedTarget('TARGET_MISMATCH'),
  ],
  [
    'another hash in the Image repository [arbitrary software]',
    ({ image }) => put('hashes', 'sha256', '00'.repeat(32))(image.targets[FILE] ?? {}),
    refusedTarget('TARGET_MISMATCH'),
  ],
  [
    'no hash that both have',
    ({ director, image }) => {
      drop('hashes', 'sha512')(director.targets[FILE] ?? {});
      drop('hashes', 'sha256')(image.targets[FILE] ?? {});
    },
    refusedTarget('TARGET_MISMATCH'),
  ],
  [
    'one hash in common is enough',
    ({ director }) => drop('hashes', 'sha512')(director.targets[FILE] ?? {}),
    {},
  ],
  [
    'the Image repository does not list it [arbitrary software, stolen Director]',
    ({ image }) => {
      image.targets = {};
    },
    refusedTarget('TARGET_UNKNOWN'),
  ],
  [
    'a supplier lists another hash',
    (pair) => {
      put('hashes', 'sha256', '00'.repeat(32))(pair.image.targets[FILE] ?? {});
      delegated({})(pair);
    },
    refusedTarget('TARGET_MISMATCH'),
  ],
  ['delegated, for other hardware', delegated({ hardwareIds: ['gw-2'] }), refusedTarget('TARGET_UNKNOWN')],
];

/** TUF 5.6.7: what suppliers sign. */
const SUPPLIERS: readonly Named[] = [
  ['delegated to a supplier', delegated({}), {}],
  ['delegated to a supplier for this hardware', delegated({ hardwareIds: [HARDWARE] }), {}],
  ['delegated, by another path', delegated({ paths: ['other/*/*/*'] }), refusedTarget('TARGET_UNKNOWN')],
  [
    'a terminating delegation before the one that lists it',
    (pair) => {
      delegated({})(pair);
      const first = supplier({ name: 'first', terminating: true, keys: [keyOf('ed25519', 801)] });
      pair.image.delegations.unshift(first);
    },
    refusedTarget('TARGET_UNKNOWN'),
  ],
  ['a supplier that signs nothing', delegated({}, { signers: [] }), ofSupplier('SIGNATURES')],
  ['a supplier signed by a stranger', delegated({}, { signers: [STRANGER] }), ofSupplier('SIGNATURES')],
  [
    'a supplier signed twice by one key',
    delegated({}, { signatures: (honest) => [...honest, ...honest] }),
    ofSupplier('SIGNATURE_DUPLICATE'),
  ],
  ['a supplier with a threshold of zero', delegated({ threshold: 0 }), ofSupplier('THRESHOLD_INVALID')],
  [
    'a supplier below its threshold',
    delegated({ threshold: 2, keys: [keyOf('ed25519', 800), STRANGER] }, { signers: [STRANGER] }),
    ofSupplier('SIGNATURES'),
  ],
  [
    'a supplier with two signatures',
    delegated({ threshold: 2, keys: [keyOf('ed25519', 800), STRANGER] }),
    {},
  ],
  ['a supplier whose key is not listed', delegated({ listedKeys: () => ({}) }), ofSupplier('SIGNATURES')],
  [
    'a supplier whose key is listed under another id',
    delegated({ listedKeys: (keys) => renamed(keys) }),
    ofSupplier('SIGNATURES'),
  ],
  ['a supplier that lists nothing', delegated({ targets: {} }), refusedTarget('TARGET_UNKNOWN')],
  [
    'a supplier that signs nothing, of what the repository lists itself: he is not asked',
    (pair) => {
      const { targets } = pair.image;
      delegated({}, { signers: [] })(pair);
      pair.image.targets = targets;
    },
    {},
  ],
  [
    // Published vectors hold it against the target alone.
    'a supplier that is expired',
    delegated({ expires: EXPIRED }),
    { modern: ofSupplier('EXPIRED'), legacy: refusedTarget('EXPIRED') },
  ],
  [
    'a supplier that the snapshot does not list',
    delegated({ listed: undefined }),
    ofSupplier('ROLE_UNLISTED'),
  ],
  ['a supplier older than the snapshot says', delegated({ listed: 2 }), ofSupplier('VERSION_MISMATCH')],
  ['a supplier whose file is missing', delegated({}, { served: () => undefined }), ofSupplier('NOT_FOUND')],
];

/** What is in the one form alone, or found by another name. */
const LEGACY: readonly Named[] = [
  [
    'both list other hardware [wrong hardware]',
    ({ director, image }) => {
      put('custom', 'ecuIdentifiers', ECU, 'hardwareId', 'gw-2')(director.targets[FILE] ?? {});
      put('custom', 'hardwareIds', ['gw-2'])(image.targets[FILE] ?? {});
    },
    refusedTarget('HARDWARE_MISMATCH'),
  ],
  [
    'a snapshot of newer targets than there are [mix-and-match]',
    ({ image }) => {
      image.forgeries.snapshot = { signed: put('meta', 'targets.json', 'version', 4) };
    },
    { image: 'VERSION_MISMATCH' },
  ],
  [
    'the Image repository lists other hardware [wrong hardware]',
    ({ image }) => put('custom', 'hardwareIds', ['gw-2'])(image.targets[FILE] ?? {}),
    refusedTarget('HARDWARE_MISMATCH'),
  ],
  [
    // Published vectors hold that a server may do so.
    'an Image repository that changes under the same versions',
    (pair) => {
      for (const role of ['timestamp', 'snapshot', 'targets'] as const) pair.image.versions[role]--;
      pair.image.listsHashes = true;
      pair.director.targets = {};
      pair.list(OTHER, 'third');
    },
    { targets: { [OTHER]: null } },
  ],
];
const MODERN: readonly Named[] = [
  [
    'the Image repository lists other hardware [mix-and-match]',
    ({ image }) => put('custom', 'hardwareIds', ['gw-2'])(image.targets[FILE] ?? {}),
    refusedTarget('CUSTOM_MISMATCH'),
  ],
  [
    'both list other hardware [wrong hardware]',
    ({ director, image }) => {
      for (const { targets } of [director, image])
        put('custom', 'hardwareIds', ['gw-2'])(targets[FILE] ?? {});
    },
    refusedTarget('HARDWARE_MISMATCH'),
  ],
  [
    'another release counter in the Director [rollback with a stolen Director]',
    ({ director }) => put('custom', 'releaseCounter', 9)(director.targets[FILE] ?? {}),
    refusedTarget('CUSTOM_MISMATCH'),
  ],
  [
    'another security counter in the Image repository',
    ({ image }) => put('custom', 'securityCounter', 0)(image.targets[FILE] ?? {}),
    refusedTarget('CUSTOM_MISMATCH'),
  ],
];

/** 5.4.4.2 and 5.5.2: the bytes of an image. */
const BYTES: readonly Named[] = [
  [
    'bytes that were altered [arbitrary software]',
    (pair) => pair.store(FILE, CONTENT, CONTENT.replace('second', 'fourth')),
    refusedTarget('HASH_MISMATCH'),
  ],
  [
    'a byte too many [endless data]',
    (pair) => pair.store(FILE, CONTENT, `${CONTENT}!`),
    refusedTarget('TOO_LONG'),
  ],
  ['a byte too few', (pair) => pair.store(FILE, CONTENT, CONTENT.slice(1)), refusedTarget('LENGTH_MISMATCH')],
  ['bytes that are not there [drop-request]', (pair) => removeImage(pair), refusedTarget('NOT_FOUND')],
];

/** A server that goes on for ever, and does not say how long. */
const ENDLESS: readonly Fault[] = PROFILES.map((profile) => ({
  name: `${profile} bytes that do not end [endless data]`,
  profile,
  change: () => undefined,
  conduct: (path, response) => {
    if (!path.includes('/targets/')) return false;
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
    return true;
  },
  expected: refusedTarget('TOO_LONG'),
}));

function toEcu(serial: string): Change {
  return put('custom', 'ecuIdentifiers', { [serial]: { hardwareId: HARDWARE } });
}

function removeImage({ image }: Pair): void {
  for (const path of image.files.keys()) if (path.startsWith('targets/')) image.files.delete(path);
}

/** The keys under ids that are not theirs. */
function renamed(keys: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(keys).map(([id, key]) => [wrong(id), key]));
}

function supplier(changes: Partial<Delegated>): Delegated {
  const key = keyOf('ed25519', 800);
  return { name: 'supplier', paths: ['app/*/*/*'], keys: [key], targets: {}, ...changes };
}

/** The target moves from the top-level targets to those of a supplier. */
function delegated(changes: Partial<Delegated>, forgery: Forgery = {}): (pair: Pair) => void {
  return ({ image }) => {
    image.delegations = [supplier({ targets: { [FILE]: image.targets[FILE] ?? {} }, ...changes })];
    image.targets = {};
    image.forgeries.supplier = forgery;
  };
}

/** What is wrong with a delegated role is the Image repository's, and keeps what was looked for from being found. */
function ofSupplier(finding: Finding): Expected {
  return { image: finding, targets: { [FILE]: finding } };
}
