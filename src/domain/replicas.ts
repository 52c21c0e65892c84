import semver from 'semver';
import { channelPositions } from './channel-journal.ts';
import type { Mark } from './marks.ts';
import { standingOf } from './standing.ts';
import { isOfLine, isVersionTag } from './version.ts';

/** What is known of one image here and at a replica. */
export interface ReplicaFacts {
  readonly line: string;
  /** Names of the fleet's channels. */
  readonly channels: readonly string[];
  /** Every tag here, and there. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  /** Of the image, oldest first. */
  readonly marks: readonly Mark[];
}

/**
 * Versions that the other side lacks: what channels are at first, then the newest. Of those in quarantine only what a
 * channel is at, unless `all`: nobody should begin to use them, but who is pinned to one has to find it again.
 */
export function versionsToCopy(
  { ours, theirs, marks, line }: ReplicaFacts,
  { all = false }: { readonly all?: boolean } = {},
): readonly string[] {
  const made = new Set(marks.flatMap(({ kind, version }) => (MADE_BY_US.includes(kind) ? (version ?? []) : [])));
  const inUse = new Set([...channelPositions(marks).values()].map(({ version }) => version));
  const barred = new Set(quarantinedVersions(marks));
  const there = new Set(theirs);
  const missing = ours.filter((tag) => isVersionTag(tag) && made.has(tag) && !there.has(tag));
  const wanted = missing.filter((version) => all || inUse.has(version) || !barred.has(version));
  const rank = (version: string) => Number(!inUse.has(version)) * 2 + Number(!isOfLine(line, version));
  return wanted.sort((a, b) => rank(a) - rank(b) || semver.rcompare(a, b));
}

/** What others pushed into the repository was never verified by us. */
const MADE_BY_US: readonly Mark['kind'][] = ['version', 'channel'];

function quarantinedVersions(marks: readonly Mark[]): readonly string[] {
  return standingOf(marks, new Date(0).toISOString()).quarantined.flatMap(({ version }) => version ?? []);
}

/** Versions at the replica that consumers should be warned of. */
export function versionsToWarnOf({ theirs, marks }: ReplicaFacts): readonly string[] {
  return quarantinedVersions(marks).filter((version) => theirs.includes(version));
}

/** The moving tags, in the order in which they move: that of the line last. */
export function channelTagsOf({ line, channels, ours, marks }: ReplicaFacts): readonly string[] {
  const names = new Set([...channels, ...channelPositions(marks).keys(), line]);
  const narrow = (tag: string) => /^\d+\.\d+$/.test(tag) && isOfLine(line, tag);
  const found = ours.filter((tag) => names.has(tag) || narrow(tag));
  const rank = (tag: string) => (tag === line ? 2 : Number(narrow(tag)));
  return found.sort((a, b) => rank(a) - rank(b));
}
