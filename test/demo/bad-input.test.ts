// npm start with what people give it by mistake: one line that names the thing and the way out, and nothing written.
import { existsSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/folders.ts';
import { npmStart } from './npm-start.ts';

const HINT = 'give the path of a firmware image, or none to take the one that comes along';

let project: string;

beforeEach(() => {
  project = temporaryFolder();
  writeFileSync(join(project, 'empty.bin'), '');
  writeFileSync(join(project, 'large.bin'), '');
  truncateSync(join(project, 'large.bin'), 2_097_089);
  mkdirSync(join(project, 'folder'));
  symlinkSync('loop', join(project, 'loop'));
});

test.each([
  ['a missing file', ['none.bin'], 1, `✗ PROJECT/none.bin does not exist; ${HINT}`],
  ['an empty file', ['empty.bin'], 1, `✗ PROJECT/empty.bin is empty; ${HINT}`],
  [
    'a file too large',
    ['large.bin'],
    1,
    '✗ PROJECT/large.bin has 2,097,089 bytes; give one of up to 2,097,088',
  ],
  ['a folder', ['folder'], 1, '✗ PROJECT/folder is a folder; name the image file in it'],
  ['a device', ['/dev/null'], 1, `✗ /dev/null is not a file; ${HINT}`],
  [
    'an unreadable file',
    ['loop'],
    1,
    "✗ PROJECT/loop cannot be read: ELOOP: too many symbolic links encountered, stat 'PROJECT/loop'",
  ],
  ['an option that there is not', ['--fast'], 2, "✗ unknown option '--fast'; try: npm start -- --help"],
  [
    'two files',
    ['a.bin', 'b.bin'],
    2,
    '✗ too many arguments. Expected 1 argument but got 2; try: npm start -- --help',
  ],
])('%s', async (_, args, status, line) => {
  const before = readdirSync(project);
  expect(await npmStart(args, project)).toEqual({
    status,
    stdout: '',
    stderr: `${line.replaceAll('PROJECT', project)}\n`,
  });
  expect(readdirSync(project)).toEqual(before);
});

test('with --json a refusal is an object with its code', async () => {
  const { status, stdout, stderr } = await npmStart(['empty.bin', '--json'], project);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    error: { code: 'file-empty', message: `${join(project, 'empty.bin')} is empty; ${HINT}` },
  });
});

test('what an earlier demo left stays when a new one is refused', async () => {
  mkdirSync(join(project, '.moult-demo'));
  writeFileSync(join(project, '.moult-demo/kept'), '');
  await npmStart(['none.bin'], project);
  expect(existsSync(join(project, '.moult-demo/kept'))).toBe(true);
});

test('a relative path starts where npm was called', async () => {
  const { stderr } = await npmStart(['empty.bin'], project, { INIT_CWD: join(project, 'folder') });
  expect(stderr).toContain(`${join(project, 'folder', 'empty.bin')} does not exist`);
});

test('a folder that cannot be written is one line too', async () => {
  writeFileSync(join(project, 'app.bin'), 'x');
  const { status, stderr } = await npmStart([join(project, 'app.bin')], join(project, 'app.bin'));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^✗ ENOTDIR: [^\n]+\n$/);
});
