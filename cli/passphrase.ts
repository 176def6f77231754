// Where a secret comes from: a file, an environment variable, or a person at a terminal. Never an argument, which other
// users of the machine can read.
import { RepositoryError } from '../repo/index.ts';
import { type Io, readInput } from './session.ts';

const ENTER = ['\r', '\n'];
const ERASE = ['\b', '\x7f'];
const CANCEL = ['\x03', '\x04'];

/** `fresh`: a new passphrase, which a person types twice. */
export async function askPassphrase(io: Io, file: string | undefined, fresh: boolean): Promise<string> {
  const text = file === undefined ? io.env.MOULT_PASSPHRASE : await firstLine('the passphrase file', file);
  if (text !== undefined) return notEmpty(text);
  if (!io.interactive) {
    throw new RepositoryError(
      'passphrase-missing',
      'a passphrase is needed: set MOULT_PASSPHRASE, give --passphrase-file, or run it in a terminal',
    );
  }
  const typed = notEmpty(await promptHidden(io, fresh ? 'New passphrase: ' : 'Passphrase: '));
  if (fresh && (await promptHidden(io, 'Again: ')) !== typed) {
    throw new RepositoryError('passphrase-wrong', 'the two passphrases differ; nothing was written');
  }
  return typed;
}

/** The token of a Director, that is good for one certificate. */
export async function askToken(io: Io, file: string | undefined): Promise<string> {
  const text = file === undefined ? io.env.MOULT_TOKEN : await firstLine('the token file', file);
  const token = text ?? (io.interactive ? await promptHidden(io, 'Token: ') : '');
  if (token !== '') return token;
  throw new RepositoryError(
    'bad-argument',
    'a token is needed: set MOULT_TOKEN, give --token-file, or run it in a terminal',
  );
}

async function firstLine(what: string, file: string): Promise<string> {
  return (await readInput(what, file)).toString().split(/\r?\n/, 1)[0] ?? '';
}

function notEmpty(text: string): string {
  if (text === '') throw new RepositoryError('passphrase-missing', 'the passphrase is empty');
  return text;
}

/** Reads one line from a terminal without showing it. */
function promptHidden(io: Io, label: string): Promise<string> {
  const stdin = io.stdin as NodeJS.ReadStream;
  // Before the label: what is typed in answer to it must not show.
  stdin.setRawMode?.(true);
  io.stderr.write(label);
  stdin.setEncoding('utf8');
  return new Promise((done, fail) => {
    let typed = '';
    const finish = (rest: string, act: () => void) => {
      stdin.off('data', take);
      stdin.setRawMode?.(false);
      stdin.pause();
      if (rest !== '') stdin.unshift(rest);
      io.stderr.write('\n');
      act();
    };
    const take = (chunk: string) => {
      for (const [index, sign] of [...chunk].entries()) {
        if (ENTER.includes(sign)) {
          // What was typed or pasted ahead is for whoever asks next.
          finish([...chunk].slice(index + 1).join(''), () => done(typed));
          return;
        }
        if (CANCEL.includes(sign)) {
          finish('', () => fail(new RepositoryError('passphrase-missing', 'no passphrase was given')));
          return;
        }
        typed = ERASE.includes(sign) ? typed.slice(0, -1) : typed + sign;
      }
    };
    stdin.on('data', take);
    stdin.resume();
  });
}
