// moult.toml: what an operator may change by hand. Keys and thresholds are not here: they are in the signed root.
import { basename } from 'node:path';
import { parse, stringify, TomlError } from 'smol-toml';
import { messageOf, RepositoryError } from './errors.ts';
import { checkCounter, checkText, MAX_NAME } from './limits.ts';
import { ROLES, type RoleName } from './metadata.ts';
import type { Factory } from './set.ts';
import { formatDuration, parseDuration } from './time.ts';

export interface Config {
  readonly name: string;
  /** The largest image that a release may have, in bytes. */
  readonly maxImageSize: number;
  /** Seconds for which a new signature of each role holds. */
  readonly expiry: Readonly<Record<RoleName, number>>;
  /** What releases may require although it is no release here. */
  readonly factory: Factory;
}

export const CONFIG_NAME = 'moult.toml';

const DAY = 86_400;
export const DEFAULT_EXPIRY: Readonly<Record<RoleName, number>> = {
  root: 365 * DAY,
  timestamp: DAY,
  snapshot: 7 * DAY,
  targets: 90 * DAY,
};
/** More flash than any microcontroller here has for an image. */
export const DEFAULT_MAX_IMAGE_SIZE = 64 * 1024 * 1024;

export function formatConfig(config: Config): string {
  return `# A moult repository. Keys and thresholds are in public/metadata/N.root.json, signed; change them with "moult role".
${stringify({ name: config.name, max_image_size: config.maxImageSize })}
${formatExpiry(config.expiry)}`;
}

export function formatExpiry({ root, targets, snapshot, timestamp }: Config['expiry']): string {
  const durations = Object.entries({ root, targets, snapshot, timestamp }).map(([role, seconds]) => [
    role,
    formatDuration(seconds),
  ]);
  return `# How long a new signature of each role holds: 365d, 12h, 30m, 45s.
[expiry]
${stringify(Object.fromEntries(durations))}`;
}

/** Refuses with `repository-corrupt`, naming the file and the entry. */
export function parseConfig(text: string, path: string): Config {
  const table = parseToml(text, path);
  const name = table.name ?? basename(path);
  const maxImageSize = table.max_image_size ?? DEFAULT_MAX_IMAGE_SIZE;
  if (typeof name !== 'string' || name === '') throw corrupt(path, 'name is not a text');
  if (typeof maxImageSize !== 'number' || maxImageSize < 1)
    throw corrupt(path, 'max_image_size is not a number of bytes');
  const factory = parseFactory(table.factory ?? {}, path);
  return { name, maxImageSize, expiry: parseExpiry(table.expiry ?? {}, path), factory };
}

function parseFactory(value: unknown, path: string): Factory {
  if (typeof value !== 'object' || value === null) throw corrupt(path, 'factory is not a table');
  for (const [component, counter] of Object.entries(value)) {
    try {
      checkText('component', component, MAX_NAME);
      checkCounter('release counter', counter, 0);
    } catch (error) {
      throw corrupt(path, `factory.${component}: ${messageOf(error)}`);
    }
  }
  return value as Factory;
}

export function parseToml(text: string, path: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    const where = error instanceof TomlError ? ` in line ${error.line}` : '';
    throw new RepositoryError('repository-corrupt', `${path} is not TOML${where}`, error);
  }
}

/** Durations by role; a role that is left out has the default. */
export function parseExpiry(
  value: unknown,
  path: string,
  defaults = DEFAULT_EXPIRY,
): Record<RoleName, number> {
  const expiry = { ...defaults };
  for (const [role, duration] of Object.entries(value ?? {})) {
    if (!isRole(role)) throw corrupt(path, `expiry has an unknown role "${role}"`);
    if (typeof duration !== 'string') throw corrupt(path, `expiry.${role} is not a duration such as "90d"`);
    try {
      expiry[role] = parseDuration(duration);
    } catch (error) {
      throw new RepositoryError(
        'repository-corrupt',
        `${path}: expiry.${role}: ${String(duration)} is no duration`,
        error,
      );
    }
  }
  return expiry;
}

export function isRole(name: string): name is RoleName {
  return (ROLES as readonly string[]).includes(name);
}

function corrupt(path: string, what: string): RepositoryError {
  return new RepositoryError('repository-corrupt', `${path}: ${what}`);
}
