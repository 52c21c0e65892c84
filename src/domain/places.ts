import type { Digest } from './digest.ts';
import { hexOf } from './digest.ts';
import { type Platform, platformSlug } from './platform.ts';
import type { Reference } from './reference.ts';

/** Where things live in our own registry, by convention and nothing else. */
export interface Places {
  /** Signed releases: the only repository that consumers use. */
  release(image: string): Reference;
  /** Candidates and their evidence, unsigned. The only place where anything is ever deleted. */
  staging(image: string): Reference;
  /** A copy of an upstream, kept while anything uses it. */
  mirror(upstream: Reference): Reference;
  /** What concerns the fleet as a whole: marks, no images. */
  fleet(): Reference;
}

/** @param base host and path below which the fleet lives: `ghcr.io/acme/golden` */
export function placesBelow(base: { registry: string; path: string }): Places {
  const below = (path: string): Reference => ({
    registry: base.registry,
    repository: base.path === '' ? path : `${base.path}/${path}`,
  });
  return {
    release: (image) => below(image),
    staging: (image) => below(`staging/${image}`),
    mirror: ({ registry, repository }) => below(`mirror/${registry.replaceAll(':', '-')}/${repository}`),
    fleet: () => below('fleet'),
  };
}

/** Splits `ghcr.io/acme/golden` into host and path. */
export function parseBase(text: string): { registry: string; path: string } {
  const [registry = '', ...path] = text.replace(/\/+$/, '').split('/');
  return { registry, path: path.join('/') };
}

/** Tags in a staging repository: decided by the inputs, so that a killed run finds what it made. */
export const stagingTag = {
  build: (key: string, platform: Platform) => `${key}-${platformSlug(platform)}`,
  smoke: (key: string, platform: Platform, tests: Digest) =>
    `${key}-${platformSlug(platform)}-smoke-${hexOf(tests).slice(0, 16)}`,
  sbom: (key: string, platform: Platform) => `${key}-${platformSlug(platform)}-sbom`,
  scan: (key: string, platform: Platform, database: Digest) =>
    `${key}-${platformSlug(platform)}-scan-${hexOf(database).slice(0, 16)}`,
  verdict: (key: string) => `${key}-verdict`,
  index: (key: string) => `${key}-index`,
  /** Says since when the candidate is there. */
  note: (key: string) => `${key}-note`,
} as const;

/** Keeps a mirrored manifest from a registry's garbage collection (facts: Quay drops what has no tag). */
export function mirrorTag(digest: Digest): string {
  return `mirror-${hexOf(digest)}`;
}
