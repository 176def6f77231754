// moult-client as its users run it: a process of its own, an HTTP server on loopback, two folders.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { RoleName } from '../../repo/index.ts';
import { temporaryFolder } from '../fixtures/folders.ts';
import type { StageOptions } from '../tuf/kit.ts';
import { type Tree, tree } from '../tuf/tree.ts';

export const CLIENT = join(import.meta.dirname, '../../bin/moult-client');

/** How one run ended. */
export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Answers a request by itself; false: the server does as always. */
export type Conduct = (path: string, response: ServerResponse) => boolean;

const worlds: World[] = [];

afterAll(() => {
  for (const { server } of worlds.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** A repository whose every file can be forged, served; and a client that trusts its first root. */
export async function world(options: StageOptions = {}): Promise<World> {
  const made = new World(await tree(options));
  await new Promise<void>((resolve) => made.server.listen(0, '127.0.0.1', resolve));
  worlds.push(made);
  await made.init();
  return made;
}

export class World {
  readonly tree: Tree;
  /** Paths as they were asked for, not decoded, since the last `asked`. */
  readonly requests: string[] = [];
  readonly server: Server;
  state = temporaryFolder();
  readonly out = temporaryFolder();
  conduct: Conduct = () => false;
  /** Everything that was ever served or given to init. */
  readonly served = new Set<string>();
  /** What the processes find in their environment besides. */
  env: Record<string, string> = {};

  constructor(t: Tree) {
    this.tree = t;
    this.server = createServer(({ url = '' }, response) => {
      this.requests.push(url);
      if (this.conduct(url, response)) return;
      const file = t.s.files.get(decodeURIComponent(url.slice(1)));
      this.served.add(Buffer.from(file ?? []).toString());
      response.writeHead(file ? 200 : 404, { 'content-length': file?.length ?? 0 }).end(file);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The paths that were asked for since the last call. */
  asked(): string[] {
    return this.requests.splice(0).map((path) => path.slice(1));
  }

  init(root = this.tree.s.files.get('metadata/1.root.json') ?? new Uint8Array()): Promise<Run> {
    const file = `${this.state}.root.json`;
    writeFileSync(file, root);
    this.served.add(Buffer.from(root).toString());
    return this.run('--metadata-dir', this.state, 'init', file);
  }

  refresh(): Promise<Run> {
    return this.run(...this.refreshing);
  }

  get refreshing(): string[] {
    return ['--metadata-url', `${this.url}/metadata`, '--metadata-dir', this.state, 'refresh'];
  }

  download(...names: readonly string[]): Promise<Run> {
    return this.run(...this.downloading(names));
  }

  downloading(names: readonly string[]): string[] {
    const targets = names.flatMap((name) => ['--target-name', name]);
    const places = ['--target-dir', this.out, '--target-base-url', `${this.url}/targets/`];
    return [...this.refreshing.slice(0, -1), ...targets, ...places, 'download'];
  }

  run(...args: readonly string[]): Promise<Run> {
    return ended(this.start(args));
  }

  start(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [CLIENT, ...args], { env: { ...process.env, ...this.env } });
  }

  /** The newest file of a role, as it is served. */
  text(role: string): string {
    const path = role in this.tree.s.versions ? this.tree.s.path(role as RoleName) : this.tree.path(role);
    return Buffer.from(this.tree.s.files.get(path) ?? []).toString();
  }

  texts(): Record<RoleName, string> {
    const of = (role: RoleName) => this.text(role);
    return { root: of('root'), timestamp: of('timestamp'), snapshot: of('snapshot'), targets: of('targets') };
  }

  /** What the client shows as trusted: contents by file name. */
  trusted(): Record<string, string> {
    return contents(this.state, (name) => name.endsWith('.json'));
  }

  /** The targets folder, all of it. */
  targets(): Record<string, string> {
    return contents(this.out, () => true);
  }
}

function contents(folder: string, wanted: (name: string) => boolean): Record<string, string> {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && wanted(entry.name))
    .map(({ name }) => name)
    .sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

export function ended(child: ChildProcess): Promise<Run> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (text) => {
    stdout += text;
  });
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}

export const DONE: Run = { status: 0, stdout: '', stderr: '' };

/** Not done, for this reason. */
export function refused(finding: string | RegExp): Run {
  return { status: 1, stdout: '', stderr: expectText(finding) };
}

function expectText(finding: string | RegExp): string {
  return expect.stringMatching(
    typeof finding === 'string' ? new RegExp(`^moult-client: .*\\(${finding}\\)\n$`) : finding,
  ) as string;
}
