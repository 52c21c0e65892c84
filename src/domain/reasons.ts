import { formatDay, formatMinute } from './calendar.ts';
import { shortDigest } from './digest.ts';
import { familiarReference } from './reference.ts';
import { formatBytes } from './size.ts';
import type { DiskRoom, Hold, OfferedUpdate, Reason } from './staleness.ts';
import { majorOf } from './track.ts';
import { familiarName, isTracked, parseUpstream } from './upstream.ts';

/** Why an image is rebuilt, in one clause without a full stop: `docker.io/library/debian:12 moved from 1a2b… to 3c4d…`. */
export function explainReason(reason: Reason): string {
  switch (reason.kind) {
    case 'never-released':
      return 'it was never released';
    case 'requested':
      return `${reason.by} asked for it`;
    case 'base-changed':
      return `its base ${explainMove(reason)}`;
    case 'input-changed':
      return `its input ${explainMove(reason)}`;
    case 'definition-changed':
      return `its definition changed: ${reason.parts.join(', ')}`;
    case 'package-updates':
      return explainUpdates(reason.updates);
    case 'vulnerability-fixable':
      return `the archive has fixes for ${listed(reason.findings.map((finding) => `${finding.id} (${finding.severity}, ${finding.source} ${finding.fixed})`))}`;
    case 'release-damaged':
      return `the release in use is damaged, the registry lacks ${reason.missing.join(', ')}`;
    case 'recipe-changed':
      return `ingot builds it differently now (recipe ${reason.from} became ${reason.to})`;
  }
}

/** Why a stale image is not rebuilt now, and what ends the wait, in one clause without a full stop. */
export function explainHold(hold: Hold): string {
  switch (hold.kind) {
    case 'waiting-for-parent':
      return `waits for its parent ${hold.parent}: ${hold.why}`;
    case 'waiting-for-platform':
      return `waits until ${nameOf(hold.name)} has ${hold.platforms.join(' and ')}`;
    case 'no-builder':
      return `nobody can build ${hold.platform}: ${hold.why}; ${hold.remedy}`;
    case 'settling':
      return `waits until ${formatMinute(hold.until)} for more changes, so that they end in one rebuild`;
    case 'backing-off':
      return `failed ${hold.failures} times with the same inputs${hold.summary === undefined ? '' : ` (${hold.summary})`}; the next try is at ${formatMinute(hold.until)}`;
    case 'outside-window':
      return `waits for the rebuild window, which opens at ${formatMinute(hold.until)}`;
    case 'paused':
      return `paused by ${hold.by} since ${formatDay(hold.at)}${hold.until === undefined ? '' : `, until ${formatMinute(hold.until)}`}: ${hold.why}; "ingot resume" lifts it`;
    case 'tag-withdrawn':
      return `${familiarName(hold.name)} ended with ${hold.from} and now ends with ${hold.to}: upstream took the higher tag away, and the release in use stays; a track in the definition that ends there goes back to it`;
    case 'quarantined-input':
      return `its input ${nameOf(hold.name)} at ${shortDigest(hold.digest)} is quarantined: ${hold.why}`;
    case 'quarantined-result':
      return `the same inputs made ${hold.version ?? shortDigest(hold.digest)}, which is quarantined: ${hold.why}; "ingot unquarantine" lifts it`;
    case 'blocked':
      return `its candidate was blocked on ${formatDay(hold.at)}, and nothing that this depends on changed since: ${hold.why}`;
    case 'cancelled':
      return `its last run was cancelled by ${hold.by} on ${formatDay(hold.at)}${hold.why === undefined ? '' : ` (${hold.why})`}; other inputs, or who asks for a rebuild, start it again`;
    case 'no-effect':
      return `a rebuild did not bring in ${listed(hold.updates.map(({ name, to }) => `${name} ${to}`))}; its Dockerfile does not upgrade them`;
    case 'disk-low':
      return explainRoom(hold);
    case 'end-of-life':
      return `past its end of life since ${formatDay(hold.since)}${hold.successor === undefined ? '' : `; ${hold.successor} takes its place`}`;
    case 'frozen':
      return `frozen until ${formatMinute(hold.until)}: ${hold.why}; "ingot promote --emergency" lets it through`;
    case 'not-adopted':
      return `its repository has tags that ingot did not make (${listed(hold.tags)}); "ingot adopt" shows what a release would change`;
  }
}

function explainMove(change: Extract<Reason, { kind: 'base-changed' | 'input-changed' }>): string {
  const { name, from, to, created, version, tags } = change;
  const facts = [
    version === undefined ? [] : `version ${version}`,
    created === undefined ? [] : `made ${formatDay(created)}`,
  ];
  const about = facts.flat().length === 0 ? '' : ` (${facts.flat().join(', ')})`;
  const tagged = nameOf(name, tags?.to);
  if (from === undefined) return `${tagged} is new, at ${shortDigest(to)}${about}`;
  if (tags?.from !== undefined && tags.from !== tags.to) {
    const major = majorOf(tags.from) === majorOf(tags.to) ? '' : ', a new major version';
    return `${nameOf(name)} ${tags.from} → ${tags.to}${major}, at ${shortDigest(to)}${about}`;
  }
  if (from === to) return `${tagged} has other content for a platform, at ${shortDigest(to)}${about}`;
  return `${tagged} moved from ${shortDigest(from)} to ${shortDigest(to)}${about}`;
}

function explainUpdates(updates: readonly OfferedUpdate[]): string {
  const security = updates.filter((update) => update.security);
  const rest = updates.length - security.length;
  const named = listed(
    (security.length > 0 ? security : updates).map(({ name, from, to }) => `${name} ${from} → ${to}`),
  );
  if (security.length === 0) return `packages have updates: ${named}`;
  return `packages have security updates: ${named}${rest === 0 ? '' : `; and ${rest} other updates`}`;
}

const LISTED = 5;

function listed(items: readonly string[]): string {
  const rest = items.length - LISTED;
  return `${items.slice(0, LISTED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** Golden images are named as in Dockerfiles, upstreams as people write them; of tracked tags the one that is meant. */
export function nameOf(name: string, tag?: string): string {
  if (!isTracked(name)) return familiarName(name);
  const repository = familiarReference(parseUpstream(name));
  return tag === undefined ? repository : `${repository}:${tag}`;
}

/** Why a disk keeps builds waiting. */
export function explainRoom({ freeBytes, neededBytes }: DiskRoom): string {
  return `only ${formatBytes(freeBytes)} of disk are free, a build needs ${formatBytes(neededBytes)}`;
}
