import { type CommonCode, FactoryError } from '../../src/domain/errors.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import type { Call } from '../../src/registry/registry.ts';

export type ResolverErrorCode = CommonCode | 'unresolvable';

/** What was asked for does not fit together, or the package manager could not be run. */
export class ResolverError extends FactoryError<ResolverErrorCode> {}

export interface ResolveRequest {
  /** What is there before. */
  readonly state: PackageState;
  /** Folder of verified lists, as `AptArchives.lists` writes it: nothing else is known of the archives. */
  readonly lists: string;
  /** `name`, or `name=version`. */
  readonly install: readonly string[];
  /** All that is newer without removing anything, or nothing but what `install` needs. */
  readonly upgrade: 'all' | 'none';
}

export interface Closure {
  /** Every package that would be installed or moved, with its version; `name:architecture` for foreign ones. */
  readonly versions: Readonly<Record<string, string>>;
  /** What would have to go. */
  readonly removed: readonly string[];
}

/** Says what a package manager would do, without doing it. */
export interface Resolver {
  /** @throws ResolverError `unresolvable` with the manager's own words */
  resolve(request: ResolveRequest, call?: Call): Promise<Closure>;
}
