#!/usr/bin/env node
// translate.mjs MODULE SHA256 FOLDER: core.c and core.h of a module that has this SHA-256. The functions are those that
// wabt's wasm2c 1.0.32 writes; in the place of its runtime they get runtime.h: one instance whose memory and globals
// are static, and every access checked against a constant. The same module gives the same two files. Whatever wasm2c
// says that is not known here is an error.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BANNER = 'Translated from a module by host/aot/translate.mjs. Do not edit.';
const PAGE = 65_536;
/** As many rotations or multiplications are hashing or the arithmetic of a field: compiled for speed. */
const HOT = 10;

/** The two files' contents. */
export function translate(bytes) {
  const { source, header } = wasm2c(bytes);
  const imports = importsOf(header);
  return { header: declarations(bytes, source, imports), source: definitions(source, header, imports) };
}

/** What wasm2c makes of a module. */
function wasm2c(bytes) {
  const folder = mkdtempSync(join(tmpdir(), 'moult-aot-'));
  const path = (suffix) => join(folder, `core.${suffix}`);
  try {
    writeFileSync(path('wasm'), bytes);
    execFileSync('wasm2c', [path('wasm'), '-n', 'core', '-o', path('c')], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { source: readFileSync(path('c'), 'utf8'), header: readFileSync(path('h'), 'utf8') };
  } catch (cause) {
    const why = cause.code === 'ENOENT' ? 'it is not installed (Debian: wabt)' : cause.message;
    throw new Error(`wasm2c: ${why}`, { cause });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// ---- core.h: what whoever carries the core must know ----

function declarations(bytes, source, imports) {
  const digest = createHash('sha256').update(bytes).digest();
  return [
    `/* ${BANNER} */\n#ifndef MOULT_AOT_CORE_H\n#define MOULT_AOT_CORE_H\n`,
    `/* Bytes of linear memory. */\n#define AOT_MEMORY ${memoryUsed(bytes)}u\n`,
    `/* The SHA-256 of the module. */\n#define AOT_SHA256 {${[...digest].join(', ')}}\n`,
    '/* X(number, module, name, parameters); like all values, they are 32 bits wide */',
    list(
      'AOT_IMPORT_LIST',
      imports.map(({ module, name, parameters }, number) => `${number}, ${module}, ${name}, ${parameters}`),
    ),
    '/* X(name, parameters, results), without those that have other values */',
    list(
      'AOT_EXPORT_LIST',
      exportsOf(source).map(({ name, parameters, results }) => `${name}, ${parameters}, ${results}`),
    ),
    `/* X(name) */\n${list('AOT_GLOBAL_LIST', globalsOf(source))}`,
    '#endif\n',
  ].join('\n');
}

/** The core says how much memory it uses; any other module may use what it asks for, which is a page. */
function memoryUsed(bytes) {
  const module = new WebAssembly.Module(bytes);
  if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'state_read')) return PAGE;
  const abi = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../wasm3/moult_abi.h'), 'utf8');
  const none = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
  const { exports } = new WebAssembly.Instance(module, { moult: none });
  return exports.state_read(Number(/MOULT_STATE_MEMORY_USED = (\d+)/.exec(abi)[1]));
}

function list(name, rows) {
  return `#define ${name}(X) \\\n${rows.map((row) => `  X(${row})`).join(' \\\n')}\n`;
}

function importsOf(header) {
  const pattern = /^\/\* import: '(\w+)' '(\w+)' \*\/\nu32 \w+\(struct \w+\*((?:, u32)*)\);$/gm;
  const found = [...header.matchAll(pattern)].map(([, module, name, parameters]) => ({
    module,
    name,
    parameters: parameters.split('u32').length - 1,
  }));
  if (found.length !== header.split('/* import: ').length - 1)
    throw new Error('an import with values other than i32');
  return found;
}

function exportsOf(source) {
  const pattern =
    /^\/\* export: '(\w+)' \*\/\n(u32|void) \w+\(Z_core_instance_t\* instance((?:, u32 \w+)*)\) \{\n {2}return (\w+)\(/gm;
  return [...source.matchAll(pattern)].map(([, name, result, parameters, inside]) => ({
    name,
    function: inside,
    parameters: parameters.split('u32').length - 1,
    results: result === 'u32' ? 1 : 0,
  }));
}

function globalsOf(source) {
  const pattern = /^\/\* export: '(\w+)' \*\/\nu32\* \w+\(Z_core_instance_t\* instance\) \{/gm;
  return [...source.matchAll(pattern)].map(([, name]) => name);
}

// ---- core.c ----

function definitions(source, header, imports) {
  const functions = between(source, 'static u32 func_types[', '/* export: ')
    .replace(/^static void init_(func_types|tables|elem_instances|data_instances)\(.*?^\}\n/gms, '')
    .replace(/^static (u32 func_types\[|const wasm_elem_segment_expr_t).*?;\n/gms, '')
    .replace(/^.*wasm_rt_allocate_memory.*\n| {2}FUNC_(PROLOGUE|EPILOGUE);\n/gm, '');
  return [
    `/* ${BANNER} */\n#include "aot.h"\n`,
    stateOf(header),
    '#include "runtime.h"\n',
    ...imports.map(importFunction),
    checked(alone(table(source))),
    warmed(checked(alone(functions))),
    resetFunction(source),
    'uint8_t *aot_memory(void) { return core.memory; }\n',
    ...exportsOf(source).map(exportFunction),
    ...globalsOf(source).map((name) => `u32 aot_global_${name}(void) { return core.${name}; }\n`),
  ].join('\n');
}

/** An instance: linear memory and the fields that wasm2c gives it; and `core`, the one that runs. */
function stateOf(header) {
  const fields = [...header.matchAll(/^ {2}(u32|u64) w2c_(\w+);$/gm)].map(
    ([, type, name]) => `  ${type === 'u64' ? 'uint64_t' : 'uint32_t'} ${name};\n`,
  );
  return [
    `struct instance {\n  uint8_t memory[AOT_MEMORY] __attribute__((aligned(8)));\n${fields.join('')}};\n`,
    '#ifdef AOT_INSTANCES\nstatic struct instance *used;\n#define core (*used)',
    'uint32_t aot_instance_length(void) { return sizeof core; }',
    'void aot_use(void *instance) { used = instance; }\n#else\nstatic struct instance core;\n#endif\n',
  ].join('\n');
}

function importFunction({ name, parameters }, number) {
  const names = Array.from({ length: parameters }, (_, i) => `p${i}`);
  const declared = names.map((p) => `u32 ${p}`).join(', ') || 'void';
  const [array, values] = names.length
    ? [`  const u32 values[] = {${names.join(', ')}};\n`, 'values']
    : ['', 'NULL'];
  return `static u32 import_${name}(${declared}) {\n${array}  return aot_import(${number}, ${values});\n}\n`;
}

/** Without what a module does not have. */
function resetFunction(source) {
  const inits = ['init_globals', 'init_memories'].filter((name) => source.includes(`static void ${name}(`));
  const calls = inits.map((name) => `  ${name}();\n`).join('');
  return `void aot_reset(void) {\n  memset(&core, 0, sizeof core);\n${calls}}\n`;
}

/** With the values where an import has them, so that all exports are of one type. */
function exportFunction(row) {
  const values = Array.from({ length: row.parameters }, (_, i) => `values[${i}]`).join(', ');
  const call = `${row.function}(${values});`;
  const body = row.results ? `return ${call}` : `${call}\n  return 0;`;
  return `u32 aot_${row.name}(const u32 *values) {\n${values ? '' : '  (void)values;\n'}  ${body}\n}\n`;
}

/** The only table, from the only segment of it. */
function table(source) {
  const segment = /^static const wasm_elem_segment_expr_t \w+\[\] = \{\n(.*?)^\};/ms.exec(source);
  if (segment === null) return '';
  const start = /funcref_table_init\([^,]*, \w+, \d+, (\d+)u, 0, /.exec(source)?.[1];
  const rows = [...segment[1].matchAll(/^ {2}\{(\d+), \(wasm_rt_function_ptr_t\)&(\w+), 0\},$/gm)];
  const functions = [...new Set(rows.map(([, , name]) => name))].map(
    (name) => new RegExp(`^static .* ${name}\\(.*\\);$`, 'm').exec(source)?.[0],
  );
  const entries = rows.map(
    ([, type, name], i) => `  [${Number(start) + i}] = {${type} + 1, (aot_function)${name}},\n`,
  );
  return `${functions.join('\n')}\nstatic const struct aot_entry table[] = {\n${entries.join('')}};\n`;
}

/** Functions of the one instance that there is. */
function alone(text) {
  return text
    .replace(/Z_core_instance_t\*( instance)?, /g, '')
    .replace(/Z_core_instance_t\*( instance)?\)/g, 'void)')
    .replace(/\(\*Z_moultZ_(\w+)\)\(instance->Z_moult_instance(, )?/g, 'import_$1(')
    .replace(
      /CALL_INDIRECT\(instance->w2c_T0, (.*)\(void\*(?:, )?(.*?)\), (\d+), (\w+), [^,]+(, )?/g,
      'CALL_INDIRECT($1($2), $3, $4$5',
    )
    .replace(/LOAD_DATA\(instance->w2c_(?:memory|M0), /g, 'LOAD_DATA(')
    .replace(/(memory_fill|memory_copy)\((&instance->w2c_(?:memory|M0), )+/g, '$1(')
    .replace(
      /(\w+_(?:load|store)\w*)\(&instance->w2c_(?:memory|M0), \(u64\)\((\w+)\)(?: \+ (\d+)u?)?/g,
      (_, name, base, offset) => `${name}(${base}, ${offset ?? 0}u`,
    )
    .replace(/\binstance->w2c_(\w+)/g, 'core.$1')
    .replace(/\(instance(, )?/g, '(');
}

function warmed(text) {
  return text.replace(/^static (?!const)[^;\n]*\{\n.*?^\}\n/gms, (definition) => {
    const arithmetic = definition.match(/ROT[LR]\(| \*= /g)?.length ?? 0;
    return arithmetic >= HOT ? `HOT ${definition}` : definition;
  });
}

function checked(text) {
  const unknown = /\b(instance|Z_\w+|wasm_rt\w*|WASM\w*|f32|f64|grow_memory)\b/.exec(text);
  if (unknown !== null) throw new Error(`wasm2c says what is not known here: ${unknown[0]}`);
  return text;
}

function between(text, from, to) {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  if (start < 0 || end < 0) throw new Error('wasm2c is of another version');
  return text.slice(start, end);
}

function main([path, sha256, folder]) {
  const bytes = readFileSync(path);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw new Error(`${path}: SHA-256 is ${found}, not ${sha256} as the build says`);
  const { source, header } = translate(bytes);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'core.h'), header);
  writeFileSync(join(folder, 'core.c'), source);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
