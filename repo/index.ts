// The repository side as a library.
//
//   const repository = await createRepository('acme-lock', { encrypt: false, clock: () => 1_800_000_000 });
//   await repository.addRelease({ image: 'app.bin', component: 'app', version: '1.0.0', hardwareIds: ['esp32c3'] });
//   await repository.publish();
//
// To forge metadata, build it, sign it with any keys, and take the bytes:
//
//   envelopeBytes(sign(buildTimestamp({ version: 99, expires }, metaFile(snapshotBytes, 7)), stolenKeys))
export type { BundleContents, BundleFile, BundleOptions } from './bundle.ts';
export { canonicalize, compareNames, serialize } from './canonical.ts';
export { type CreateOptions, createRepository, type RoleOptions } from './create.ts';
export { buildPatch, COMPRESSIONS, type Compression, type PatchOptions } from './delta/patch.ts';
export {
  type Content,
  type EncryptionKey,
  encryptionPublicKey,
  encryptPayload,
  parseEncryptionKeys,
  writeEncryptionKey,
} from './encryption.ts';
export { type ErrorCode, messageOf, RepositoryError, systemCode } from './errors.ts';
export { writeWhole } from './files.ts';
export { CORE_COMPONENT, coreImage, withHeader } from './formats/core.ts';
export { ESP32_CHIPS } from './formats/esp32.ts';
export {
  describeImage,
  IMAGE_FORMATS,
  type ImageFormat,
  type ImageReport,
  inspectImage,
} from './formats/image.ts';
export { type OtaRecord, otaSlot, readOtadata, writeOtadata } from './formats/otadata.ts';
export {
  isPartitionTable,
  type Partition,
  readPartitionTable,
  writePartitionTable,
} from './formats/partitions.ts';
export { type McubootTrailer, readTrailer, writeTrailer } from './formats/trailer.ts';
export { parseJson } from './json.ts';
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
export { type Passphrase, readSigningKey, type StoredKey, writeNewKey } from './keystore.ts';
export * from './metadata.ts';
export { type ReleaseNotice, URGENCIES } from './notice.ts';
export {
  type Base,
  buildPayload,
  ENCRYPTION,
  encryptedPayload,
  type Payload,
  wholeImage,
} from './payload.ts';
export type { SignedRole } from './publication.ts';
export { asTarget, imageName, type Release, type ReleaseInput } from './release.ts';
export {
  type Bundle,
  type OpenOptions,
  openRepository,
  type Publication,
  type Repository,
  type RotateOptions,
  type Supply,
} from './repository.ts';
export { describeRange, type Range, type Rules } from './rules.ts';
export { parseMetadata } from './schema.ts';
export { type BundledRelease, type ListedRelease, listedReleases } from './selection.ts';
export { countSignatures, type SignatureCount, sign } from './signing.ts';
export { openSource, type Source } from './source.ts';
export type { KeyStatus, RepositoryStatus, RoleStatus } from './status.ts';
export type { AgreementInput, Supplier, SupplierInput } from './supplier.ts';
export {
  type Clock,
  formatDuration,
  formatTime,
  parseDate,
  parseDuration,
  parseTime,
  systemClock,
} from './time.ts';
export { MOST_TIME_KEYS, readTimeKey } from './timekeys.ts';
export { type Verification, type VerifiedRole, type VerifyOptions, verifyRepository } from './verify.ts';
