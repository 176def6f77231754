// moult serve: a plain web server for a repository.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RepositoryError } from '../../repo/index.ts';
import { type StaticServerOptions, serveStatic } from '../../server/static.ts';
import type { AddCommand } from '../main.ts';
import { readInput, type Session } from '../session.ts';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecureHttp?: true;
}

const EXAMPLES = `
Serves metadata/ and targets/, and nothing else of the repository. Any other web server or CDN that serves the public
folder does as well.

Examples:
  moult serve
  moult serve acme-lock --host 0.0.0.0 --port 443 --tls-cert cert.pem --tls-key key.pem`;

export const addServe: AddCommand = (program, run) => {
  program
    .command('serve [folder]')
    .description('serve a repository to devices')
    .option('--port <n>', 'the port; 0 for a free one', parsePort, 8080)
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--tls-cert <file>', 'certificate chain in PEM')
    .option('--tls-key <file>', 'its private key in PEM')
    .option('--insecure-http', 'allow plain HTTP beyond this machine')
    .addHelpText('after', EXAMPLES)
    .action(
      run(async (session, folder: string | undefined, options: Options) => {
        const directory = await publicFolder(folder === undefined ? session.directory : session.path(folder));
        const server = await serveStatic({
          directory,
          host: options.host,
          port: options.port,
          ...(await readTls(session, options)),
          insecureHttp: options.insecureHttp ?? false,
          onRequest: ({ method, path, status, bytes }) =>
            session.output.event(`${status} ${method} ${path} ${bytes}`, status < 400 ? 'plain' : 'warn'),
        });
        session.output.event(`serving ${directory} at ${server.url} (Ctrl-C ends it)`);
        session.output.result({ url: server.url, directory });
        await new Promise<void>((done) => session.io.onStop(done));
        await server.close();
        session.output.event('stopped', 'plain');
      }),
    );
};

/** A repository's folder, or one that holds `metadata/` itself. */
async function publicFolder(path: string): Promise<string> {
  for (const candidate of [join(path, 'public'), path]) {
    const found = await stat(join(candidate, 'metadata')).catch(() => undefined);
    if (found?.isDirectory()) return candidate;
  }
  throw new RepositoryError('repository-missing', `${path} is not a repository: it has no metadata folder`);
}

async function readTls(session: Session, options: Options): Promise<Pick<StaticServerOptions, 'tls'>> {
  const { tlsCert, tlsKey } = options;
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new RepositoryError('bad-argument', '--tls-cert and --tls-key belong together');
  }
  return {
    tls: {
      cert: await readInput('the certificate', session.path(tlsCert)),
      key: await readInput('the TLS key', session.path(tlsKey)),
    },
  };
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new RepositoryError('bad-argument', `--port takes a number from 0 to 65535, not "${text}"`);
  }
  return Number(text);
}
