// What a manifest that counts says of itself: images that nobody released, that go backwards, attacks that ECUs saw.
import type { EcuReport } from '../../repo/director/manifest.ts';
import type { Notice } from '../../repo/director/verdict.ts';
import type { Write } from './database.ts';

export interface Noticed {
  readonly serial: string;
  readonly kind: Notice;
  readonly detail: string;
}

interface Known {
  readonly listed: boolean;
  readonly name: string;
  readonly component: string;
  readonly counter: number;
}

/** `before`: of each ECU whose image changed, the SHA-256 of the one before. */
export async function notices(
  write: Write,
  reports: readonly EcuReport[],
  before: ReadonlyMap<string, string>,
): Promise<Noticed[]> {
  const changed = reports.filter(({ serial }) => before.has(serial));
  const known = await knownImages(write, [...changed.map(({ image }) => image.sha256), ...before.values()]);
  const images = changed.flatMap(({ serial, image }) => {
    const notice = ofImage(image.sha256, known.get(image.sha256), known.get(before.get(serial) ?? ''));
    return notice === undefined ? [] : [{ serial, ...notice }];
  });
  const attacks = reports
    .filter((report) => report.attacks !== '')
    .map(({ serial, attacks: detail }) => ({ serial, kind: 'attack-reported' as const, detail }));
  return [...images, ...attacks];
}

function ofImage(
  sha256: string,
  image: Known | undefined,
  earlier: Known | undefined,
): Omit<Noticed, 'serial'> | undefined {
  if (image === undefined)
    return { kind: 'unknown-image', detail: `the Image repository has no image with the SHA-256 ${sha256}` };
  // The Director never directs an ECU below what it has.
  if (earlier?.component === image.component && earlier.counter > image.counter)
    return { kind: 'unexpected-downgrade', detail: `from ${earlier.name} to ${image.name}` };
  if (!image.listed)
    return { kind: 'withdrawn-image', detail: `${image.name} is not in the Image repository any more` };
  return undefined;
}

async function knownImages(write: Write, digests: readonly string[]): Promise<Map<string, Known>> {
  if (digests.length === 0) return new Map();
  const rows = write.selectFrom('releases').select(['sha256', 'custom', 'listed']);
  const found = await rows.where('sha256', 'in', [...new Set(digests)]).execute();
  return new Map(
    found.map(({ sha256, custom, listed }) => {
      const { component, version, releaseCounter } = JSON.parse(custom);
      const name = `${component} ${version}`;
      return [sha256, { listed: listed === 1, name, component, counter: releaseCounter }];
    }),
  );
}
