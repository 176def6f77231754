// What a release tells the user (docs/formats.md, "A release is a target"): signed beside its counters.
import { RepositoryError } from './errors.ts';
import type { Json } from './json.ts';
import type { Check } from './schema.ts';

export const URGENCIES = ['low', 'normal', 'high', 'critical'] as const;

export interface ReleaseNotice {
  readonly urgency?: (typeof URGENCIES)[number];
  /** Vulnerabilities that it ends: CVE-2026-12345. */
  readonly cves?: readonly string[];
  /** What may happen to those who do not install it, by language (RFC 5646). */
  readonly risk?: Readonly<Record<string, string>>;
  readonly disruptive?: boolean;
  /** Seconds for which the device stops its work. */
  readonly expectedDowntime?: number;
  /** The last day on which the product gets security updates, YYYY-MM-DD. */
  readonly supportEnd?: string;
}

/** Bytes of a notice as JSON, at most: each device reads it with its metadata. */
const MOST = 2048;
const DAY = 86_400;

/** Refuses (`bad-argument`) what no device could show. */
export function checkNotice(notice: ReleaseNotice): void {
  const { urgency, cves = [], risk = {}, expectedDowntime = 0, supportEnd } = notice;
  if (urgency !== undefined && !URGENCIES.includes(urgency))
    throw bad(`urgency is one of ${URGENCIES.join(', ')}, not "${urgency}"`);
  for (const cve of cves)
    if (!/^CVE-\d{4}-\d{4,19}$/.test(cve)) throw bad(`"${cve}" is not like CVE-2026-12345`);
  for (const language of Object.keys(risk))
    if (!/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(language))
      throw bad(`"${language}" is no language such as en`);
  if (!Number.isInteger(expectedDowntime) || expectedDowntime < 0 || expectedDowntime > DAY)
    throw bad(`a downtime of ${expectedDowntime} is not a number of seconds up to a day`);
  if (supportEnd !== undefined && !isDay(supportEnd))
    throw bad(`"${supportEnd}" is not a day such as 2031-12-31`);
  const length = Buffer.byteLength(JSON.stringify(notice));
  if (length > MOST) throw bad(`what the release tells takes ${length} bytes; devices take ${MOST}`);
}

/** The notice in a release record. Refuses what is not one. */
export function parseNotice(check: Check, value: Json): ReleaseNotice {
  const notice = check.object(value, 'notice') as unknown as ReleaseNotice;
  checkNotice(notice);
  return notice;
}

function isDay(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true
  );
}

function bad(message: string): RepositoryError {
  return new RepositoryError('bad-argument', message);
}
