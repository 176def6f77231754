// What people and programs see: one line an event, tables, progress bars; with --json one JSON value instead.
import { styleText } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';

/** Where output goes and what it can show. */
export interface Terminal {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Both go to a person who sees colours and moving lines. */
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain';

export interface Progress {
  /** `done` of the total, with an optional text at the end of the bar. */
  update(done: number, text?: string): void;
  /** Removes the bar; the line of the event that follows says what came of it. */
  stop(): void;
}

export interface Output {
  /** One line. Nothing with --json. */
  event(text: string, tone?: Tone): void;
  /** A line without a mark: headings, and what to type next. Nothing with --json. */
  line(text?: string): void;
  /** Rows under a head, in aligned columns. Nothing with --json. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): void;
  /** A warning on standard error, also with --json. */
  warn(text: string): void;
  /** A bar on an interactive terminal; elsewhere nothing moves. */
  progress(label: string, total: number): Progress;
  /** The one JSON value of --json. Nothing without it. */
  result(value: unknown): void;
  /** A refusal: one line on standard error; with --json an object on standard output. */
  failure(code: string, message: string): void;
}

const MARKS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✗', warn: '!', plain: '·' };
const COLOURS = { good: 'green', bad: 'red', warn: 'yellow', plain: 'gray' } as const;
const NO_PROGRESS: Progress = { update: () => undefined, stop: () => undefined };

export function createOutput(terminal: Terminal, json: boolean): Output {
  const { stdout, stderr, env } = terminal;
  const colour = terminal.interactive && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  const paint = (tone: Tone, text: string) =>
    colour ? styleText(COLOURS[tone], text, { validateStream: false }) : text;
  const say = (text: string) => {
    if (!json) stdout.write(`${text}\n`);
  };
  return {
    event: (text, tone = 'good') => say(`${paint(tone, MARKS[tone])} ${text}`),
    line: (text = '') => say(text),
    table: (head, rows) => say(formatTable(head, rows).join('\n')),
    warn: (text) => stderr.write(`${paint('warn', MARKS.warn)} ${text}\n`),
    progress: (label, total) =>
      json || !terminal.interactive ? NO_PROGRESS : startBar(stderr, label, total),
    result: (value) => {
      if (json) stdout.write(`${JSON.stringify(value)}\n`);
    },
    failure: (code, message) => {
      if (json) stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
      else stderr.write(`${paint('bad', MARKS.bad)} ${message}\n`);
    },
  };
}

function startBar(stream: NodeJS.WritableStream, label: string, total: number): Progress {
  const format = `  ${label} {bar} {percentage}% {text}`;
  // The terminal keeps its settings (cursor, wrapping): a Ctrl-C would leave them changed.
  const bar = new SingleBar(
    { stream, format, barsize: 28, clearOnComplete: true, fps: 20, linewrap: true },
    Presets.shades_classic,
  );
  bar.start(total, 0, { text: '' });
  return { update: (done, text = '') => bar.update(done, { text }), stop: () => bar.stop() };
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

/** 1536 → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}
