// Boards that judge images by their format, each with the smallest image that it takes.
import { BootKey, CHIP, esp32Image, FIELD, mcubootImage } from '../fixtures/images.ts';

const ED25519 = new BootKey('ed25519');
const P256 = new BootKey('p256');
const VENDOR = { type: FIELD.vendor, value: Buffer.alloc(5, 7) };
const ESP32 = { imageFormat: 'esp32', chipId: CHIP } as const;
const MCUBOOT = { imageFormat: 'mcuboot' } as const;

export const BOARDS = [
  { name: 'ESP32', board: ESP32, image: esp32Image({ segments: [] }) },
  { name: 'MCUboot', board: MCUBOOT, image: mcubootImage({ payload: 8, shielded: [VENDOR] }) },
  {
    name: 'MCUboot, Ed25519',
    board: { ...MCUBOOT, bootKey: ED25519.hex },
    image: mcubootImage({ payload: 8, key: ED25519 }),
  },
  {
    name: 'MCUboot, Ed25519 over all bytes',
    board: { ...MCUBOOT, bootKey: ED25519.hex },
    image: mcubootImage({ payload: 8, key: ED25519, pure: true }),
  },
  {
    name: 'MCUboot, P-256',
    board: { ...MCUBOOT, bootKey: P256.hex },
    image: mcubootImage({ payload: 8, key: P256 }),
  },
];
