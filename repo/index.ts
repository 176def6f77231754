// The repository side as a library.
//
//   const repository = await createRepository('acme-lock', { encrypt: false, clock: () => 1_800_000_000 });
//   await repository.addRelease({ image: 'app.bin', component: 'app', version: '1.0.0', hardwareIds: ['esp32c3'] });
//   await repository.publish();
//
// To forge metadata, build, sign with any keys, and take the bytes:
//
//   envelopeBytes(sign(buildTimestamp({ version: 99, expires }, metaFile(snapshotBytes, 7)), stolenKeys))
export { canonicalize, compareNames, serialize } from './canonical.ts';
export { type ErrorCode, RepositoryError } from './errors.ts';
export {
  generateKey,
  keyId,
  type PublicKey,
  type Random,
  type SigningKey,
  sha256,
  signingKey,
  verifySignature,
} from './keys.ts';
export * from './metadata.ts';
export * from './repository.ts';
export { countSignatures, type SignatureCount, sign } from './signing.ts';
export {
  type Clock,
  formatDuration,
  formatTime,
  parseDate,
  parseDuration,
  parseTime,
  systemClock,
} from './time.ts';
