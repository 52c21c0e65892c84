import semver from 'semver';
import { channelPositions } from '../channel-journal.ts';
import type { Digest } from '../digest.ts';
import type { RetentionSettings } from '../fleet/settings-retention.ts';
import type { Mark } from '../marks.ts';
import type { Platform } from '../platform.ts';
import { quarantineOf, standingOf } from '../standing.ts';
import { isVersionTag } from '../version.ts';
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
  /** RFC 3339. */
  readonly now: string;
}

/** Which releases go: those beyond the count and the age that nothing needs. Newest first. */
export function decideReleases(facts: ReleaseFacts): readonly PruneDecision[] {
  const sorted = [...facts.releases].sort((a, b) => semver.rcompare(versionOf(a), versionOf(b)));
  const lineOf = (release: ReleaseFact) => lineLike(facts.line, versionOf(release));
  const lines = Map.groupBy(sorted, lineOf);
  return sorted.map((release) => {
    const siblings = lines.get(lineOf(release))!;
    const stays = reasonsToStay(release, siblings, facts);
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

/** The newest before one that a channel is at, without those that are quarantined. */
function isWayBack(release: ReleaseFact, siblings: readonly ReleaseFact[], { marks, now }: ReleaseFacts): boolean {
  const { quarantined } = standingOf(marks, now);
  const good = siblings.filter((each) => quarantineOf({ quarantined }, each) === undefined);
  const before = good[good.indexOf(release) - 1];
  return good.includes(release) && before !== undefined && before.tags.length > 0;
}

function versionOf({ versions }: ReleaseFact): string {
  return versions.find(isVersionTag) ?? '0.0.0';
}

/** The line that a version was of, when lines have as many parts as now. */
function lineLike(line: string, version: string): string {
  return version.split('.').slice(0, line.split('.').length).join('.');
}
