// Signatures over metadata: making them, and counting those that hold toward a threshold.
import { canonicalize } from './canonical.ts';
import { keyMaterial, type PublicKey, type SigningKey, verifySignature } from './keys.ts';
import type { Envelope, Role, Signature, Signed } from './metadata.ts';

/** Signs with each of the keys, in their order. It asks nothing: fewer, other or stolen keys sign as well. */
export function sign<S extends Signed>(signed: S, keys: readonly SigningKey[]): Envelope<S> {
  const message = canonicalize(signed);
  return { signatures: keys.map((key) => signMessage(message, key)), signed };
}

function signMessage(message: Uint8Array, key: SigningKey): Signature {
  return { keyid: key.id, sig: Buffer.from(key.sign(message)).toString('hex') };
}

/** How a role's signatures on one file stand. */
export interface SignatureCount {
  /** Key ids whose signature holds, each key once. */
  readonly valid: readonly string[];
  /** Key ids of the role that signed, but whose signature does not hold. */
  readonly invalid: readonly string[];
  /** Different keys that signed. Two ids of the same key count once (specification 5.3.4, "unique keys"). */
  readonly count: number;
}

/** Counts the signatures of a role's keys over `signed`. */
export function countSignatures(
  envelope: Envelope,
  role: Role,
  keys: Readonly<Record<string, PublicKey>>,
): SignatureCount {
  const message = canonicalize(envelope.signed);
  const material = new Set<string>();
  const valid: string[] = [];
  const invalid: string[] = [];
  for (const { keyid, sig } of envelope.signatures) {
    const key = keys[keyid];
    // An empty signature stands for one that is still to come.
    if (key === undefined || sig === '' || !role.keyids.includes(keyid)) continue;
    if (!verifySignature(key, message, sig)) {
      invalid.push(keyid);
    } else if (!material.has(keyMaterial(key))) {
      material.add(keyMaterial(key));
      valid.push(keyid);
    }
  }
  return { valid, invalid, count: valid.length };
}
