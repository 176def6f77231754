// The machines of host/qemu: what their programs are called, where their two banks have what, and how QEMU is started.
import { type Geometry, uniformGeometry } from '../host/node/flash.ts';

export interface Machine {
  /** As in the names of figures. */
  readonly name: string;
  readonly qemu: string;
  /** Below build/: its programs, and its image whose core is compiled ahead of time. */
  readonly folder: string;
  readonly compiledFolder: string;
  /** The first bank never changes; the second is the flash. Sizes in bytes. */
  readonly bankSizes: readonly [number, number];
  /** In the first: what the factory left, and what lies ready to be counted with. */
  readonly factory: number;
  readonly ready: number;
  /** Where the program that runs is linked. */
  readonly window: number;
  /** Of each area of the flash: its geometry, and where it begins in the second bank. */
  readonly geometry: Geometry;
  readonly starts: readonly number[];
  /** Arguments of QEMU, with a file for each bank. */
  readonly command: (banks: readonly [string, string]) => readonly string[];
  /** Its loader is one in the place of MCUboot, which gives a trial one boot in place of three. */
  readonly mcuboot: boolean;
  /** Arguments that make QEMU count instructions. */
  readonly counting: readonly string[];
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** QEMU's `virt`, with the instruction set of an ESP32-C3 and two banks of CFI NOR flash: host/qemu/riscv. */
export const RV32IMC: Machine = {
  name: 'rv32imc',
  qemu: 'qemu-system-riscv32',
  folder: 'qemu',
  compiledFolder: 'qemu-aot',
  bankSizes: [32 * MIB, 32 * MIB],
  factory: MIB,
  ready: 2 * MIB,
  window: 0x40000000,
  geometry: uniformGeometry({
    block: 256 * KIB,
    unit: 4,
    erased: 0xff,
    bank: 256 * KIB,
    slot: 512 * KIB,
  }),
  starts: [0, 256 * KIB, 512 * KIB, 4 * MIB, 8 * MIB, MIB],
  command: ([first, second]) => [
    ...['-M', 'virt', '-cpu', 'rv32,a=off,f=off,d=off', '-m', '16M', '-bios', 'none'],
    ...['-drive', `if=pflash,unit=0,format=raw,file=${first},readonly=on`],
    ...['-drive', `if=pflash,unit=1,format=raw,file=${second}`],
  ],
  mcuboot: false,
  counting: ['-icount', 'shift=0'],
};

/** Arm's MPS2: host/qemu/cortex-m. The memory that is the flash has a file behind it, in the order of a flash file. */
function cortexM(core: string, board: string, bank0: number): Machine {
  const geometry = uniformGeometry({
    block: 4 * KIB,
    unit: 8,
    erased: 0xff,
    bank: 32 * KIB,
    slot: 256 * KIB,
  });
  let end = 0;
  const starts = geometry.map(({ blocks }) => {
    end += blocks.length * 4 * KIB;
    return end - blocks.length * 4 * KIB;
  });
  return {
    name: `cortex-${core}`,
    qemu: 'qemu-system-arm',
    folder: `qemu-${core}`,
    compiledFolder: `qemu-${core}-aot`,
    bankSizes: [3 * MIB, 16 * MIB],
    factory: MIB,
    ready: 2 * MIB,
    window: bank0 + 3 * MIB,
    geometry,
    starts,
    command: ([first, second]) => [
      ...['-M', `mps2-${board},memory-backend=flash`],
      ...['-object', `memory-backend-file,id=flash,size=16M,share=on,mem-path=${second}`],
      ...['-device', `loader,file=${first},addr=${bank0},force-raw=on`],
      ...['-semihosting-config', 'enable=on,target=native'],
    ],
    mcuboot: false,
    counting: ['-icount', 'shift=0,sleep=off', '-rtc', 'clock=vm'],
  };
}

export const CORTEX_M3 = cortexM('m3', 'an385', 0);
export const CORTEX_M4 = cortexM('m4', 'an386', 0);
export const CORTEX_M33 = cortexM('m33', 'an505', 0x10000000);

export const CORTEX_MACHINES: readonly Machine[] = [CORTEX_M3, CORTEX_M4, CORTEX_M33];

/** Each kind of machine once. */
export const MACHINES: readonly Machine[] = [RV32IMC, ...CORTEX_MACHINES];

/** One of them with a loader in the place of MCUboot. */
export const CORTEX_M4_MCUBOOT: Machine = {
  ...CORTEX_M4,
  name: `${CORTEX_M4.name}-mcuboot`,
  folder: `${CORTEX_M4.folder}-mcuboot`,
  compiledFolder: `${CORTEX_M4.folder}-mcuboot-aot`,
  mcuboot: true,
};

export const BOARDS: readonly Machine[] = [...MACHINES, CORTEX_M4_MCUBOOT];
