// The core's cryptography for TypeScript: build/crypto.wasm, made of assembly/crypto alone, in V8 or in wasm3.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { types } from 'node:util';
import { type EngineName, engineName, wasm3 } from './engine.ts';
import { HostError } from './errors.ts';
import { projectRoot } from './root.ts';

export interface CryptoOptions {
  /** Absent: what MOULT_ENGINE says, else V8. */
  readonly engine?: EngineName;
}

/**
 * Verifiers give false for whatever is not a valid signature, arguments of a wrong type or length included, and throw
 * only for the name of a scheme that is not known (`scheme-unknown`). The others throw a HostError: `argument-invalid`, or `not-authentic` for a sealed text that was changed. Messages may
 * have any size. No call that is given a key keeps it.
 */
export interface Crypto {
  /** FIPS 180-4: 32 bytes. */
  sha256(data: Uint8Array): Uint8Array;
  /** FIPS 180-4: 64 bytes. */
  sha512(data: Uint8Array): Uint8Array;
  /** RFC 8032, strict and without a cofactor: a key of 32 bytes, a signature of 64. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** RFC 8032: 64 bytes. The secret key is the seed of 32 bytes; the last key's public half is remembered. */
  ed25519Sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  /** RFC 8032: the 32 bytes of the public key that belongs to a seed. */
  ed25519PublicKey(secretKey: Uint8Array): Uint8Array;
  /** A new seed from at least 32 bytes of entropy that are not all the same; more are better. */
  ed25519SecretKey(entropy: Uint8Array): Uint8Array;
  /** FIPS 186-5 with P-256 and SHA-256: a point of 65 bytes or a SubjectPublicKeyInfo in DER, a signature in DER. */
  p256Verify(publicKey: Uint8Array, message: Uint8Array, derSignature: Uint8Array): boolean;
  /** RFC 8017, RSASSA-PSS with SHA-256 twice: a SubjectPublicKeyInfo in DER of 2048 to 4096 bits. */
  rsaPssVerify(spkiDer: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * A signature by the names of its key in TUF: keytype and scheme `ed25519`; `ecdsa` or `ecdsa-sha2-nistp256` with
   * `ecdsa-sha2-nistp256`; `rsa` with `rsassa-pss-sha256`. The key: bare, in hex digits, or a SubjectPublicKeyInfo in
   * DER or PEM; RSA keys the latter two.
   */
  signatureVerify(
    keyType: string,
    scheme: string,
    publicKey: Uint8Array | string,
    message: Uint8Array,
    signature: Uint8Array,
  ): boolean;
  /** RFC 7748: 32 bytes. A public key of small order, which gives everybody the same secret, is refused. */
  x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** RFC 7748: the 32 bytes of the public key that belongs to any 32 bytes. */
  x25519PublicKey(secretKey: Uint8Array): Uint8Array;
  /** RFC 5869: `length` bytes, at most 8160; `info` has at most 8192. */
  hkdfSha256(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** RFC 8439: the sealed text, 16 bytes longer. 32 bytes of key, 12 of a nonce that the key never had before. */
  chacha20poly1305Seal(key: Uint8Array, nonce: Uint8Array, text: Uint8Array, data?: Uint8Array): Uint8Array;
  /** RFC 8439: the text, and not a byte of it unless the whole is authentic. */
  chacha20poly1305Open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, data?: Uint8Array): Uint8Array;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  memory_used(): number;
  sha256_begin(context: number): void;
  sha256_update(context: number, data: number, length: number): void;
  sha256_end(context: number, digest: number): void;
  sha512_begin(context: number): void;
  sha512_update(context: number, data: number, length: number): void;
  sha512_end(context: number, digest: number): void;
  ed25519_verify_begin(context: number, publicKey: number, signature: number): number;
  ed25519_verify_update(context: number, data: number, length: number): void;
  ed25519_verify_end(context: number): number;
  ed25519_tables_make(tables: number): void;
  ed25519_key_make(key: number, seed: number, tables: number): void;
  ed25519_key_forget(key: number): void;
  ed25519_seed_make(seed: number, entropy: number, length: number): number;
  ed25519_sign_begin(context: number, key: number): void;
  ed25519_sign_update(context: number, data: number, length: number): void;
  ed25519_sign_again(context: number): number;
  ed25519_sign_end(context: number, signature: number): number;
  p256_verify(point: number, digest: number, signature: number, length: number): number;
  rsa_pss_verify(
    modulus: number,
    modulusLength: number,
    exponent: number,
    leastSalt: number,
    digest: number,
    signature: number,
    length: number,
  ): number;
  spki_parse(key: number, der: number, length: number): number;
  signature_kind(type: number, typeLength: number, scheme: number, schemeLength: number): number;
  signature_key(key: number, kind: number, bytes: number, length: number): number;
  signature_begin(context: number, key: number, signature: number, length: number): number;
  signature_update(context: number, data: number, length: number): void;
  signature_end(context: number, key: number, signature: number, length: number): number;
  x25519(shared: number, secret: number, peer: number): number;
  x25519_public(publicKey: number, secret: number): void;
  hmac_sha256_begin(context: number, key: number, length: number): void;
  hmac_sha256_update(context: number, data: number, length: number): void;
  hmac_sha256_end(context: number, mac: number): void;
  hkdf_sha256_expand(out: number, length: number, prk: number, info: number, infoLength: number): number;
  chacha20poly1305_begin(context: number, key: number, nonce: number): void;
  chacha20poly1305_data(context: number, data: number, length: number): number;
  chacha20poly1305_seal(context: number, out: number, text: number, length: number): number;
  chacha20poly1305_open(context: number, out: number, text: number, length: number): number;
  chacha20poly1305_seal_end(context: number, tag: number): number;
  chacha20poly1305_open_end(context: number, tag: number): number;
}

const NONE = new Uint8Array();

/** Where the caller's memory is divided, from the end of the module's own on. */
const CONTEXT = 0;
const KEY = 512;
/** Keys, signatures, nonces, digests. */
const SMALL = 704;
const SMALL_SIZE = 320;
const DATA = 1024;
const DATA_SIZE = 16_384;
const TABLES = DATA + DATA_SIZE;
const TABLES_SIZE = 27_648;
/** A key of any kind and a signature by it. */
const ANY_KEY = TABLES + TABLES_SIZE;
const ANY_SIGNATURE = ANY_KEY + 528;

const HKDF_MOST = 8160;
const INFO = DATA + 8192;
const INFO_MOST = 8192;
/** Where in a key the public half is. */
const PUBLIC_KEY = 64;
const TAG = 16;

/** What `spki_parse` finds. */
const SPKI_P256 = 1;
const SPKI_RSA = 2;
const POINT = 65;
/** Above every key and signature that can be valid. */
const DER_MOST = 2048;
const SIGNATURE = DATA + DER_MOST;

/** Above the length of every name of a type and of a scheme. */
const NAME_MOST = 64;
/** What `signature_kind` says when it does not know the type. */
const TYPE_UNKNOWN = -1;

/** Signatures before tables are worth the while. */
const FEW = 8;

export function createCrypto({ engine = engineName }: CryptoOptions = {}): Crypto {
  const module = load(engine);
  const memory = new Uint8Array(module.memory.buffer);
  const base = (module.memory_used() + 7) & ~7;
  const context = base + CONTEXT;
  const key = base + KEY;
  const small = base + SMALL;
  const data = base + DATA;
  const signature = base + SIGNATURE;
  const parsed = small + 32;
  const anyKey = base + ANY_KEY;
  const anySignature = base + ANY_SIGNATURE;
  const words = new DataView(module.memory.buffer);
  let signatures = 0;

  /** Feeds a message through the buffer; a piece is at least one, maybe empty. */
  function feed(message: Uint8Array, take: (context: number, data: number, length: number) => unknown): void {
    const length = message.length;
    if (length <= DATA_SIZE) {
      memory.set(message, data);
      take(context, data, length);
      return;
    }
    for (let at = 0; at < length; at += DATA_SIZE) {
      const piece = message.subarray(at, at + DATA_SIZE);
      memory.set(piece, data);
      take(context, data, piece.length);
    }
  }

  /** Runs with secrets in the small region or the buffer, and clears both. */
  function secretly<Result>(act: () => Result): Result {
    try {
      return act();
    } finally {
      memory.fill(0, small, small + SMALL_SIZE);
      memory.fill(0, data, data + DATA_SIZE);
    }
  }

  const copy = (at: number, length: number): Uint8Array => memory.slice(at, at + length);

  /** Runs with an Ed25519 key, and clears what is secret in it. */
  function withKey<Result>(secretKey: Uint8Array, act: () => Result): Result {
    try {
      memory.set(exactly(32, secretKey, 'an Ed25519 secret key'), small);
      module.ed25519_key_make(key, small, tables());
      memory.fill(0, small, small + 32);
      return act();
    } finally {
      module.ed25519_key_forget(key);
    }
  }

  /** Made when it looks as if many signatures follow. */
  function tables(): number {
    if (engine !== 'v8' || signatures++ < FEW) return 0;
    if (signatures === FEW + 1) module.ed25519_tables_make(base + TABLES);
    return base + TABLES;
  }

  /** Hashes into the small region. */
  function digest(bytes: Uint8Array): void {
    module.sha256_begin(context);
    feed(bytes, module.sha256_update);
    module.sha256_end(context, small);
  }

  function sha256(bytes: Uint8Array): Uint8Array {
    digest(some(bytes, 'the data'));
    return copy(small, 32);
  }

  /** Puts the digest of a message, a key and a signature where they belong. False: one of them is none. */
  function put(publicKey: unknown, message: unknown, bytes: unknown): boolean {
    if (!isBytes(publicKey) || !isBytes(message) || !isBytes(bytes)) return false;
    if (publicKey.length > DER_MOST || bytes.length > DER_MOST) return false;
    digest(message);
    memory.set(publicKey, data);
    memory.set(bytes, signature);
    return true;
  }

  function kindOf(keyType: string, scheme: string): number {
    const [type, typeLength] = [data, putName(keyType, data)];
    const [second, length] = [data + NAME_MOST, putName(scheme, data + NAME_MOST)];
    const kind = module.signature_kind(type, typeLength, second, length);
    if (kind > 0) return kind;
    const unknown =
      kind === TYPE_UNKNOWN ? `keys of type ${keyType}` : `${keyType} keys with scheme ${scheme}`;
    throw new HostError('scheme-unknown', `${unknown} are not known`);
  }

  function putName(name: string, at: number): number {
    if (typeof name !== 'string') throw invalid('the type of a key and the scheme are strings');
    const bytes = Buffer.from(name).subarray(0, NAME_MOST);
    memory.set(bytes, at);
    return bytes.length;
  }

  /** A field of the parsed key. */
  const word = (index: number): number => words.getUint32(parsed + 4 * index, true);

  return {
    sha256,
    sha512(bytes) {
      module.sha512_begin(context);
      feed(some(bytes, 'the data'), module.sha512_update);
      module.sha512_end(context, small);
      return copy(small, 64);
    },
    ed25519Verify(publicKey, message, bytes) {
      if (!isBytes(publicKey, 32) || !isBytes(message) || !isBytes(bytes, 64)) return false;
      memory.set(publicKey, small);
      memory.set(bytes, small + 32);
      if (!module.ed25519_verify_begin(context, small, small + 32)) return false;
      feed(message, module.ed25519_verify_update);
      return module.ed25519_verify_end(context) !== 0;
    },
    ed25519Sign(secretKey, message) {
      some(message, 'the message');
      return withKey(secretKey, () => {
        module.ed25519_sign_begin(context, key);
        feed(message, module.ed25519_sign_update);
        module.ed25519_sign_again(context);
        feed(message, module.ed25519_sign_update);
        if (!module.ed25519_sign_end(context, small))
          throw invalid('the message changed while it was signed');
        return copy(small, 64);
      });
    },
    ed25519PublicKey(secretKey) {
      return withKey(secretKey, () => copy(key + PUBLIC_KEY, 32));
    },
    ed25519SecretKey(entropy) {
      if (!isBytes(entropy) || entropy.length > DATA_SIZE)
        throw invalid(`entropy is a Uint8Array of 32 to ${DATA_SIZE} bytes`);
      return secretly(() => {
        memory.set(entropy, data);
        if (!module.ed25519_seed_make(small, data, entropy.length))
          throw invalid('entropy has at least 32 bytes, and they are not all the same');
        return copy(small, 32);
      });
    },
    p256Verify(publicKey, message, derSignature) {
      if (!put(publicKey, message, derSignature)) return false;
      if (publicKey.length !== POINT && module.spki_parse(parsed, data, publicKey.length) !== SPKI_P256)
        return false;
      const point = publicKey.length === POINT ? data : word(0);
      return module.p256_verify(point, small, signature, derSignature.length) !== 0;
    },
    rsaPssVerify(spkiDer, message, bytes) {
      if (!put(spkiDer, message, bytes)) return false;
      if (module.spki_parse(parsed, data, spkiDer.length) !== SPKI_RSA) return false;
      const [modulus, length, exponent, leastSalt] = [word(0), word(1), word(2), word(3)];
      const given = bytes.length;
      return module.rsa_pss_verify(modulus, length, exponent, leastSalt, small, signature, given) !== 0;
    },
    signatureVerify(keyType, scheme, publicKey, message, bytes) {
      const kind = kindOf(keyType, scheme);
      const given = typeof publicKey === 'string' ? Buffer.from(publicKey) : publicKey;
      if (!isBytes(given) || !isBytes(message) || !isBytes(bytes)) return false;
      if (given.length > DER_MOST || bytes.length > DER_MOST) return false;
      memory.set(given, data);
      if (!module.signature_key(anyKey, kind, data, given.length)) return false;
      memory.set(bytes, anySignature);
      if (!module.signature_begin(context, anyKey, anySignature, bytes.length)) return false;
      feed(message, module.signature_update);
      return module.signature_end(context, anyKey, anySignature, bytes.length) !== 0;
    },
    x25519(secretKey, publicKey) {
      exactly(32, secretKey, 'an X25519 secret key');
      exactly(32, publicKey, 'an X25519 public key');
      return secretly(() => {
        memory.set(secretKey, small);
        memory.set(publicKey, small + 32);
        if (!module.x25519(small + 64, small, small + 32))
          throw invalid('this X25519 public key is of small order and gives everybody the same secret');
        return copy(small + 64, 32);
      });
    },
    x25519PublicKey(secretKey) {
      exactly(32, secretKey, 'an X25519 secret key');
      return secretly(() => {
        memory.set(secretKey, small);
        module.x25519_public(small + 32, small);
        return copy(small + 32, 32);
      });
    },
    hkdfSha256(secret, salt, info, length) {
      some(secret, 'the secret');
      if (!isBytes(info) || info.length > INFO_MOST)
        throw invalid(`info is a Uint8Array of at most ${INFO_MOST} bytes`);
      if (!Number.isInteger(length) || length < 0 || length > HKDF_MOST)
        throw invalid(`HKDF-SHA256 gives 0 to ${HKDF_MOST} bytes`);
      // HMAC hashes a key that is longer than a block; done here, a salt may have any length.
      const saltKey = some(salt, 'the salt').length > 64 ? sha256(salt) : salt;
      return secretly(() => {
        memory.set(saltKey, small);
        module.hmac_sha256_begin(context, small, saltKey.length);
        feed(secret, module.hmac_sha256_update);
        module.hmac_sha256_end(context, small);
        memory.set(info, base + INFO);
        module.hkdf_sha256_expand(data, length, small, base + INFO, info.length);
        return copy(data, length);
      });
    },
    chacha20poly1305Seal(cipherKey, nonce, text, associated = NONE) {
      some(text, 'the text');
      const sealed = new Uint8Array(text.length + TAG);
      cipher(cipherKey, nonce, associated, () => {
        through(text, sealed, module.chacha20poly1305_seal);
        module.chacha20poly1305_seal_end(context, small);
        sealed.set(memory.subarray(small, small + TAG), text.length);
      });
      return sealed;
    },
    chacha20poly1305Open(cipherKey, nonce, sealed, associated = NONE) {
      if (some(sealed, 'the sealed text').length < TAG) throw notAuthentic();
      const text = new Uint8Array(sealed.length - TAG);
      cipher(cipherKey, nonce, associated, () => {
        through(sealed.subarray(0, text.length), text, module.chacha20poly1305_open);
        memory.set(sealed.subarray(text.length), small);
        if (module.chacha20poly1305_open_end(context, small)) return;
        text.fill(0);
        throw notAuthentic();
      });
      return text;
    },
  };

  function cipher(cipherKey: Uint8Array, nonce: Uint8Array, associated: Uint8Array, act: () => void): void {
    exactly(32, cipherKey, 'a ChaCha20 key');
    exactly(12, nonce, 'a ChaCha20 nonce');
    some(associated, 'the associated data');
    secretly(() => {
      memory.set(cipherKey, small);
      memory.set(nonce, small + 32);
      module.chacha20poly1305_begin(context, small, small + 32);
      feed(associated, module.chacha20poly1305_data);
      act();
    });
  }

  /** Sends `from` through the cipher into `into`. */
  function through(from: Uint8Array, into: Uint8Array, act: Exports['chacha20poly1305_seal']): void {
    let at = 0;
    feed(from, (_, piece, length) => {
      act(context, piece, piece, length);
      into.set(memory.subarray(piece, piece + length), at);
      at += length;
    });
  }
}

function load(name: EngineName): Exports {
  if (name !== 'v8' && name !== 'wasm3')
    throw new HostError('engine-missing', `there is no engine "${name}"; the engines are v8 and wasm3`);
  const engine = name === 'v8' ? WebAssembly : wasm3();
  const path = join(projectRoot(), 'build/crypto.wasm');
  try {
    return new engine.Instance(new engine.Module(readFileSync(path))).exports as unknown as Exports;
  } catch (cause) {
    throw new HostError('module-unusable', `${path} is missing or damaged; build it with: npm run build`, {
      cause,
    });
  }
}

function isBytes(value: unknown, length?: number): value is Uint8Array {
  return types.isUint8Array(value) && (length === undefined || value.length === length);
}

function some(value: Uint8Array, what: string): Uint8Array {
  if (!isBytes(value)) throw invalid(`${what} must be a Uint8Array`);
  return value;
}

function exactly(length: number, value: Uint8Array, what: string): Uint8Array {
  if (!isBytes(value, length)) throw invalid(`${what} is a Uint8Array of ${length} bytes`);
  return value;
}

const invalid = (message: string): HostError => new HostError('argument-invalid', message);
const notAuthentic = (): HostError =>
  new HostError('not-authentic', 'the sealed text is not what this key sealed, or was changed');
