import { RE2JS } from 're2js';
import {
  byText,
  compareAllGroups,
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
  const read = reader(track);
  const entries = [...new Set(tags)].map(read).sort(fallingFor(track));
  const inside = entries.filter((entry) => entry.inside);
  // What has fewer numbers moves along with what has more: it is taken only where there is nothing else.
  const parts = inside.reduce((most, entry) => Math.max(most, entry.parts), 0);
  const chosen = inside.find((entry) => entry.parts === parts);
  if (chosen === undefined) return undefined;
  const higher = entries.slice(0, entries.indexOf(chosen));
  const newer = 'range' in track ? higher.find((entry) => entry.parts === parts && !entry.inside) : undefined;
  return { tag: chosen.tag, ...(newer && { newer: newer.tag }) };
}

/** Whether a tag is one that a track lets in. */
export function fits(tag: string, track: Track): boolean {
  return reader(track)(tag).inside;
}

/** Whether a tag stands below another in the order of the track: upstream took the higher one away. */
export function isBelow(tag: string, other: string, track: Track): boolean {
  const read = reader(track);
  return fallingFor(track)(read(tag), read(other)) > 0;
}

const NEAREST = 3;

/** Tags that a person may have meant where none fits, for a message. */
export function nearestTags(tags: readonly string[], track: Track): readonly string[] {
  const falling = [...new Set(tags)].sort().reverse();
  if ('pattern' in track) {
    const start = /^\^?([\w-]*)/.exec(track.pattern)![1]!;
    return falling.filter((tag) => tag.startsWith(start)).slice(0, NEAREST);
  }
  const entries = falling.map(reader(track)).sort(fallingFor(track));
  const sameSuffix = entries.filter(({ parts }) => parts > 0).map(({ tag }) => tag);
  const sameVersion = falling.filter((tag) => !sameSuffix.includes(tag) && isVersionInside(tag, track));
  return [...sameSuffix.slice(0, NEAREST), ...sameVersion.slice(0, NEAREST)];
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

/** A tag as a track sees it. */
interface Entry {
  readonly tag: string;
  readonly inside: boolean;
  /** How many numbers its version has; none where it has not the form that is wanted. */
  readonly parts: number;
  readonly version?: Version | undefined;
  readonly groups?: readonly (string | undefined)[];
}

/** Range and pattern are read once for all tags: a repository may have tens of thousands. */
function reader(track: Track): (tag: string) => Entry {
  if ('range' in track) {
    const { suffix } = track;
    const range = parseRange(track.range);
    return (tag) => {
      const version = tag.endsWith(suffix) ? parseVersion(tag.slice(0, tag.length - suffix.length)) : undefined;
      const inside = version !== undefined && range?.test(version.value) === true;
      return { tag, inside, parts: version?.parts ?? 0, version };
    };
  }
  const pattern = RE2JS.compile(track.pattern);
  return (tag) => {
    const matcher = pattern.matcher(tag);
    if (!matcher.matches()) return { tag, inside: false, parts: 0 };
    const groups = Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? undefined);
    return { tag, inside: true, parts: 1, groups };
  };
}

/** A total order, the highest first; where a track sees no difference, the text decides. */
function fallingFor(track: Track): (a: Entry, b: Entry) => number {
  if ('range' in track) return (a, b) => compareVersions(b.version, a.version) || byText(b.tag, a.tag);
  return (a, b) => compareAllGroups(b.groups, a.groups, track.order) || byText(b.tag, a.tag);
}

function isVersionInside(tag: string, { range }: RangeTrack): boolean {
  const version = parseVersion(/^v?\d+(?:\.\d+){1,2}(?=$|-)/.exec(tag)?.[0] ?? '');
  return version !== undefined && parseRange(range)?.test(version.value) === true;
}
