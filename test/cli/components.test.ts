// Several components as one update, as a person types and sees it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { moult, moultJson, type Surroundings } from '../fixtures/command-line.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import { imageOf } from '../fixtures/repositories.ts';

let at: Surroundings;

beforeEach(async () => {
  at = { cwd: temporaryFolder() };
  for (const name of ['app', 'radio']) writeFileSync(join(at.cwd, `${name}.bin`), imageOf(name, 5000));
  await moult(['init', 'acme', '--no-encrypt'], at);
});

const acme = (...rest: string[]) => moult(['-C', 'acme', ...rest], at);
const addLine = (component: string, version: string, ...rest: string[]) => {
  const what = ['--component', component, '--version', version, '--hw', 'board'];
  return ['-C', 'acme', 'release', 'add', `${component}.bin`, ...what, ...rest];
};
const add = (...given: Parameters<typeof addLine>) => moult(addLine(...given), at);

test('[CERT-0-2, CERT-C-3] releases of several components, added one by one and published at once', async () => {
  const rules = ['--requires', 'radio>=5,<9', '--requires', 'radio>=2', '--conflicts', 'model<3'];
  expect(await add('app', '1.5.0', ...rules)).toEqual({
    status: 0,
    stdout: `✓ app 1.5.0 for board is staged: 4.9 KiB, release counter 1, security counter 0
· requires radio from release 5 and below 9
· requires radio from release 2
· conflicts with model from release 0 and below 3
  Next: moult publish
`,
    stderr: '',
  });
  const fault =
    'app 1.5.0 requires radio from release 5 and below 9, and there is no release of radio for board (nor is it in [factory] in moult.toml)';
  expect(await acme('publish')).toEqual({ status: 1, stdout: '', stderr: `✗ ${fault}\n` });
  expect((await acme('status')).stderr).toContain(`! ${fault}\n`);
  await add('radio', '2.0.0', '--counter', '5');
  expect((await acme('publish')).stdout).toBe(`✓ targets 2 is signed, until 2027-04-15T08:00:00Z
✓ snapshot 2 is signed, until 2027-01-22T08:00:00Z
✓ timestamp 2 is signed, until 2027-01-16T08:00:00Z
✓ app/board/1.5.0/app.bin is published
✓ radio/board/2.0.0/radio.bin is published
  Next: moult serve
`);
});

test('[CERT-C-3] newest releases in conflict are refused, with the code for programs', async () => {
  await add('app', '1.0.0', '--conflicts', 'radio>=7');
  await add('radio', '3.1', '--counter', '8');
  const { status, json } = await moultJson(['-C', 'acme', 'publish'], at);
  expect(status).toBe(1);
  expect(json).toMatchObject({
    error: {
      code: 'set-refused',
      message: 'app 1.0.0 conflicts with radio from release 7, and what board would have is radio 3.1 (8)',
    },
  });
});

test('rules in JSON, with the names that are signed', async () => {
  const { json } = await moultJson(
    addLine('app', '1', '--requires', 'radio<9', '--conflicts', 'radio>=12'),
    at,
  );
  expect(json).toMatchObject({
    requires: [{ component: 'radio', releaseCounter: 0, below: 9 }],
    conflicts: [{ component: 'radio', releaseCounter: 12 }],
  });
});

// Without quotes a shell takes the rest for a file to write to, and leaves the name alone.
test.each(['radio', 'radio>5', 'radio>=1.2', 'radio>=5 <9', '>=5', 'radio>=-1'])(
  'a range that is none is refused: %s',
  async (text) => {
    const { status, stderr } = await add('app', '1', '--requires', text);
    expect(status).toBe(2);
    expect(stderr).toContain(
      `--requires takes 'radio>=5', 'radio>=5,<9' or 'radio<9', in quotes, not "${text}"`,
    );
  },
);
