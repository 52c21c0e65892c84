import type { Digest } from './digest.ts';
import type { Severity } from './fleet/model.ts';
import type { Inputs, ResolvedInput } from './inputs.ts';
import type { PackageUpdate } from './packages/state.ts';
import type { Platform } from './platform.ts';

/** Why an image is rebuilt (product.md, Staleness). In the order in which they name a run. */
export type Reason =
  | { readonly kind: 'never-released' }
  | { readonly kind: 'requested'; readonly by: string }
  | {
      readonly kind: 'base-changed' | 'input-changed';
      readonly name: string;
      readonly from?: Digest;
      readonly to: Digest;
      readonly created?: string;
      readonly version?: string;
      /** Where tags are tracked: what the release was made from, and what is the highest now. */
      readonly tags?: { readonly from?: string; readonly to: string };
    }
  | { readonly kind: 'definition-changed'; readonly parts: readonly string[] }
  | { readonly kind: 'package-updates'; readonly updates: readonly OfferedUpdate[] }
  | { readonly kind: 'vulnerability-fixable'; readonly findings: readonly FixableFinding[] }
  | { readonly kind: 'release-damaged'; readonly missing: readonly string[] }
  | { readonly kind: 'recipe-changed'; readonly from: string; readonly to: string };

/** A newer version of an installed package, and the platforms on which it is offered. */
export interface OfferedUpdate extends PackageUpdate {
  readonly platforms: readonly Platform[];
}

/** A vulnerability of the release in use that a package in the archive now fixes. */
export interface FixableFinding {
  readonly id: string;
  readonly severity: Severity;
  /** Source package. */
  readonly source: string;
  readonly installed: string;
  readonly fixed: string;
  /** When a fix came to be, RFC 3339. */
  readonly since?: string;
  /** It is known to be exploited. */
  readonly exploited?: boolean;
}

/** Why a stale image is not rebuilt now. Times are RFC 3339, UTC. */
export type Hold =
  | { readonly kind: 'waiting-for-parent'; readonly parent: string; readonly why: string }
  | { readonly kind: 'waiting-for-platform'; readonly name: string; readonly platforms: readonly Platform[] }
  | { readonly kind: 'no-builder'; readonly platform: Platform; readonly why: string; readonly remedy: string }
  /** The burst of changes may not be over. */
  | { readonly kind: 'settling'; readonly until: string }
  | { readonly kind: 'backing-off'; readonly failures: number; readonly until: string; readonly summary?: string }
  | { readonly kind: 'outside-window'; readonly until: string }
  | { readonly kind: 'paused'; readonly by: string; readonly at: string; readonly why: string; readonly until?: string }
  /** Upstream took away the tag that the release was made from, and what is the highest now is below it. */
  | { readonly kind: 'tag-withdrawn'; readonly name: string; readonly from: string; readonly to: string }
  /** An input points to content that must never be promoted again. */
  | { readonly kind: 'quarantined-input'; readonly name: string; readonly digest: Digest; readonly why: string }
  /** The same inputs made a release that was quarantined. */
  | { readonly kind: 'quarantined-result'; readonly digest: Digest; readonly version?: string; readonly why: string }
  /** The last candidate of the same inputs was blocked, and nothing that its verdict depends on changed since. */
  | { readonly kind: 'blocked'; readonly at: string; readonly why: string }
  /** A person ended its last run; the same inputs are not tried again by themselves. */
  | { readonly kind: 'cancelled'; readonly by: string; readonly at: string; readonly why?: string }
  /** It was rebuilt for these updates and they did not get in. */
  | { readonly kind: 'no-effect'; readonly updates: readonly OfferedUpdate[] }
  | ({ readonly kind: 'disk-low' } & DiskRoom)
  /** Past its end of life (see `deprecated` in its definition). */
  | { readonly kind: 'end-of-life'; readonly since: string; readonly successor?: string }
  /** A freeze of everything (see `freezes` in ingot.yaml). */
  | { readonly kind: 'frozen'; readonly until: string; readonly why: string }
  /** Its repository has tags that somebody else made, and nobody said that ingot may move them. */
  | { readonly kind: 'not-adopted'; readonly tags: readonly string[] };

/** What is in use of an image now, as the registry tells. */
export interface Release {
  readonly digest: Digest;
  readonly version: string;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  /** RFC 3339. */
  readonly created?: string;
  /** The newest record of what it was made from; absent when the record is missing in the registry. */
  readonly inputs?: Inputs;
  /** Somebody else made it: it carries no word of its inputs. */
  readonly foreign?: boolean;
  /** It fixes a critical vulnerability. */
  readonly urgent?: boolean;
}

