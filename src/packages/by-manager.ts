import type { PackageState } from '../domain/packages/state.ts';
import { ArchiveError, type Archives, type ListedArchives } from './archives.ts';

type Manager = Exclude<PackageState['manager'], 'none'>;

/** Asks the archives of each image's own package manager. An image without one has nothing that could be newer. */
export function createArchives(byManager: Readonly<Partial<Record<Manager, Archives>>>): Archives {
  return {
    async updates(state, options) {
      if (state.manager === 'none') return [];
      const archives = byManager[state.manager];
      if (archives !== undefined) return archives.updates(state, options);
      throw new ArchiveError(`archives of ${state.manager} packages cannot be asked`, { code: 'unavailable' });
    },
  };
}

/** Writes lists for the manager that the first state has; the platforms of an image all have the same. */
export function createListedArchives(byManager: Readonly<Record<'apt' | 'apk', ListedArchives>>): ListedArchives {
  return {
    lists: (states, directory, options) =>
      byManager[states[0]?.manager === 'apk' ? 'apk' : 'apt'].lists(states, directory, options),
  };
}
