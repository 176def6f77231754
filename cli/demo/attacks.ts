// Somebody owns the network of one board: what they try, and what the board says.
import { Role, Status } from '../../host/node/abi.ts';
import type { SigningKey } from '../../repo/index.ts';
import type { Attacker } from '../../sim/attacker.ts';
import type { Output } from '../output.ts';
import { expectState } from './board.ts';
import { type Finding, findingName } from './finding.ts';
import { FACTORY, type Version } from './images.ts';
import type { SimBoard } from './simboard.ts';

export interface AttackRow {
  readonly attack: string;
  readonly did: string;
  readonly finding: string;
  /** The version that runs after it. */
  readonly runs: string;
  /** It is what must happen. */
  readonly expected: boolean;
}

export interface Scene {
  readonly attacker: Attacker;
  /** Runs an old version; a newer one is there to be had. */
  readonly board: SimBoard;
  /** Runs the factory version, on hardware that no release is for. */
  readonly stranger: SimBoard;
  readonly stolenKeys: readonly SigningKey[];
}

interface Attack {
  readonly attack: string;
  readonly did: string;
  begin(scene: Scene): void;
  /** What the board may say to it. */
  readonly says: readonly Finding[];
}

const DAY = 86_400;

const ATTACKS: readonly Attack[] = [
  {
    // Before all others, while the attacker has not seen the newest timestamp pass.
    attack: 'freeze',
    did: 'keeps the old timestamp for days',
    begin({ attacker, board }) {
      attacker.freeze();
      board.clock.ahead = 2 * DAY * 1000;
    },
    says: [{ status: Status.EXPIRED, role: Role.TIMESTAMP }],
  },
  {
    attack: 'rollback',
    did: 'serves the first metadata again',
    begin: ({ attacker }) => attacker.rollBack(),
    says: [{ status: Status.ROLLBACK, role: Role.TIMESTAMP }],
  },
  {
    attack: 'tampered metadata',
    did: 'raises a version number',
    begin: ({ attacker }) => attacker.tamperMetadata('timestamp'),
    says: [{ status: Status.SIGNATURES, role: Role.TIMESTAMP }],
  },
  {
    attack: 'mix-and-match',
    did: 'slips the first targets in',
    begin: ({ attacker }) => attacker.mixAndMatch('targets'),
    says: [Status.HASH_MISMATCH, Status.LENGTH_MISMATCH].map((status) => ({ status, role: Role.TARGETS })),
  },
  {
    attack: 'stolen timestamp key',
    did: 'signs for the first snapshot',
    begin: ({ attacker, stolenKeys }) =>
      attacker.useTimestampKeys(stolenKeys, Math.floor(Date.now() / 1000) + 365 * DAY),
    says: [{ status: Status.SNAPSHOT_ROLLBACK, role: Role.TIMESTAMP }],
  },
  {
    attack: 'tampered image',
    did: 'flips one bit of the image',
    begin: ({ attacker }) => attacker.tamperImages(),
    says: [{ status: Status.IMAGE_MISMATCH, role: Role.IMAGE }],
  },
  {
    attack: 'endless data',
    did: 'sends an image without end',
    begin: ({ attacker }) => attacker.endlessData('image'),
    says: [{ status: Status.TOO_LONG, role: Role.IMAGE }],
  },
];

/** Makes all attacks. After each the network is honest again, and the board must get `newest`. */
export async function attackAll(
  scene: Scene,
  newest: Version,
  output: Output,
): Promise<readonly AttackRow[]> {
  const before = scene.board.runs;
  const rows: AttackRow[] = [];
  const bar = output.progress('attacks', ATTACKS.length + 1);
  try {
    for (const attack of ATTACKS) {
      bar.update(rows.length, attack.attack);
      rows.push(await attackOnce(attack, scene, before, newest));
    }
    bar.update(rows.length, 'wrong hardware');
    return [...rows, await wrongHardware(scene)];
  } finally {
    bar.stop();
  }
}

async function attackOnce(
  attack: Attack,
  scene: Scene,
  before: Version | undefined,
  newest: Version,
): Promise<AttackRow> {
  const { attacker, board } = scene;
  const contents = board.device.snapshot();
  attack.begin(scene);
  const outcome = await board.update();
  const row = describe(attack, board, outcome, before);
  attacker.stop();
  board.clock.ahead = 0;
  expectState(board, await board.update(), { status: Status.UP_TO_DATE, runs: newest });
  board.device.restore(contents);
  return row;
}

/** Nothing is forged here: what is signed for one kind of board is brought to another. */
async function wrongHardware({ stranger }: Scene): Promise<AttackRow> {
  const attack = {
    attack: 'wrong hardware',
    did: 'lures a board of another kind',
    says: [{ status: Status.NOT_FOR_HARDWARE, role: Role.NONE }],
  };
  return describe(attack, stranger, await stranger.update(), FACTORY);
}

function describe(
  { attack, did, says }: Omit<Attack, 'begin'>,
  board: SimBoard,
  outcome: Finding,
  version: Version | undefined,
): AttackRow {
  const said = says.some(({ status, role }) => status === outcome.status && role === outcome.role);
  return {
    attack,
    did,
    finding: findingName(outcome),
    runs: board.runs ?? 'no whole image',
    expected: said && board.runs === version,
  };
}
