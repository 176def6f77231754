// The releases of the Image repository, read as a TUF client reads them: from its root down. Its keys are never here.
import { asRelease, type DirectorRelease } from '../../repo/director/release.ts';
import { compareNames, openSource, RepositoryError, serialize, type Target } from '../../repo/index.ts';
import { findTargets } from '../../repo/search.ts';
import { readCurrent } from '../../repo/verify.ts';
import type { Database, Write } from './database.ts';
import { bumpState } from './inventory.ts';

/** What the Image repository lists, suppliers in their delegated roles included. */
export interface ImageTargets {
  /** Version of the snapshot: it rises with whatever changes. */
  readonly version: number;
  readonly targets: Readonly<Record<string, Target>>;
}

/** Verifies the repository at `place` (a folder or URL) from its root, and returns every target that a client finds. */
export async function readImageRepository(
  place: string,
  trustedRoot: Uint8Array,
  now: number,
): Promise<ImageTargets> {
  const source = await openSource(place);
  const chain = await readCurrent(source, trustedRoot, now);
  return { version: chain.snapshot.signed.version, targets: await findTargets(source, chain) };
}

/** Takes over the releases; those that are gone are kept as withdrawn, so that their images stay known. A repository
 * that is older than the one before is refused (`version-mismatch`). Returns how many are listed. */
export async function takeCatalogue(database: Database, image: ImageTargets): Promise<number> {
  const releases = Object.entries(image.targets).flatMap(([path, target]) => asRelease(path, target) ?? []);
  await database.write(async (write) => {
    await raiseImageVersion(write, image.version);
    await write.updateTable('releases').set({ listed: 0 }).execute();
    for (const release of releases) {
      const row = {
        path: release.path,
        sha256: release.sha256,
        length: release.length,
        custom: Buffer.from(serialize(release.custom)).toString(),
        listed: 1,
      };
      const insert = write.insertInto('releases').values(row);
      await insert.onConflict((conflict) => conflict.columns(['path', 'sha256']).doUpdateSet(row)).execute();
    }
    await bumpState(write, 'fleet', 1);
  });
  return releases.length;
}

/** Rollback of the Image repository: a mirror that shows an older state would make releases come back. */
async function raiseImageVersion(write: Write, version: number): Promise<void> {
  const row = { name: 'image-version', value: version };
  const insert = write.insertInto('state').values(row);
  const { numInsertedOrUpdatedRows: raised } = await insert
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row).where('state.value', '<=', version))
    .executeTakeFirstOrThrow();
  if (raised !== undefined && raised > 0n) return;
  throw new RepositoryError(
    'version-mismatch',
    `the Image repository went back to snapshot version ${version}`,
  );
}

/** What is listed, in the order of paths. Each release is one object, so that they can be compared as such. */
export async function loadCatalogue(write: Pick<Write, 'selectFrom'>): Promise<DirectorRelease[]> {
  const rows = await write.selectFrom('releases').selectAll().where('listed', '=', 1).execute();
  return rows
    .flatMap(({ path, length, sha256, custom }) => {
      return asRelease(path, { length, hashes: { sha256 }, custom: JSON.parse(custom) }) ?? [];
    })
    .sort((a, b) => compareNames(a.path, b.path));
}
