import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { STATUS_TEXTS, Status } from '../../host/node/abi.ts';
import { generate, projectRoot } from '../../scripts/abi.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'moult-abi-'));
  for (const part of ['assembly', 'asconfig.json', 'build/moult.wasm'])
    cpSync(join(projectRoot(), part), join(folder, part), { recursive: true });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function change(path: string, from: string, to: string): void {
  const source = readFileSync(join(folder, path), 'utf8');
  expect(source).toContain(from);
  writeFileSync(join(folder, path), source.replace(from, to));
}

test('the same core gives the same files, wherever it lies', () => {
  expect(generate(folder)).toEqual(generate(projectRoot()));
});

test('a status keeps its finding and the attack that it stops apart', () => {
  expect(STATUS_TEXTS.get(Status.EXPIRED)).toEqual({ name: 'EXPIRED', message: 'expired', attack: 'freeze' });
  expect(STATUS_TEXTS.get(Status.OK)).toEqual({ name: 'OK', message: 'done', attack: '' });
  expect([...STATUS_TEXTS.keys()].sort()).toEqual(Object.values(Status).sort());
});

test('a number without its meaning is refused', () => {
  change('assembly/status.ts', '  /** done */\n', '');
  expect(() => generate(folder)).toThrow('Status: a member has no doc comment');
});

test('an export that the sources do not name is refused', () => {
  change('assembly/small.ts', 'agent_step,', '');
  expect(() => generate(folder)).toThrow('exports agent_step, which assembly/index.ts does not');
});

test('the C header names every export and import with its signature', () => {
  const header = generate(folder).get('host/wasm3/moult_abi.h') ?? '';
  expect(header).toContain('X(fetch_write, "i(i)")');
  expect(header).toContain('X(flash_write, "i(iiii)")');
  expect(header).toContain('MOULT_STATUS_ROLLBACK = -42,');
  expect(header).toContain('X(ROLLBACK, -42, "a version lower than the trusted one", "rollback")');
});