/** What else is known of an image beside the parts of its inputs. */
export interface MoreFacts {
  /** Who asked for a rebuild. */
  readonly requestedBy?: string | undefined;
  /** What the archives offer and a rebuild would bring in. */
  readonly updates?: readonly OfferedUpdate[] | undefined;
  readonly fixable?: readonly FixableFinding[] | undefined;
  /** What the registry lacks of the release. */
  readonly damage?: readonly string[] | undefined;
}

/**
 * Compares what a release was made from with what it would be made from now, in the order of product.md.
 * Pure; an empty answer means that nothing that decides the content changed.
 */
export function reasonsFor(release: Release | undefined, now: Inputs, more: MoreFacts = {}): readonly Reason[] {
  const { requestedBy, updates = [], fixable = [], damage = [] } = more;
  const requested: Reason[] = requestedBy === undefined ? [] : [{ kind: 'requested', by: requestedBy }];
  // What others made was never released by us: nothing is known to compare with.
  if (release === undefined || release.foreign) return [{ kind: 'never-released' }, ...requested];
  const before = release.inputs;
  if (before === undefined) {
    return [...requested, { kind: 'release-damaged', missing: [...damage, 'the record of its inputs'] }];
  }
  return [
    ...requested,
    ...changedInputs(before, now),
    ...changedDefinition(before, now),
    ...(updates.length === 0 ? [] : [{ kind: 'package-updates', updates } as const]),
    ...(fixable.length === 0 ? [] : [{ kind: 'vulnerability-fixable', findings: fixable } as const]),
    ...damaged([...missingPlatforms(release, now), ...damage]),
    ...changedRecipe(before, now),
  ];
}

function changedInputs(before: Inputs, now: Inputs): Reason[] {
  const known = new Map(before.inputs.map((input) => [input.name, input]));
  const changed = now.inputs.filter((input) => !sameContent(known.get(input.name), input, now.platforms));
  // The base names the run before any other input does.
  const ordered = [...changed].sort((a, b) => (a.role === b.role ? 0 : a.role === 'base' ? -1 : 1));
  return ordered.map((input) => changedInput(known.get(input.name), input));
}

function sameContent(before: ResolvedInput | undefined, now: ResolvedInput, platforms: readonly Platform[]): boolean {
  return before !== undefined && platforms.every((platform) => before.platforms[platform] === now.platforms[platform]);
}

function changedInput(before: ResolvedInput | undefined, now: ResolvedInput): Reason {
  return {
    kind: now.role === 'base' ? 'base-changed' : 'input-changed',
    name: now.name,
    ...(before === undefined ? {} : { from: before.digest }),
    to: now.digest,
    ...(now.created === undefined ? {} : { created: now.created }),
    ...(now.version === undefined ? {} : { version: now.version }),
    ...(now.tag === undefined ? {} : { tags: { ...(before?.tag && { from: before.tag }), to: now.tag } }),
  };
}

function changedDefinition(before: Inputs, now: Inputs): Reason[] {
  const names = new Set([...Object.keys(before.definition), ...Object.keys(now.definition)]);
  const parts = [...names].filter((name) => before.definition[name] !== now.definition[name]).sort();
  const platforms = sameMembers(before.platforms, now.platforms) ? [] : ['platforms'];
  const gone = before.inputs.filter((input) => !now.inputs.some(({ name }) => name === input.name));
  const all = [...parts, ...platforms, ...gone.map((input) => `input ${input.name} is no longer used`)];
  return all.length === 0 ? [] : [{ kind: 'definition-changed', parts: all }];
}

function missingPlatforms(release: Release, now: Inputs): string[] {
  const wanted = now.platforms.filter((platform) => release.inputs?.platforms.includes(platform));
  return wanted.filter((platform) => release.platforms[platform] === undefined);
}

function damaged(missing: readonly string[]): Reason[] {
  return missing.length === 0 ? [] : [{ kind: 'release-damaged', missing: [...new Set(missing)] }];
}

function changedRecipe(before: Inputs, now: Inputs): Reason[] {
  return before.recipe === now.recipe ? [] : [{ kind: 'recipe-changed', from: before.recipe, to: now.recipe }];
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}

/** Of the disk that a build writes to. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly neededBytes: number;
}

export function hasRoom({ freeBytes, neededBytes }: DiskRoom): boolean {
  return freeBytes >= neededBytes;
}
