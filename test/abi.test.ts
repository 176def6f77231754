// The contract between the core and its hosts: a golden list, and generated files that are never stale.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generate, projectRoot } from '../scripts/abi.ts';

const root = projectRoot();
const module = new WebAssembly.Module(readFileSync(join(root, 'build/moult.wasm')));

test('the module imports exactly what a host must give [CRA-I-2j/k]', () => {
  expect(
    WebAssembly.Module.imports(module)
      .map(({ module, name }) => `${module}.${name}`)
      .sort(),
  ).toEqual([
    'moult.boot_confirm',
    'moult.boot_revert',
    'moult.boot_select',
    'moult.boot_state',
    'moult.counter_advance',
    'moult.counter_read',
    'moult.entropy',
    'moult.flash_block_end',
    'moult.flash_erase',
    'moult.flash_read',
    'moult.flash_size',
    'moult.flash_unit',
    'moult.flash_write',
    'moult.sha256_compress',
  ]);
});

test('the module exports exactly what a host may call', () => {
  expect(
    WebAssembly.Module.exports(module)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'abi_version',
    'agent_step',
    'agent_until',
    'component_choose',
    'component_read',
    'component_text',
    'core_start',
    'director_target',
    'fetch_begin',
    'fetch_end',
    'fetch_erase_ahead',
    'fetch_kind',
    'fetch_limit',
    'fetch_name',
    'fetch_name_length',
    'fetch_offset',
    'fetch_write',
    'image_confirm',
    'image_reject',
    'io_capacity',
    'io_pointer',
    'log_length',
    'log_read',
    'manifest_end',
    'manifest_write',
    'memory',
    'policy_set',
    'provision_begin',
    'provision_end',
    'provision_write',
    'public_key_read',
    'release_find',
    'report_end',
    'report_write',
    'state_read',
    'target_find',
    'text_read',
    'time_answer',
    'trusted_find',
    'trusted_length',
    'trusted_read',
    'update_approve',
    'update_postpone',
  ]);
});

test.each([...generate(root)])('%s is what the core says, not older', (path, content) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(content);
});

test('the module asks for one page of memory and can never grow', () => {
  const bytes = readFileSync(join(root, 'build/moult.wasm'));
  // Section 5, one memory, with a maximum, of 1 to 1 pages.
  expect(bytes.includes(Buffer.from([5, 4, 1, 1, 1, 1]))).toBe(true);
});
