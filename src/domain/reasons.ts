import { shortDigest } from './digest.ts';
import { familiarReference, parseReference } from './reference.ts';
import type { Hold, Reason } from './staleness.ts';

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
  }
}

function explainMove(change: Extract<Reason, { kind: 'base-changed' | 'input-changed' }>): string {
  const { name, from, to, created, version } = change;
  const facts = [
    version === undefined ? [] : `version ${version}`,
    created === undefined ? [] : `made ${day(created)}`,
  ];
  const about = facts.flat().length === 0 ? '' : ` (${facts.flat().join(', ')})`;
  if (from === undefined) return `${nameOf(name)} is new, at ${shortDigest(to)}${about}`;
  if (from === to) return `${nameOf(name)} has other content for a platform, at ${shortDigest(to)}${about}`;
  return `${nameOf(name)} moved from ${shortDigest(from)} to ${shortDigest(to)}${about}`;
}

/** Golden images are named as in Dockerfiles, upstreams as people write them. */
function nameOf(name: string): string {
  return name.startsWith('golden/') ? name : familiarReference(parseReference(name));
}

function day(time: string): string {
  return time.slice(0, 10);
}
