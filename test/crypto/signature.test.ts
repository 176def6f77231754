// Signatures by the names and the encodings that TUF's keys have.
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { bitString, concat, derInteger, sequence, toPem } from './der.ts';
import { CryptoModule, cuts, randomBytes, toHex } from './module.ts';
import { prime, RSA_ENCRYPTION, sha256, spkiOf } from './pss.ts';

const text = (value: string) => new Uint8Array(Buffer.from(value));
const MESSAGE = randomBytes(4)(150);

interface Signer {
  /** keytype and scheme. */
  readonly names: readonly (readonly [string, string])[];
  readonly kind: 'SIGNATURE_ED25519' | 'SIGNATURE_P256' | 'SIGNATURE_RSA';
  readonly material: Uint8Array;
  readonly der: Uint8Array;
  readonly pem: string;
  /** Beside DER and PEM. */
  readonly encodings: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

const derOf = (key: KeyObject) => new Uint8Array(key.export({ type: 'spki', format: 'der' }));
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

function ed25519(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const bare = derOf(publicKey).subarray(-32);
  return {
    names: [['ed25519', 'ed25519']],
    kind: 'SIGNATURE_ED25519',
    material: bare,
    der: derOf(publicKey),
    pem: pemOf(publicKey),
    encodings: [bare, text(toHex(bare)), text(toHex(bare).toUpperCase())],
    signature: new Uint8Array(sign(null, MESSAGE, privateKey)),
  };
}

function p256(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = derOf(publicKey).subarray(-65);
  return {
    names: [
      ['ecdsa', 'ecdsa-sha2-nistp256'],
      ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256'],
    ],
    kind: 'SIGNATURE_P256',
    material: point,
    der: derOf(publicKey),
    pem: pemOf(publicKey),
    encodings: [point, text(toHex(point)), text(toHex(point).toUpperCase())],
    signature: new Uint8Array(sign('sha256', MESSAGE, privateKey)),
  };
}

function rsa(modulusLength: number): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const pss = { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return {
    names: [['rsa', 'rsassa-pss-sha256']],
    kind: 'SIGNATURE_RSA',
    material: new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url')),
    der: derOf(publicKey),
    pem: pemOf(publicKey),
    encodings: [],
    signature: new Uint8Array(sign('sha256', MESSAGE, pss)),
  };
}

const SIGNERS = { Ed25519: ed25519(), 'P-256': p256(), 'RSA 2048': rsa(2048), 'RSA 4096': rsa(4096) };
const NAMES = ['Ed25519', 'P-256', 'RSA 2048', 'RSA 4096'] as const;

let module: CryptoModule;
beforeAll(() => {
  module = new CryptoModule('crypto.wasm');
});
const keyAt = () => module.arena;
const contextAt = () => module.arena + 1024;
const signatureAt = () => module.arena + 2048;
const dataAt = () => module.arena + 4096;

function kindOf(type: string, scheme: string): number {
  const [first, second] = [text(type), text(scheme)];
  module.write(dataAt(), concat(first, second));
  return module.call('signature_kind', dataAt(), first.length, dataAt() + first.length, second.length);
}

function load(signer: Signer, bytes: Uint8Array, at = keyAt(), source = dataAt()): boolean {
  const kind = module.constant(signer.kind);
  return module.call('signature_key', at, kind, module.write(source, bytes), bytes.length) !== 0;
}

function verify(signature: Uint8Array, pieces: readonly Uint8Array[] = [MESSAGE]): boolean {
  module.write(signatureAt(), signature);
  const given = [keyAt(), signatureAt(), signature.length] as const;
  if (!module.call('signature_begin', contextAt(), ...given)) return false;
  for (const piece of pieces)
    module.call('signature_update', contextAt(), module.write(dataAt(), piece), piece.length);
  return module.call('signature_end', contextAt(), ...given) !== 0;
}

const material = (): Uint8Array => {
  const length = new DataView(module.memory.buffer).getUint32(keyAt() + 4, true);
  return module.read(keyAt() + module.constant('SIGNATURE_MATERIAL'), length);
};

describe('the names of a key', () => {
  it.each(NAMES)('pick the kind: %s', (name) => {
    const { names, kind } = SIGNERS[name];
    for (const [type, scheme] of names) expect(kindOf(type, scheme)).toBe(module.constant(kind));
  });

  it.each([
    ['ed25519', 'ecdsa-sha2-nistp256'],
    ['ed25519', 'ed25519ph'],
    ['ed25519', ''],
    ['ecdsa', 'ed25519'],
    ['ecdsa', 'ecdsa'],
    ['ecdsa', 'ecdsa-sha2-nistp384'],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp25'],
    ['rsa', 'rsa-pkcs1v15-sha256'],
    ['rsa', 'rsassa-pss-sha512'],
    ['rsa', 'ed25519'],
  ])('with a scheme that is not known are a status: %s, %s', (type, scheme) => {
    expect(kindOf(type, scheme)).toBe(module.constant('SIGNATURE_SCHEME_UNKNOWN'));
  });

  it.each(['', 'ED25519', 'ed2551', 'ed25519 ', 'ecdsa-sha2-nistp384', 'sphincs', 'dsa', 'rsa\0'])(
    'with a type that is not known are a status: %j',
    (type) => {
      for (const scheme of ['ed25519', 'ecdsa-sha2-nistp256', 'rsassa-pss-sha256'])
        expect(kindOf(type, scheme)).toBe(module.constant('SIGNATURE_TYPE_UNKNOWN'));
    },
  );
});

describe.each(NAMES)('a key of %s', (name) => {
  const signer = SIGNERS[name];
  const all = [...signer.encodings, signer.der, text(signer.pem), text(`\n${signer.pem}\n`)];

  it('is the same in each of its encodings, and verifies', () => {
    for (const bytes of all) {
      module.memory.fill(0xaa, keyAt(), keyAt() + module.constant('SIGNATURE_KEY'));
      expect(load(signer, bytes)).toBe(true);
      expect(material()).toEqual(signer.material);
      expect(verify(signer.signature)).toBe(true);
    }
  });

  it('may be written where its text is', () => {
    for (const bytes of all) {
      expect(load(signer, bytes, keyAt(), keyAt())).toBe(true);
      expect(material()).toEqual(signer.material);
      expect(verify(signer.signature)).toBe(true);
    }
  });

  it('writes nothing behind its end', () => {
    const end = keyAt() + module.constant('SIGNATURE_KEY');
    for (const bytes of all) {
      module.memory.fill(0x5a, keyAt(), end + 64);
      load(signer, bytes);
      expect(module.read(end, 64)).toEqual(new Uint8Array(64).fill(0x5a));
    }
  });

  it('that is cut, longer, or of another kind is refused, and verifies nothing', () => {
    const others = NAMES.map((other) => SIGNERS[other]).filter(({ kind }) => kind !== signer.kind);
    const foreign = others.flatMap((other) => [...other.encodings, other.der, text(other.pem)]);
    const tight = [...signer.encodings, signer.der, text(signer.pem.trim())];
    const cut = tight.flatMap((bytes) => [
      bytes.subarray(0, -2),
      bytes.subarray(1),
      concat(bytes, text('x')),
    ]);
    for (const bytes of [...foreign, ...cut, new Uint8Array(), text('-'), new Uint8Array(2000).fill(0x30)]) {
      if (bytes.length === signer.material.length) continue; // any bytes of that length are a key
      load(signer, signer.der);
      expect(load(signer, bytes), toHex(bytes)).toBe(false);
      expect(verify(signer.signature)).toBe(false);
    }
  });

  it('in hex with a character that is none is refused', () => {
    for (const hex of signer.encodings.slice(1)) {
      for (const at of [0, 1, hex.length - 2, hex.length - 1])
        expect(load(signer, hex.with(at, 0x67)), `${at}`).toBe(false);
    }
  });

  it('of a kind that there is none of is refused', () => {
    const half = sequence(RSA_ENCRYPTION, bitString(sequence(derInteger(prime('modp14')))));
    for (const kind of [0, 4, -1, -2]) {
      for (const bytes of [...all, half, new Uint8Array(10)])
        expect(module.call('signature_key', keyAt(), kind, module.write(dataAt(), bytes), bytes.length)).toBe(
          0,
        );
    }
  });

  it('verifies a message however it is cut', () => {
    load(signer, signer.der);
    for (const pieces of cuts(MESSAGE.subarray(0, name === 'RSA 4096' ? 0 : 20)))
      expect(verify(signer.signature, [...pieces, MESSAGE.subarray(name === 'RSA 4096' ? 0 : 20)])).toBe(
        true,
      );
  });

  it('verifies no other message, no other signature and none of another length', () => {
    load(signer, signer.der);
    const { signature } = signer;
    expect(verify(signature, [MESSAGE.subarray(1)])).toBe(false);
    expect(verify(signature, [MESSAGE, text('x')])).toBe(false);
    for (const bad of [
      signature.with(5, 1 ^ (signature[5] ?? 0)),
      signature.with(signature.length - 1, 1 ^ (signature.at(-1) ?? 0)),
      signature.subarray(0, -1),
      concat(signature, Uint8Array.of(0)),
      new Uint8Array(),
    ])
      expect(verify(bad)).toBe(false);
  });

  it('gives one verdict for one begin', () => {
    load(signer, signer.der);
    expect(verify(signer.signature)).toBe(true);
    expect(module.call('signature_end', contextAt(), keyAt(), signatureAt(), signer.signature.length)).toBe(
      0,
    );
  });

  it('verifies a digest alone, unless it is of Ed25519', () => {
    load(signer, signer.der);
    module.write(signatureAt(), signer.signature);
    module.write(dataAt(), sha256(MESSAGE));
    const holds = () =>
      module.call('signature_verify_digest', keyAt(), dataAt(), signatureAt(), signer.signature.length) !== 0;
    expect(holds()).toBe(name !== 'Ed25519');
    module.write(dataAt(), sha256(MESSAGE.subarray(1)));
    expect(holds()).toBe(false);
  });
});

it('contexts of all kinds stream side by side and write nothing outside', () => {
  const size = module.constant('SIGNATURE_CONTEXT');
  const room = (index: number) => module.arena + index * 4096;
  module.memory.fill(0x5a, module.arena, module.arena + 4 * 4096);
  const message = room(4);
  const given = NAMES.map((name, index) => {
    const { der, signature, kind } = SIGNERS[name];
    const [key, sig] = [room(index), room(index) + 1024];
    module.call('signature_key', key, module.constant(kind), module.write(message, der), der.length);
    module.write(sig, signature);
    return [room(index) + 2048, key, sig, signature.length] as const;
  });
  for (const values of given) expect(module.call('signature_begin', ...values)).toBe(1);
  module.write(message, MESSAGE);
  for (let at = 0; at < MESSAGE.length; at += 50) {
    for (const [context] of given) module.call('signature_update', context, message + at, 50);
  }
  for (const values of given) {
    expect(module.call('signature_end', ...values)).toBe(1);
    expect(module.read(values[0] + size, 64)).toEqual(new Uint8Array(64).fill(0x5a));
  }
});

it('a context never takes the key of another kind at its end [type confusion]', () => {
  const { der, signature } = SIGNERS['P-256'];
  load(SIGNERS['P-256'], der);
  module.write(signatureAt(), signature);
  const given = [keyAt(), signatureAt(), signature.length] as const;
  for (const name of ['Ed25519', 'RSA 2048'] as const) {
    load(SIGNERS[name], SIGNERS[name].der);
    module.write(signatureAt(), SIGNERS[name].signature);
    module.call('signature_begin', contextAt(), ...given.with(2, SIGNERS[name].signature.length));
    module.call('signature_update', contextAt(), module.write(dataAt(), MESSAGE), MESSAGE.length);
    load(SIGNERS['P-256'], der);
    module.write(signatureAt(), signature);
    expect(module.call('signature_end', contextAt(), ...given)).toBe(0);
  }
});

it('keys of one modulus have one material, whatever the exponent and the salt', () => {
  const n = prime('modp14');
  const materials = [3n, 65_537n].map((e) => {
    expect(load(SIGNERS['RSA 2048'], text(toPem(spkiOf(n, e))))).toBe(true);
    return material();
  });
  expect(materials[0]).toEqual(materials[1]);
});

it('a text longer than that of any key is refused before it is decoded into the scratch', () => {
  const own = () => module.read(0, module.call('memory_used'));
  load(SIGNERS['P-256'], text('-'));
  const before = own();
  expect(load(SIGNERS['RSA 4096'], text(toPem(randomBytes(6)(6000))))).toBe(false);
  expect(own()).toEqual(before);
});

it('a modulus above 4096 bits is refused when the key is read', () => {
  expect(load(SIGNERS['RSA 2048'], spkiOf(prime('modp16'), 65_537n))).toBe(true);
  expect(load(SIGNERS['RSA 2048'], spkiOf(prime('modp16') << 1n, 65_537n))).toBe(false);
  expect(load(SIGNERS['RSA 2048'], spkiOf(prime('modp18'), 65_537n))).toBe(false);
});
