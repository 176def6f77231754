import {
  constants,
  createHash,
  generateKeyPairSync,
  type RSAPSSKeyPairKeyObjectOptions,
  sign,
} from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  bigEndian,
  bitString,
  concat,
  der,
  derInteger,
  fromBigEndian,
  NULL,
  objectId,
  sequence,
  toPem,
} from './der.ts';
import { G, keyOf as pointOf, times } from './ecdsa.ts';
import { CryptoModule, randomBytes, toHex } from './module.ts';
import { prime, RSA_ENCRYPTION, spkiOf } from './pss.ts';

const N = prime('modp14');
const E = 65_537n;
const byte = (...values: number[]) => Uint8Array.from(values);
const text = (value: string) => new Uint8Array(Buffer.from(value, 'latin1'));

const EC_KEY = objectId('2a8648ce3d0201');
const P256 = objectId('2a8648ce3d030107');
const POINT = pointOf(times(G, 1_234_567n));
const EC_SPKI = sequence(sequence(EC_KEY, P256), bitString(POINT));

const ED25519 = objectId('2b6570');
const ED25519_KEY = Uint8Array.from({ length: 32 }, (_, i) => 0x40 + i);
const ED25519_SPKI = sequence(sequence(ED25519), bitString(ED25519_KEY));

const SHA256 = objectId('608648016503040201');
const MGF1 = objectId('2a864886f70d010108');
const PSS = objectId('2a864886f70d01010a');
const hash = (algorithm: Uint8Array) => der(0xa0, algorithm);
const mask = (algorithm: Uint8Array, generator = MGF1) => der(0xa1, sequence(generator, algorithm));
const salt = (value: Uint8Array) => der(0xa2, value);
const WITH_NULL = sequence(SHA256, NULL);
const WITHOUT = sequence(SHA256);
const pss = (...parts: Uint8Array[]) => spkiOf(N, E, sequence(PSS, sequence(...parts)));
const rsaWith = (...parts: Uint8Array[]) => sequence(RSA_ENCRYPTION, bitString(sequence(...parts)));

