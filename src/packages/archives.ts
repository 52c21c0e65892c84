import type { Digest } from '../domain/digest.ts';
import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { PackageState, PackageUpdate } from '../domain/packages/state.ts';

export type ArchiveErrorCode = CommonCode | 'unavailable' | 'untrusted' | 'protocol';

/** An archive could not be asked, or its answer cannot be trusted: then nothing is decided from it (promise 5). */
export class ArchiveError extends FactoryError<ArchiveErrorCode> {}

/** The archives of packages, as they are now: each index is asked for once, however many images need it. */
export interface Archives {
  /**
   * The newer versions that the manager would take, sorted by name; empty when all is up to date.
   * @throws ArchiveError when an index that the state needs cannot be had or is not signed by whom the state trusts
   */
  updates(state: PackageState, options: { readonly signal?: AbortSignal }): Promise<readonly PackageUpdate[]>;
}

/** Archives whose whole state can be handed to a package manager in a build. */
export interface ListedArchives {
  /**
   * Writes what the manager itself would have after an update, for all these platforms, into an empty folder. With
   * `freshForMs: Infinity` updates and lists are one snapshot. Returns a digest over all that the archives signed.
   * @throws ArchiveError as `updates` does
   */
  lists(
    states: readonly PackageState[],
    directory: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Digest>;
}
