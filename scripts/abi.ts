// Writes host/node/abi.ts and host/wasm3/moult_abi.h from the core: numbers and texts from assembly/abi.ts
// and assembly/status.ts, imports from assembly/host.ts, exports from the built module and its sources.
// The same core gives the same two files, byte for byte.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Member {
  readonly name: string;
  readonly value: number;
  /** What the number means; for a status the finding, without the attack. */
  readonly text: string;
  /** The attack that a status stops; empty: none. */
  readonly attack: string;
}

interface Enumeration {
  readonly name: string;
  readonly members: readonly Member[];
}

interface Signature {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: boolean;
  readonly text: string;
  /** Not every core exports it. */
  readonly optional?: boolean;
}

interface Abi {
  readonly version: number;
  /** Bytes of linear memory that the core never leaves. */
  readonly linearMemory: number;
  readonly enumerations: readonly Enumeration[];
  readonly imports: readonly Signature[];
  readonly exports: readonly Signature[];
}

const BANNER = 'Generated from the core by scripts/abi.ts. Do not edit.';

/** The project's root: the closest folder upwards that holds package.json. */
export function projectRoot(from = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(from, 'package.json')) ? from : projectRoot(dirname(from));
}

/** The generated files: path below the root → content. Throws when the sources and the module disagree. */
export function generate(root: string): ReadonlyMap<string, string> {
  const abi = readAbi(root);
  return new Map([
    ['host/node/abi.ts', typescript(abi)],
    ['host/wasm3/moult_abi.h', header(abi)],
  ]);
}

// Reading the core

function readAbi(root: string): Abi {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const numbers = read('assembly/abi.ts');
  const version = /ABI_VERSION: i32 = (\d+);/.exec(numbers)?.[1];
  if (version === undefined) throw new Error('assembly/abi.ts: no ABI_VERSION');
  return {
    version: Number(version),
    linearMemory: JSON.parse(read('asconfig.json')).options.lowMemoryLimit,
    enumerations: [...enumerations(numbers), ...enumerations(read('assembly/status.ts'))],
    imports: functions(read('assembly/host.ts'), 'declare function'),
    exports: exportedFunctions(read, join(root, 'build/moult.wasm')),
  };
}

function enumerations(source: string): Enumeration[] {
  return [...source.matchAll(/^export const enum (\w+) \{\n(.*?)^\}/gms)].map(([, name = '', body = '']) => {
    const members = [...body.matchAll(/\/\*\* (.*?) \*\/\n\s+(\w+) = (-?\d+),/g)].map(member);
    const declared = body.match(/^\s+\w+ = /gm)?.length ?? 0;
    if (members.length !== declared) throw new Error(`${name}: a member has no doc comment above it`);
    return { name, members };
  });
}

function member([, text = '', name = '', value = '']: RegExpMatchArray): Member {
  const attack = / \[(.*)\]$/.exec(text);
  return { name, value: Number(value), text: text.slice(0, attack?.index), attack: attack?.[1] ?? '' };
}

function functions(source: string, keyword: string): Signature[] {
  const pattern = new RegExp(
    `(?:^/\\*\\*((?:(?!\\*/).)*)\\*/\\n)?(?:^@[^\\n]*\\n)*^export ${keyword} (\\w+)\\(([^)]*)\\): (\\w+)`,
    'gms',
  );
  return [...source.matchAll(pattern)].map(([, text = '', name = '', parameters = '', result = '']) => ({
    name,
    parameters: [...parameters.matchAll(/(\w+): \w+/g)].map(([, parameter = '']) => camelCase(parameter)),
    result: result !== 'void',
    text: text
      .replaceAll(/^\s*\* ?/gm, '')
      .trim()
      .replaceAll(/\s+/g, ' '),
  }));
}

/** The built module says which functions there are; small.ts and index.ts say which file describes each. */
function exportedFunctions(read: (path: string) => string, wasm: string): Signature[] {
  const described = new Map<string, Signature>();
  for (const entry of ['small', 'index']) {
    for (const [, names = '', path = ''] of read(`assembly/${entry}.ts`).matchAll(
      /^export \{(.*?)\} from "\.\/(.*?)"/gms,
    )) {
      const all = functions(read(`assembly/${path}.ts`), 'function');
      for (const [name] of names.matchAll(/\w+/g)) {
        const found = all.find((signature) => signature.name === name);
        if (found) described.set(name, { ...found, optional: entry === 'index' });
      }
    }
  }
  const module = new WebAssembly.Module(readFileSync(wasm));
  return WebAssembly.Module.exports(module)
    .filter(({ kind }) => kind === 'function')
    .map(({ name }) => {
      const signature = described.get(name);
      if (!signature) throw new Error(`${wasm} exports ${name}, which assembly/index.ts does not`);
      return signature;
    });
}

// Writing TypeScript