describe('public keys', () => {
  let module: CryptoModule;
  beforeAll(() => {
    module = new CryptoModule('crypto.wasm');
  });

  interface Found {
    readonly kind: 'p256' | 'rsa' | 'ed25519';
    readonly material: Uint8Array;
    readonly exponent: number;
    readonly leastSalt: number;
  }
  function parse(bytes: Uint8Array): Found | undefined {
    const key = module.arena;
    module.memory.fill(0xaa, key, key + 64);
    const kind = module.call('spki_parse', key, module.write(key + 64, bytes), bytes.length);
    const view = new DataView(module.memory.buffer);
    const [at = 0, length = 0, exponent = 0, leastSalt = 0] = [0, 4, 8, 12].map((i) =>
      view.getUint32(key + i, true),
    );
    if (kind === module.constant('SPKI_P256')) {
      return { kind: 'p256', material: module.read(at, 65), exponent: 0, leastSalt: 0 };
    }
    if (kind === module.constant('SPKI_ED25519')) {
      return { kind: 'ed25519', material: module.read(at, 32), exponent: 0, leastSalt: 0 };
    }
    if (kind === module.constant('SPKI_RSA'))
      return { kind: 'rsa', material: module.read(at, length), exponent, leastSalt };
    expect(kind).toBe(0);
    return undefined;
  }
  const isRsa = (bytes: Uint8Array, leastSalt: number, n = N, e = E) =>
    expect(parse(bytes)).toEqual({ kind: 'rsa', material: magnitudeOf(n), exponent: Number(e), leastSalt });

  it('a P-256 key in DER is its point', () => {
    expect(parse(EC_SPKI)).toEqual({ kind: 'p256', material: POINT, exponent: 0, leastSalt: 0 });
  });

  it('an Ed25519 key in DER is its 32 bytes', () => {
    expect(parse(ED25519_SPKI)).toEqual({
      kind: 'ed25519',
      material: ED25519_KEY,
      exponent: 0,
      leastSalt: 0,
    });
  });

  it('an RSA key in DER is its modulus and its exponent', () => {
    isRsa(spkiOf(N, E), 0);
    isRsa(spkiOf(N, 3n), 0, N, 3n);
    isRsa(spkiOf(N, 0xffffffffn), 0, N, 0xffffffffn);
    isRsa(spkiOf(N >> 1n, E), 0, N >> 1n);
    const large = prime('modp16');
    isRsa(spkiOf(large, E), 0, large);
  });

  it('what OpenSSL writes is read, and verifies its signatures', () => {
    const message = Buffer.from('a message');
    const digest = new Uint8Array(createHash('sha256').update(message).digest());
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const found = parse(decoded(ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()));
    const signature = new Uint8Array(sign('sha256', message, ec.privateKey));
    const at = module.arena;
    module.write(at, concat(found?.material ?? byte(), digest, signature));
    expect(module.call('p256_verify', at, at + 65, at + 97, signature.length)).toBe(1);
    for (const make of [
      () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
      () => generatePss({ modulusLength: 2048 }),
      () =>
        generatePss({
          modulusLength: 2048,
          hashAlgorithm: 'sha256',
          mgf1HashAlgorithm: 'sha256',
          saltLength: 32,
        }),
    ]) {
      const { publicKey, privateKey } = make();
      const key = parse(decoded(publicKey.export({ type: 'spki', format: 'pem' }).toString()));
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const bytes = new Uint8Array(sign('sha256', message, { key: privateKey, padding, saltLength: 32 }));
      module.write(at, concat(key?.material ?? byte(), digest, bytes));
      const least = key?.leastSalt ?? 0;
      expect(module.call('rsa_pss_verify', at, 256, key?.exponent ?? 0, least, at + 256, at + 288, 256)).toBe(
        1,
      );
    }
  });

  /** The types take the salt's length for a text. */
  function generatePss(options: { modulusLength: number; [name: string]: unknown }) {
    return generateKeyPairSync('rsa-pss', options as unknown as RSAPSSKeyPairKeyObjectOptions);
  }

  function decoded(pem: string): Uint8Array {
    const length = module.call('pem_decode', module.arena, module.write(module.arena, text(pem)), pem.length);
    return module.read(module.arena, length);
  }

  it('an RSASSA-PSS key asks for SHA-256 twice and for a least salt, or for nothing', () => {
    isRsa(spkiOf(N, E, sequence(PSS)), 0);
    isRsa(pss(hash(WITH_NULL), mask(WITH_NULL)), 20);
    isRsa(pss(hash(WITHOUT), mask(WITHOUT)), 20);
    isRsa(pss(hash(WITH_NULL), mask(WITHOUT), salt(derInteger(32n))), 32);
    isRsa(pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(0n))), 0);
    isRsa(pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(222n))), 222);
  });

  const SHA1 = sequence(objectId('2b0e03021a'), NULL);
  const SHORT = sequence(objectId('6086480165030402'), NULL);
  const SHA512 = sequence(objectId('608648016503040203'), NULL);
  const compressed = concat(byte(2 + ((POINT[64] ?? 0) & 1)), POINT.subarray(1, 33));
  const reserved = (bytes: Uint8Array, unused: number) => der(0x03, byte(unused), bytes);
  const rsaBits = sequence(derInteger(N), derInteger(E));
  const nBytes = bigEndian(N, 256);
  it.each<[string, Uint8Array]>([
    ['nothing', byte()],
    ['one byte', byte(0x30)],
    ['an empty sequence', sequence()],
    ['a P-256 key with a byte after it', concat(EC_SPKI, byte(0))],
    ['a P-256 key cut short', EC_SPKI.subarray(0, -1)],
    ['a compressed point', sequence(sequence(EC_KEY, P256), bitString(compressed))],
    ['the neutral point', sequence(sequence(EC_KEY, P256), bitString(byte(0)))],
    ['a point of another curve', sequence(sequence(EC_KEY, objectId('2b81040022')), bitString(POINT))],
    ['a key of secp256k1', sequence(sequence(EC_KEY, objectId('2b8104000a')), bitString(POINT))],
    ['a curve by its parameters', sequence(sequence(EC_KEY, sequence(derInteger(1n))), bitString(POINT))],
    ['a P-256 key without a curve', sequence(sequence(EC_KEY), bitString(POINT))],
    ['a P-256 key with unused bits', sequence(sequence(EC_KEY, P256), reserved(POINT, 1))],
    [
      'a key for Diffie-Hellman on curves',
      sequence(sequence(objectId('2b8104010c'), P256), bitString(POINT)),
    ],
    ['an Ed25519 key with parameters', sequence(sequence(ED25519, NULL), bitString(new Uint8Array(30)))],
    ['an Ed25519 key of 31 bytes', sequence(sequence(ED25519), bitString(new Uint8Array(31)))],
    ['an Ed25519 key of 33 bytes', sequence(sequence(ED25519), bitString(new Uint8Array(33)))],
    ['an Ed25519 key with a byte after it', concat(ED25519_SPKI, byte(0))],
    ['an Ed25519 key with unused bits', sequence(sequence(ED25519), reserved(new Uint8Array(32), 1))],
    ['an X25519 key', sequence(sequence(objectId('2b656e')), bitString(new Uint8Array(32)))],
    ['an Ed448 key of 32 bytes', sequence(sequence(objectId('2b6571')), bitString(new Uint8Array(32)))],
    ['a DSA key', sequence(sequence(objectId('2a8648ce380401'), NULL), bitString(rsaBits))],
    ['an RSA key with a byte after it', concat(spkiOf(N, E), byte(0))],
    ['an RSA key cut short', spkiOf(N, E).subarray(0, -1)],
    ['an RSA key with a byte after its bit string', sequence(RSA_ENCRYPTION, bitString(rsaBits), byte(0))],
    ['a short RSA exponent with a byte after it', rsaWith(derInteger(N), derInteger(3n), byte(0))],
    ['an RSA key with a byte inside its bit string', sequence(RSA_ENCRYPTION, bitString(rsaBits, byte(0)))],
    ['an RSA key with unused bits', sequence(RSA_ENCRYPTION, reserved(rsaBits, 1))],
    ['an RSA key in an octet string', sequence(RSA_ENCRYPTION, der(0x04, byte(0), rsaBits))],
    ['an RSA key with an empty bit string', sequence(RSA_ENCRYPTION, der(0x03))],
    ['an RSA key without a bit string', sequence(RSA_ENCRYPTION)],
    ['an RSA key without parameters', spkiOf(N, E, sequence(objectId('2a864886f70d010101')))],
    ['an RSA key with other parameters', spkiOf(N, E, sequence(objectId('2a864886f70d010101'), sequence()))],
    ['an RSA key with two NULLs', spkiOf(N, E, sequence(objectId('2a864886f70d010101'), NULL, NULL))],
    [
      'an RSA key for PKCS #1 v1.5 with SHA-256',
      spkiOf(N, E, sequence(objectId('2a864886f70d01010b'), NULL)),
    ],
    ['an RSA key for OAEP', spkiOf(N, E, sequence(objectId('2a864886f70d010107')))],
    ['an algorithm that is no sequence', sequence(objectId('2a864886f70d010101'), bitString(rsaBits))],
    [
      'an algorithm whose identifier is too short',
      spkiOf(N, E, sequence(objectId('2a864886f70d0101'), NULL)),
    ],
    [
      'an algorithm whose identifier is too long',
      spkiOf(N, E, sequence(objectId('2a864886f70d01010101'), NULL)),
    ],
    ['an RSA key with a third integer', rsaWith(derInteger(N), derInteger(E), derInteger(1n))],
    ['an RSA key without an exponent', rsaWith(derInteger(N))],
    ['an exponent of 2^32', spkiOf(N, 2n ** 32n)],
    ['an exponent as long as the modulus', spkiOf(N, N - 2n)],
    ['an exponent with zeros before it', rsaWith(derInteger(N), der(0x02, byte(0, 1, 0, 1)))],
    ['an empty exponent', rsaWith(derInteger(N), der(0x02))],
    ['a negative exponent', rsaWith(derInteger(N), der(0x02, byte(0xff)))],
    ['a negative modulus', rsaWith(der(0x02, nBytes), derInteger(E))],
    ['a modulus with two zeros before it', rsaWith(der(0x02, byte(0, 0), nBytes), derInteger(E))],
    ['a modulus with an indefinite length', rsaWith(byte(0x02, 0x80), derInteger(E))],
    ['a modulus with a length of three bytes', rsaWith(byte(0x02, 0x83, 0, 1, 1, 0), nBytes, derInteger(E))],
    [
      'a modulus with a length longer than it must be',
      rsaWith(byte(0x02, 0x82, 0x00, 0x7f), new Uint8Array(127).fill(1), derInteger(E)),
    ],
    [
      'a modulus with a length of three bytes that would do as two',
      rsaWith(byte(0x02, 0x83, 1, 0, 0), new Uint8Array(255).fill(1), derInteger(E)),
    ],
    [
      'a modulus with an indefinite length that would do as two bytes',
      rsaWith(byte(0x02, 0x80, 1, 0), new Uint8Array(256).fill(1), derInteger(E)),
    ],
    [
      'a modulus with a length of two bytes where one is enough',
      rsaWith(byte(0x02, 0x82, 0, 0xff), new Uint8Array(255).fill(1), derInteger(E)),
    ],
    ['an empty modulus', rsaWith(der(0x02), derInteger(E))],
    ['a modulus that is longer than the key', rsaWith(byte(0x02, 0x82, 0xff, 0xff), nBytes, derInteger(E))],
    ['RSASSA-PSS with empty parameters, which are SHA-1', pss()],
    ['RSASSA-PSS with NULL for parameters', spkiOf(N, E, sequence(PSS, NULL))],
    ['RSASSA-PSS for SHA-1', pss(hash(SHA1), mask(WITH_NULL))],
    ['RSASSA-PSS for a hash whose identifier is cut', pss(hash(SHORT), mask(WITH_NULL))],
    ['RSASSA-PSS for SHA-512', pss(hash(SHA512), mask(WITH_NULL))],
    ['RSASSA-PSS with SHA-1 in its mask', pss(hash(WITH_NULL), mask(SHA1))],
    ['RSASSA-PSS with SHA-512 in its mask', pss(hash(WITH_NULL), mask(SHA512))],
    ['RSASSA-PSS without a mask, which is SHA-1', pss(hash(WITH_NULL))],
    ['RSASSA-PSS without a hash, which is SHA-1', pss(mask(WITH_NULL))],
    ['RSASSA-PSS with another mask', pss(hash(WITH_NULL), mask(WITH_NULL, objectId('2a864886f70d010109')))],
    ['RSASSA-PSS with parameters after the hash', pss(hash(sequence(SHA256, NULL, NULL)), mask(WITH_NULL))],
    ['RSASSA-PSS with a byte after the hash', pss(hash(concat(WITH_NULL, byte(0))), mask(WITH_NULL))],
    ['RSASSA-PSS with its parts in another order', pss(mask(WITH_NULL), hash(WITH_NULL))],
    ['RSASSA-PSS with a negative salt', pss(hash(WITH_NULL), mask(WITH_NULL), salt(der(0x02, byte(0xff))))],
    ['RSASSA-PSS with an empty salt', pss(hash(WITH_NULL), mask(WITH_NULL), salt(byte()))],
    ['RSASSA-PSS with a salt of 2^32', pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(2n ** 32n)))],
    [
      'RSASSA-PSS with two salts',
      pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(32n)), salt(derInteger(32n))),
    ],
    [
      'RSASSA-PSS with a trailer',
      pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(32n)), der(0xa3, derInteger(1n))),
    ],
    [
      'RSASSA-PSS with a third field',
      spkiOf(N, E, sequence(PSS, sequence(hash(WITH_NULL), mask(WITH_NULL)), NULL)),
    ],
  ])('DER is refused: %s', (_, bytes) => {
    expect(parse(bytes)).toBeUndefined();
  });

  it('a key cut anywhere, or with any byte changed, gives a key or none and never a trap', () => {
    const keys = [
      EC_SPKI,
      ED25519_SPKI,
      spkiOf(N, E),
      pss(hash(WITH_NULL), mask(WITH_NULL), salt(derInteger(32n))),
    ];
    for (const key of keys) {
      for (let length = 0; length < key.length; length++)
        expect(parse(key.subarray(0, length))).toBeUndefined();
      for (let at = 0; at < Math.min(key.length, 120); at++) {
        for (const value of [0, 1, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xff]) {
          const found = parse(key.map((b, i) => (i === at ? value : b)));
          if (found?.kind === 'rsa') expect(found.material.length).toBeLessThanOrEqual(key.length);
        }
      }
    }
  });

  it('a key at the end of memory is read and never beyond', () => {
    const end = module.memory.length;
    for (const key of [EC_SPKI, ED25519_SPKI, spkiOf(N, E)]) {
      for (const cut of [0, 1, 10, 30, key.length - 1]) {
        const part = key.subarray(0, key.length - cut);
        const at = module.write(end - part.length, part);
        expect(module.call('spki_parse', module.arena, at, part.length) !== 0).toBe(cut === 0);
      }
    }
    for (const last of [
      der(0x03),
      der(0x03, byte(0)),
      bitString(byte(0x30)),
      bitString(byte(0x30, 2, 2, 0)),
      bitString(byte(0x30, 0x81)),
      bitString(byte(0x30, 0x82)),
      bitString(byte(0x30, 0x82, 1)),
    ]) {
      const bytes = sequence(RSA_ENCRYPTION, last);
      expect(
        module.call('spki_parse', module.arena, module.write(end - bytes.length, bytes), bytes.length),
      ).toBe(0);
    }
    expect(module.call('spki_parse', module.arena, end, 0)).toBe(0);
    expect(module.call('p256_verify', end - 65, end - 65, end, 0)).toBe(0);
  });

  describe('PEM', () => {
    function decode(value: string, inPlace = false): Uint8Array | undefined {
      const source = module.write(module.arena + 4096, text(value));
      const out = inPlace ? source : module.arena;
      const length = module.call('pem_decode', out, source, value.length);
      return length === 0 ? undefined : module.read(out, length);
    }
    const pem = toPem(EC_SPKI);
    const begin = '-----BEGIN PUBLIC KEY-----';
    const end = '-----END PUBLIC KEY-----';

    it('is the DER in it, also in place, of any length and with any ends of lines', () => {
      const random = randomBytes(9);
      for (let length = 1; length < 100; length++) {
        const bytes = random(length);
        expect(decode(toPem(bytes))).toEqual(bytes);
        expect(decode(toPem(bytes), true)).toEqual(bytes);
      }
      for (const variant of [
        pem.trimEnd(),
        pem.replaceAll('\n', '\r\n'),
        `\n \t${pem}\n\n`,
        pem.replaceAll('\n', ''),
        pem.replaceAll('\n', ' \n '),
      ]) {
        expect(decode(variant)).toEqual(EC_SPKI);
      }
    });

    it('is read to its end and never beyond, wherever it lies', () => {
      const { length } = module.memory;
      for (const part of [begin.slice(0, -1), begin, `${begin}A`, pem.slice(0, -2), end]) {
        const at = module.write(length - part.length, text(part));
        expect(module.call('pem_decode', module.arena, at, part.length)).toBe(0);
      }
    });

    it.each<[string, string]>([
      ['empty text', ''],
      ['white space', ' \n '],
      ['an empty key', `${begin}\n${end}`],
      ['the first line alone', begin],
      ['no last line', pem.replace(end, '')],
      ['no first line', pem.replace(begin, '')],
      ['half of the lines that both need', `${begin.slice(0, -5)}${end}`],
      ['another label', pem.replaceAll('PUBLIC KEY', 'RSA PUBLIC KEY')],
      ['a private key', pem.replaceAll('PUBLIC KEY', 'PRIVATE KEY')],
      ['a certificate', pem.replaceAll('PUBLIC KEY', 'CERTIFICATE')],
      ['labels in small letters', pem.toLowerCase()],
      ['four dashes', pem.replace(begin, begin.slice(1))],
      ['text before', `key: ${pem}`],
      ['text behind', `${pem}x`],
      ['two keys', pem + pem],
      ['a header', pem.replace('\n', '\nComment: x\n\n')],
      ['a character that is not base64', pem.replace('\nMF', '\nM*')],
      ['base64 of URLs', `${begin}\nAA-_\n${end}`],
      ['a byte above 127', pem.replace('\nMF', '\nM\xc6')],
      ['a zero', pem.replace('\nMF', '\nM\0')],
      ['one character too many', `${begin}\nAAAAA\n${end}`],
      ['one character too many, padded', `${begin}\nAAAAA===\n${end}`],
      ['no padding where it is due', `${begin}\nAAA\n${end}`],
      ['less padding than is due', `${begin}\nAA=\n${end}`],
      ['more padding than is due', `${begin}\nAAA==\n${end}`],
      ['padding alone', `${begin}\n====\n${end}`],
      ['padding after full groups', `${begin}\nAAAA====\n${end}`],
      ['padding within', `${begin}\nAA==AAAA\n${end}`],
      ['bits left over that are not 0', `${begin}\nAAB=\n${end}`],
      ['more bits left over that are not 0', `${begin}\nAB==\n${end}`],
    ])('is refused: %s', (_, value) => {
      expect(decode(value)).toBeUndefined();
    });
  });

  describe('hex', () => {
    function decode(value: string): Uint8Array | undefined {
      const source = module.write(module.arena + 4096, text(value));
      const length = module.call('hex_decode', source, source, value.length);
      return length === 0 ? undefined : module.read(source, length);
    }

    it('is the bytes in it, in either case', () => {
      expect(decode(toHex(POINT))).toEqual(POINT);
      expect(decode(toHex(POINT).toUpperCase())).toEqual(POINT);
      const all = Uint8Array.from({ length: 256 }, (_, i) => i);
      expect(decode(toHex(all))).toEqual(all);
    });

    it('is refused with an odd length or anything but digits', () => {
      const source = module.write(module.arena, text('abcd'));
      for (const length of [0, 1, 3]) expect(module.call('hex_decode', source + 8, source, length)).toBe(0);
      for (let char = 0; char < 256; char++) {
        const digit = /[0-9a-fA-F]/.test(String.fromCharCode(char));
        expect(decode(`0${String.fromCharCode(char)}`) !== undefined, `${char}`).toBe(digit);
        expect(decode(`${String.fromCharCode(char)}0`) !== undefined, `${char}`).toBe(digit);
      }
    });
  });
});

function magnitudeOf(value: bigint): Uint8Array {
  const length = Math.ceil(value.toString(16).length / 2);
  const bytes = bigEndian(value, length);
  expect(fromBigEndian(bytes)).toBe(value);
  return bytes;
}
