import { digestOf } from '../domain/digest.ts';
import { type RpmRepository, rpmSetup } from '../domain/packages/rpm-setup.ts';
import { type RpmOrigin, rpmUpdate } from '../domain/packages/rpm-updates.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import type { ArchiveOptions } from './archive-fetch.ts';
import type { Archives } from './archives.ts';
import { createKept, type Kept } from './kept.ts';
import type { RpmIndex } from './rpm-index.ts';
import { loadRepository, type RpmLoadOptions } from './rpm-repositories.ts';

type Repositories = Kept<Pick<RpmOrigin, 'find' | 'findSecurity'>>;

const IDLE_MS = 3_600_000;

/** What dnf in an image would upgrade, from the indexes of the repositories that the image names. */
export function createRpmArchives(options: ArchiveOptions): Archives {
  const { now, freshForMs = 5 * 60_000 } = options;
  const repositories: Repositories = createKept({ now, forMs: freshForMs });
  const indexes: Kept<RpmIndex> = createKept({ now, forMs: IDLE_MS, sliding: true });
  return {
    updates: (state, { signal }) => untilAborted(updatesOf(state, repositories, { ...options, indexes }), signal),
  };
}

async function updatesOf(state: PackageState, repositories: Repositories, options: RpmLoadOptions) {
  const { excludes, locks, locksOut, ...setup } = rpmSetup(state);
  const origins = await Promise.all(
    setup.repositories.map(async (repository) => {
      const { id, priority, excludes, includes } = repository;
      const key = keyOf(repository, state.files);
      const { find, findSecurity } = await repositories.get(key, () =>
        loadRepository(repository, state.files, options),
      );
      return { name: id, priority, excludes, includes, find, findSecurity };
    }),
  );
  const offers = { origins, excludes, locks, locksOut, nativeArchitecture: state.architecture };
  return state.installed
    .flatMap((installed) => rpmUpdate(installed, offers) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Images that name the same addresses and trust the same keys share an answer. */
function keyOf(repository: RpmRepository, files: PackageState['files']): string {
  const { baseUrls, mirrorlist, metalink, signedIndex, keys } = repository;
  const contents = keys.map((address) => files[address.replace('file://', '')]).map((key) => key && digestOf(key));
  return JSON.stringify([baseUrls, mirrorlist, metalink, signedIndex, keys, contents]);
}
