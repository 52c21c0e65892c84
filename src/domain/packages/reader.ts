import type { PackageState } from './state.ts';

/** Contents by absolute path, symlinks followed. */
export type ImageFiles = ReadonlyMap<string, Uint8Array>;

/** What one package manager leaves in an image, and how it is read. */
export interface PackageReader {
  readonly manager: Exclude<PackageState['manager'], 'none'>;
  /** The files whose content it needs; paths are absolute. */
  wanted(path: string): boolean;
  /** `undefined`: this manager has nothing installed there. */
  read(files: ImageFiles): ReadPackages | undefined | Promise<ReadPackages | undefined>;
}

/** The parts of a state that only the manager's own files tell. */
export type ReadPackages = Pick<PackageState, 'architecture' | 'releasever' | 'installed' | 'files'>;
