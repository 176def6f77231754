// What a release has to tell the user: the fields of its `custom` that are for people (docs/formats.md, "A release is a
// target"). They are signed; a field of another kind than it must be is left out.

export const URGENCIES = ['low', 'normal', 'high', 'critical'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface Notice {
  readonly version: string;
  readonly urgency?: Urgency;
  /** Identifiers of the vulnerabilities that it ends: CVE-2026-12345. */
  readonly cves: readonly string[];
  /** What may happen to those who do not install it, by language (RFC 5646). */
  readonly risk: Readonly<Record<string, string>>;
  /** Whether the device stops its work while it is installed. */
  readonly disruptive?: boolean;
  /** Seconds for which it does. */
  readonly expectedDowntime?: number;
  /** The last day on which this product gets security updates: 2031-12-31. */
  readonly supportEnd?: string;
}

/** Reads what `Core.release` gives; undefined: there is no release. */
export function readNotice(custom: Uint8Array): Notice | undefined {
  if (custom.length === 0) return undefined;
  const fields: Record<string, unknown> = JSON.parse(new TextDecoder().decode(custom));
  const { version, urgency, cves, risk, disruptive, expectedDowntime, supportEnd } = fields;
  return {
    version: String(version),
    ...(isUrgency(urgency) && { urgency }),
    cves: Array.isArray(cves) ? cves.filter(isText) : [],
    risk: isObject(risk) ? Object.fromEntries(Object.entries(risk).filter(isNamedText)) : {},
    ...(typeof disruptive === 'boolean' && { disruptive }),
    ...(typeof expectedDowntime === 'number' && { expectedDowntime }),
    ...(isText(supportEnd) && { supportEnd }),
  };
}

function isUrgency(value: unknown): value is Urgency {
  return URGENCIES.some((urgency) => urgency === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNamedText(entry: [string, unknown]): entry is [string, string] {
  return isText(entry[1]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
