// A simulated vehicle: ECUs with keys of their own that sign reports, and a Primary that signs the manifest. It says
// what it is told to, so that liars can be played with it.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { canonicalize, formatTime, generateKey, keyId, type PublicKey, serialize } from '../repo/index.ts';

export interface SimKey {
  readonly id: string;
  readonly public: PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

/** A P-256 key, as a secure element holds one. */
export function generateP256(): SimKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return asSimKey({ keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } }, privateKey);
}

function asSimKey(publicKey: PublicKey, secret: KeyObject): SimKey {
  return { id: keyId(publicKey), public: publicKey, sign: (message) => sign('sha256', message, secret) };
}

export interface SimImage {
  readonly path: string;
  readonly length: number;
  readonly sha256: string;
}

export function imageOf(path: string, bytes: Uint8Array): SimImage {
  return { path, length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const FACTORY_IMAGE = imageOf('factory', new Uint8Array(1));

export class SimEcu {
  readonly serial: string;
  readonly hardwareId: string;
  readonly key: SimKey;
  image: SimImage;
  counter = 0;
  attacks = '';

  constructor(serial: string, hardwareId: string, key: SimKey = generateKey(), image = FACTORY_IMAGE) {
    this.serial = serial;
    this.hardwareId = hardwareId;
    this.key = key;
    this.image = image;
  }

  /** The signed part of its next report; the counter rises. */
  report(now: number): Record<string, unknown> {
    const { path, length, sha256 } = this.image;
    return {
      attacks_detected: this.attacks,
      ecu_serial: this.serial,
      installed_image: { fileinfo: { hashes: { sha256 }, length }, filepath: path },
      report_counter: ++this.counter,
      timeserver_time: formatTime(now),
    };
  }
}

/** The first ECU is the Primary. */
export class SimVehicle {
  readonly id: string;
  readonly ecus: readonly [SimEcu, ...SimEcu[]];

  constructor(id: string, ecus: readonly [SimEcu, ...SimEcu[]]) {
    this.id = id;
    this.ecus = ecus;
  }

  get primary(): SimEcu {
    return this.ecus[0];
  }

  /** What the manufacturer hands over. */
  inventory() {
    const ecus = this.ecus.map((ecu) => ({
      serial: ecu.serial,
      hardwareId: ecu.hardwareId,
      primary: ecu === this.primary,
      key: ecu.key.public,
    }));
    return { vehicle: this.id, ecus };
  }

  /** The bytes of its next manifest. */
  manifest(now: number): Uint8Array {
    const reports = Object.fromEntries(
      this.ecus.map((ecu) => [ecu.serial, signPart(ecu.report(now), ecu.key)]),
    );
    return serialize(signPart(manifestOf(this.id, this.primary.serial, reports), this.primary.key));
  }
}

export function manifestOf(vehicle: string, primary: string, reports: Record<string, unknown>) {
  return { ecu_version_manifests: reports, primary_ecu_serial: primary, vehicle_id: vehicle };
}

export function signPart(signed: unknown, key: SimKey) {
  const sig = Buffer.from(key.sign(canonicalize(signed))).toString('hex');
  return { signatures: [{ keyid: key.id, sig }], signed };
}