function typescript(abi: Abi): string {
  return [
    `// ${BANNER}\n`,
    `export const ABI_VERSION = ${abi.version};\n`,
    ...abi.enumerations.map(typescriptEnumeration),
    typescriptTexts(abi),
    typescriptFunctions(
      'CoreExports',
      'What the module exports.',
      ['readonly memory: WebAssembly.Memory;'],
      abi.exports,
    ),
    typescriptFunctions('CoreImports', 'What the module imports from `moult`.', [], abi.imports),
  ].join('\n');
}

function typescriptEnumeration({ name, members }: Enumeration): string {
  const lines = members.map((m) => `  /** ${sentence(m)} */\n  ${m.name}: ${m.value},\n`);
  return `export const ${name} = {\n${lines.join('')}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
}

function typescriptTexts(abi: Abi): string {
  const rows = statuses(abi).map(
    (m) =>
      `  [\n    ${m.value},\n    {\n      name: ${quote(m.name)},\n      message: ${quote(m.text)},\n      attack: ${quote(m.attack)},\n    },\n  ],\n`,
  );
  return `/** What a status means to a person: its name, the finding, and the attack that it stops (empty: none). */
export interface StatusText {
  readonly name: string;
  readonly message: string;
  readonly attack: string;
}

export const STATUS_TEXTS: ReadonlyMap<number, StatusText> = new Map([\n${rows.join('')}]);\n`;
}

function typescriptFunctions(
  name: string,
  text: string,
  first: string[],
  signatures: readonly Signature[],
): string {
  const lines = signatures.map(
    (s) =>
      `${s.text ? wrap(s.text, '  ') : ''}  ${s.name}${s.optional ? '?' : ''}(${s.parameters.map((p) => `${p}: number`).join(', ')}): ${s.result ? 'number' : 'void'};\n`,
  );
  return `/** ${text} Every value is an i32; sizes, offsets and seconds are read as u32. */
export type ${name} = {\n${first.map((line) => `  ${line}\n`).join('')}${lines.join('')}};\n`;
}

// Writing C

function header(abi: Abi): string {
  return [
    `/* ${BANNER} */\n#ifndef MOULT_ABI_H\n#define MOULT_ABI_H\n`,
    `#define MOULT_ABI_VERSION ${abi.version}\n`,
    `/* Bytes of linear memory, from address 0, that the core never leaves. */\n#define MOULT_LINEAR_MEMORY ${abi.linearMemory}\n`,
    ...abi.enumerations.map(headerEnumeration),
    `/* X(name, value, finding, attack that it stops or "") */\n${list(
      'MOULT_STATUS_LIST',
      statuses(abi).map((m) => `X(${m.name}, ${m.value}, ${text(m.text)}, ${text(m.attack)})`),
    )}`,
    `/* X(name, signature as wasm3 writes it) */\n${list('MOULT_EXPORT_LIST', abi.exports.filter(({ optional }) => !optional).map(listed))}`,
    `/* The same, of what not every core has. */\n${list('MOULT_OPTIONAL_EXPORT_LIST', abi.exports.filter(({ optional }) => optional).map(listed))}`,
    `${list('MOULT_IMPORT_LIST', abi.imports.map(listed))}\n#endif\n`,
  ].join('\n');
}

function headerEnumeration({ name, members }: Enumeration): string {
  const prefix = `MOULT_${snakeCase(name).toUpperCase()}_`;
  const lines = members.map((m) => `  /* ${sentence(m)} */\n  ${prefix}${m.name} = ${m.value},\n`);
  return `enum moult_${snakeCase(name)} {\n${lines.join('')}};\n`;
}

function listed(signature: Signature): string {
  return `X(${signature.name}, "${signature.result ? 'i' : 'v'}(${'i'.repeat(signature.parameters.length)})")`;
}

function list(name: string, rows: string[]): string {
  if (rows.length === 0) return `#define ${name}(X)\n`;
  return `#define ${name}(X) \\\n${rows.map((row) => `  ${row}`).join(' \\\n')}\n`;
}

// Words

function statuses(abi: Abi): readonly Member[] {
  return abi.enumerations.find(({ name }) => name === 'Status')?.members ?? [];
}

function sentence({ text, attack }: Member): string {
  return attack ? `${text} [${attack}]` : text;
}

function quote(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

function text(value: string): string {
  return JSON.stringify(value);
}

function wrap(value: string, indent: string): string {
  const lines = value.match(/.{1,100}(?: |$)/g) ?? [];
  if (lines.length === 1) return `${indent}/** ${value} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line.trim()}\n`).join('')}${indent} */\n`;
}

function camelCase(value: string): string {
  return value.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(value: string): string {
  return value.replaceAll(/(?<=.)([A-Z])/g, '_$1').toLowerCase();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = projectRoot();
  for (const [path, content] of generate(root)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    console.log(path);
  }
}
