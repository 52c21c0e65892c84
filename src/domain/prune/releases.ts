import semver from 'semver';
import { channelPositions } from '../channel-journal.ts';
import { versionsBetween } from '../channel-stages.ts';
import type { Digest } from '../digest.ts';
import type { RetentionSettings } from '../fleet/settings-retention.ts';
import type { Mark } from '../marks.ts';
import type { Platform } from '../platform.ts';
import { quarantineOf, standingOf } from '../standing.ts';
import { isOfLine, isVersionTag } from '../version.ts';
import { days, daysOf, daysSince, decide, isOlderThan, type PruneDecision } from './decision.ts';

/** One release in its repository. */
export interface ReleaseFact {
  readonly digest: Digest;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  /** Its version tags; usually one. */
  readonly versions: readonly string[];
  /** Every other tag that points to it. */
  readonly tags: readonly string[];
  /** RFC 3339; absent when it does not say. */
  readonly created?: string;
  /** It carries the digest of its inputs: ingot made it. */
  readonly ours: boolean;
}

export interface ReleaseFacts {
  /** Of the definition: `12`, or `3.11`. */
  readonly line: string;
  readonly releases: readonly ReleaseFact[];
  /** Of the image, oldest first. */
  readonly marks: readonly Mark[];
  /** Who needs a digest, an index's or a platform's, or a version, and how: clauses. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** What could not be asked, or is under way: then all stay. */
  readonly all: readonly string[];
  readonly retention: RetentionSettings['releases'];
  /** Channels that releases come to by and by: after some time, an approval, a gate. */
  readonly staged?: readonly string[];
  /** RFC 3339. */
  readonly now: string;
}

/** Which releases go: those beyond the count and the age that nothing needs. Newest first. */
export function decideReleases(facts: ReleaseFacts): readonly PruneDecision[] {
  const sorted = [...facts.releases].sort((a, b) => semver.rcompare(versionOf(a), versionOf(b)));
  const lineOf = (release: ReleaseFact) => lineLike(facts.line, versionOf(release));
  const lines = Map.groupBy(sorted, lineOf);
  const coming = comingTo(sorted, facts);
  return sorted.map((release) => {
    const siblings = lines.get(lineOf(release))!;
    const stays = [...reasonsToStay(release, siblings, facts), ...(coming.get(release.digest) ?? [])];
    const age = release.created === undefined ? 'old' : `${days(daysSince(release.created, facts.now))} old`;
    const why = `${age}, with ${siblings.indexOf(release)} newer ones of its line, and nothing needs it`;
    return decide(release.versions.join(', '), [release.digest], { stays, else: why });
  });
}

function reasonsToStay(release: ReleaseFact, siblings: readonly ReleaseFact[], facts: ReleaseFacts): string[] {
  const { marks, needs, all, retention, now } = facts;
  const named = [release.digest, ...Object.values(release.platforms), ...release.versions].flatMap(
    (name) => needs.get(name!) ?? [],
  );
  const journal = [...channelPositions(marks).values()].filter(({ digest }) => digest === release.digest);
  const channels = new Set([...release.tags, ...journal.map(({ channel }) => channel)]);
  const standing = standingOf(marks, now);
  const rank = siblings.indexOf(release);
  return [
    ...[...channels].map((channel) => `${channel} is at it`),
    ...new Set(named),
    ...(quarantineOf(standing, release) === undefined ? [] : ['it is quarantined, and its record is on it']),
    ...(isWayBack(release, siblings, facts) ? ['a rollback would go back to it'] : []),
    ...(release.ours && release.versions.every(isVersionTag) ? [] : ['ingot did not make it']),
    ...(rank < retention.keep ? [`one of the newest ${retention.keep} of its line`] : []),
    ...youth(release, facts),
    ...all,
  ];
}

function youth({ created }: ReleaseFact, { retention, now }: ReleaseFacts): string[] {
  if (created === undefined) return ['it does not say how old it is'];
  if (isOlderThan(created, retention.ageSeconds, now)) return [];
  return [`${days(daysSince(created, now))} old; releases stay for ${daysOf(retention.ageSeconds)}`];
}

/** As `ingot rollback` chooses: the newest before one that a channel is at, without those that are quarantined. */
function isWayBack(release: ReleaseFact, siblings: readonly ReleaseFact[], { marks, now }: ReleaseFacts): boolean {
  const { quarantined } = standingOf(marks, now);
  const journal = new Set([...channelPositions(marks).values()].map(({ digest }) => digest));
  return siblings.some((each, index) => {
    if (each.tags.length === 0 && !journal.has(each.digest)) return false;
    const older = siblings.slice(index + 1);
    return older.find((other) => quarantineOf({ quarantined }, other) === undefined) === release;
  });
}

/** Clauses by digest: what a stage lets through later, or a person. What is quarantined never comes to any. */
function comingTo(releases: readonly ReleaseFact[], { staged = [], line, marks, now }: ReleaseFacts) {
  const coming = new Map<Digest, string[]>();
  const versions = releases.flatMap((release) => release.versions);
  const newest = releases.map(versionOf).find((version) => isOfLine(line, version));
  if (newest === undefined) return coming;
  const standing = standingOf(marks, now);
  for (const channel of staged) {
    const at = positionOf(channel, releases, marks);
    const between = new Set(versionsBetween(versions, { line, newest, oldest: at === undefined ? [] : [at] }));
    for (const release of releases) {
      if (!release.versions.some((version) => between.has(version)) || quarantineOf(standing, release)) continue;
      coming.set(release.digest, [...(coming.get(release.digest) ?? []), `it may still come to ${channel}`]);
    }
  }
  return coming;
}

function positionOf(channel: string, releases: readonly ReleaseFact[], marks: readonly Mark[]): string | undefined {
  const tagged = releases.find(({ tags }) => tags.includes(channel));
  return tagged === undefined ? channelPositions(marks).get(channel)?.version : versionOf(tagged);
}

/** The newest of several that name the same. */
function versionOf({ versions }: ReleaseFact): string {
  const [newest = '0.0.0'] = versions.filter(isVersionTag).sort(semver.rcompare);
  return newest;
}

/** The line that a version was of, when lines have as many parts as now. */
function lineLike(line: string, version: string): string {
  return version.split('.').slice(0, line.split('.').length).join('.');
}
