// Every refusal of the repository side has a code that survives to the terminal, the log and the exit status.

/** What went wrong. Append only: a code keeps its meaning for ever. */
export type ErrorCode =
  // What the caller gave.
  | 'bad-argument'
  | 'file-missing'
  | 'file-empty'
  | 'file-too-large'
  | 'file-unreadable'
  | 'release-exists'
  | 'counter-too-low'
  | 'image-refused'
  | 'set-refused'
  // The repository on disk.
  | 'repository-missing'
  | 'repository-exists'
  | 'repository-corrupt'
  | 'repository-locked'
  | 'write-failed'
  // Keys.
  | 'key-exists'
  | 'key-corrupt'
  | 'key-shared'
  | 'passphrase-missing'
  | 'passphrase-wrong'
  // Metadata, as a client sees it.
  | 'metadata-missing'
  | 'metadata-invalid'
  | 'metadata-too-large'
  | 'signatures-missing'
  | 'signature-invalid'
  | 'version-mismatch'
  | 'length-mismatch'
  | 'hash-mismatch'
  | 'expired'
  // The way to it.
  | 'network'
  | 'insecure'
  | 'port-busy'
  // The Director.
  | 'database-failed'
  | 'backup-restored'
  | 'inventory-conflict'
  | 'enrolment-refused';

export class RepositoryError extends Error {
  override readonly name = 'RepositoryError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's error code (`ENOENT`, `EACCES` …) of anything that was thrown. */
export function systemCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
