// What an image says of itself, and whether a device would take it.
import { RepositoryError } from '../errors.ts';
import { chipName, describeEsp32, type Esp32Image, isEsp32, readEsp32 } from './esp32.ts';
import type { Finding } from './finding.ts';
import { describeMcuboot, isMcuboot, type McubootImage, readMcuboot } from './mcuboot.ts';

export const IMAGE_FORMATS = ['raw', 'esp32', 'mcuboot'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** An image of which nothing is known. */
export interface RawImage {
  readonly format: 'raw';
  readonly findings: readonly Finding[];
}

export type ImageReport = Esp32Image | McubootImage | RawImage;

/** Reads an image in the format that it has, or in the one given: then it must have that (`image-refused`). */
export function inspectImage(image: Buffer, format?: ImageFormat): ImageReport {
  if (format === 'esp32' && !isEsp32(image)) throw refused('it is no ESP32 application image');
  if (format === 'mcuboot' && !isMcuboot(image)) throw refused('it is no MCUboot image');
  if (format !== 'raw' && isEsp32(image)) return readEsp32(image);
  if (format !== 'raw' && isMcuboot(image)) return readMcuboot(image);
  return { format: 'raw', findings: [] };
}

/** Refuses, with `image-refused`, what devices with this counter, and with this chip if it is given, would refuse. */
export function checkImage(image: ImageReport, securityCounter: number, chipId?: number): void {
  const [finding] = image.findings;
  if (finding) throw refused(finding.text, finding.code);
  if (chipId !== undefined && (image.format !== 'esp32' || image.chipId !== chipId)) {
    const found = image.format === 'esp32' ? image.chip : 'no chip that it names';
    throw refused(`it is for ${found}, not for ${chipName(chipId)}`, 'WRONG_CHIP');
  }
  if (image.format !== 'raw' && image.securityCounter !== securityCounter) {
    const counters = `the security counter in it is ${image.securityCounter}, that of the release ${securityCounter}`;
    throw refused(counters, 'IMAGE_COUNTER');
  }
}

/** What a person reads of it, line by line. */
export function describeImage(image: ImageReport): string[] {
  if (image.format === 'esp32') return describeEsp32(image);
  return image.format === 'mcuboot' ? describeMcuboot(image) : ['raw image: it says nothing of itself'];
}

function refused(what: string, code?: string): RepositoryError {
  return new RepositoryError(
    'image-refused',
    `devices would refuse this image${code ? ` (${code})` : ''}: ${what}`,
  );
}
