import type { BuildSecret, PackageSource, RenderedRecipe } from '../fleet/model.ts';

/** How a Dockerfile has packages installed. */
export interface Installer {
  /** Of its index and its downloads, which stay out of the image. */
  mounts(where: Installing): readonly string[];
  /** What is run, each after the one before it went well. */
  commands(what: Packages, where: Installing): readonly string[];
  /** What it writes with times in it, and no package ships. */
  readonly leftovers: readonly string[];
  /** Adds an archive and its key. */
  source(source: PackageSource): string;
  /** Commands that need what was installed. */
  finishing(recipe: Pick<RenderedRecipe, 'locale' | 'timezone' | 'files'>): readonly string[];
}

export interface Packages {
  readonly names: readonly string[];
  readonly upgrade: RenderedRecipe['upgrade'];
}

export interface Installing {
  readonly secrets: readonly BuildSecret[];
  /** Whether the lists are mounted, verified before; else the manager fetches them itself. */
  readonly snapshot: boolean;
  /** Absolute paths of files with the addresses of mirrors, which stand in for those of the base. */
  readonly mirrored: readonly string[];
  /** Part of the ids of the cache mounts. */
  readonly cache: string;
}
