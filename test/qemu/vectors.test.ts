// Published vectors on emulated boards: the crypto that a device carries, under wasm3, computes there what it must.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { call, check, hex, inputs, run, vectors, whatLacks, write } from '../../bench/runner.ts';
import { projectRoot } from '../../scripts/abi.ts';
import { optional } from '../optional.ts';

const LINEAR = 16_384;
/** Behind what the module needs itself. */
const CONTEXT = 8192;
const KEY = 8704;
const DATA = 12_288;

type Hashed = readonly [message: string, digest: string];
type Signed = readonly [seed: string, key: string, message: string, signature: string];

function hashing(name: 'sha256' | 'sha512'): Buffer[] {
  const { ShortMsg } = vectors(`${name}-cavp.json`) as { ShortMsg: Hashed[] };
  return ShortMsg.flatMap(([message, digest]) => [
    write(DATA, hex(message)),
    call(`${name}_begin`, [CONTEXT]),
    call(`${name}_update`, [CONTEXT, DATA, message.length / 2]),
    call(`${name}_end`, [CONTEXT, KEY]),
    check(KEY, hex(digest)),
  ]);
}

function verifying([, key, message, signature]: Signed, result: number): Buffer[] {
  return [
    write(KEY, Buffer.concat([hex(key), hex(signature)])),
    write(DATA, hex(message)),
    call('ed25519_verify_begin', [CONTEXT, KEY, KEY + 32], 1),
    call('ed25519_verify_update', [CONTEXT, DATA, message.length / 2]),
    call('ed25519_verify_end', [CONTEXT], result),
  ];
}

/** RFC 8032's own and some more; and each of those over a message with a bit turned. */
function signatures(): Buffer[] {
  const { cases } = vectors('ed25519-sign.json') as { cases: Signed[] };
  const some = cases.filter((_, index) => index < 12 || index === 1023);
  return some.flatMap((one) => {
    const [seed, key, message, signature] = one;
    const turned = Buffer.from(hex(message));
    if (turned.length === 0) return verifying(one, 1);
    turned[0] = (turned[0] ?? 0) ^ 1;
    return [...verifying(one, 1), ...verifying([seed, key, turned.toString('hex'), signature], 0)];
  });
}

describe.each(['rv32imc', 'cortex-m4'] as const)('on an emulated %s', (machine) => {
  const lacking = whatLacks(machine);
  const onBoard = optional(lacking === undefined, lacking ?? '');
  const module = () => readFileSync(join(projectRoot(), 'build/crypto.wasm'));

  onBoard('SHA-256, SHA-512 and Ed25519 give what NIST and RFC 8032 publish', () => {
    const steps = [...hashing('sha256'), ...hashing('sha512'), ...signatures()];
    expect(run(machine, 'vectors', inputs(module(), LINEAR, steps)).get('memory')).toBeGreaterThan(0);
  });

  onBoard('a vector that is wrong is noticed', () => {
    const steps = [write(DATA, hex('00')), check(DATA, hex('01'))];
    expect(() => run(machine, 'wrong', inputs(module(), LINEAR, steps))).toThrow('other bytes');
  });
});
