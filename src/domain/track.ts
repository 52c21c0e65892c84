import { RE2JS } from 're2js';
import {
  byText,
  compareGroups,
  compareVersions,
  type GroupOrder,
  parseRange,
  parseVersion,
  type Version,
} from './track-order.ts';

/** Which tags of an upstream repository are followed, and what makes one of them the highest. */
export type Track = RangeTrack | PatternTrack;

/** Tags that are a version and an unchanging suffix: `22.11.0-slim`. */
export interface RangeTrack {
  /** A semver range, as written: `22.x`, `~3.12`, `>=1.2 <2`. */
  readonly range: string;
  /** What follows the version, `''` for nothing. It never changes. */
  readonly suffix: string;
}

/** Tags of a form of their own: `bookworm-20260101-slim`. */
export interface PatternTrack {
  /** RE2, matched against the whole tag. Its groups are compared from left to right. */
  readonly pattern: string;
  /** How groups are compared. */
  readonly order: GroupOrder;
}

export interface TagChoice {
  readonly tag: string;
  /** The highest tag of the same form beyond the range: a major that the definition does not let in, say. */
  readonly newer?: string;
}

/** The highest tag that a track lets in. Pure; the order of the tags does not matter. */
export function chooseTag(tags: readonly string[], track: Track): TagChoice | undefined {
  const compare = comparerOf(track);
  if ('pattern' in track) {
    const [tag] = matching(tags, track).sort(compare).reverse();
    return tag === undefined ? undefined : { tag };
  }
  const inside = matching(tags, track);
  const parts = Math.max(...inside.map((tag) => partsOf(tag, track)));
  const [tag] = inside
    .filter((each) => partsOf(each, track) === parts)
    .sort(compare)
    .reverse();
  if (tag === undefined) return undefined;
  const [newer] = tags
    .filter((each) => partsOf(each, track) === parts && !isInside(each, track) && compare(each, tag) > 0)
    .sort(compare)
    .reverse();
  return { tag, ...(newer !== undefined && { newer }) };
}

/** Whether a tag is one that a track lets in, as precise as it may be. */
export function fits(tag: string, track: Track): boolean {
  return 'pattern' in track ? groupsOf(tag, track) !== undefined : isInside(tag, track);
}

/** Whether a tag stands below another in the order of the track: upstream took the higher one away. */
export function isBelow(tag: string, other: string, track: Track): boolean {
  return comparerOf(track)(tag, other) < 0;
}

const NEAREST = 3;

/** Tags that a person may have meant where none fits, for a message. */
export function nearestTags(tags: readonly string[], track: Track): readonly string[] {
  if ('pattern' in track) {
    const start = /^\^?([\w-]*)/.exec(track.pattern)![1]!;
    return [...tags]
      .filter((tag) => tag.startsWith(start))
      .sort()
      .reverse()
      .slice(0, NEAREST);
  }
  const compare = comparerOf(track);
  const sameSuffix = tags.filter((tag) => partsOf(tag, track) > 0).sort((a, b) => compare(b, a));
  const sameVersion = tags.filter((tag) => inRangeOtherwise(tag, track)).sort();
  return [...sameSuffix.slice(0, NEAREST), ...sameVersion.reverse().slice(0, NEAREST)];
}

/** The track as it stands in names: `{22.x}-slim`, and no tag can look like it. */
export function trackLabel(track: Track): string {
  if ('range' in track) return `{${track.range}}${track.suffix}`;
  return `{${track.pattern}}${track.order === 'number' ? '' : ` by ${track.order}`}`;
}

/** The same in a sentence: `22.x with the suffix -slim`. */
export function trackText(track: Track): string {
  if ('pattern' in track) return `the pattern ${track.pattern}`;
  return `${track.range}${track.suffix === '' ? ' without a suffix' : ` with the suffix ${track.suffix}`}`;
}

/** The first number of a version that has more than one. */
export function majorOf(tag: string): string | undefined {
  return /^v?(\d+)\./.exec(tag)?.[1];
}

function matching(tags: readonly string[], track: Track): string[] {
  return [...new Set(tags)].filter((tag) => fits(tag, track));
}

type Compare = (a: string, b: string) => number;

/** A total order of the tags that have the track's form; where it sees no difference, the text decides. */
function comparerOf(track: Track): Compare {
  return (a, b) => compareForms(a, b, track) || byText(a, b);
}

function compareForms(a: string, b: string, track: Track): number {
  if ('range' in track) return compareVersions(versionOf(a, track), versionOf(b, track));
  const [left = [], right = []] = [groupsOf(a, track), groupsOf(b, track)];
  for (const [index, value] of left.entries()) {
    const difference = compareGroups(value, right[index], track.order);
    if (difference !== 0) return difference;
  }
  return 0;
}

function versionOf(tag: string, { suffix }: RangeTrack): Version | undefined {
  return tag.endsWith(suffix) ? parseVersion(tag.slice(0, tag.length - suffix.length)) : undefined;
}

function partsOf(tag: string, track: RangeTrack): number {
  return versionOf(tag, track)?.parts ?? 0;
}

function isInside(tag: string, track: RangeTrack): boolean {
  const version = versionOf(tag, track);
  return version !== undefined && parseRange(track.range)!.test(version.value);
}

function inRangeOtherwise(tag: string, track: RangeTrack): boolean {
  const version = parseVersion(/^v?\d+(?:\.\d+){1,2}(?=$|-)/.exec(tag)?.[0] ?? '');
  return version !== undefined && partsOf(tag, track) === 0 && parseRange(track.range)!.test(version.value);
}

/** The groups of a tag that the whole pattern matches. */
function groupsOf(tag: string, { pattern }: PatternTrack): readonly (string | undefined)[] | undefined {
  const matcher = RE2JS.compile(pattern).matcher(tag);
  if (!matcher.matches()) return undefined;
  return Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? undefined);
}
