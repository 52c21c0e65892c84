import type { Digest } from '../digest.ts';
import { days, daysOf, daysSince, decide, isOlderThan, type PruneDecision } from './decision.ts';

/** One candidate in staging, with its evidence. */
export interface CandidateFact {
  /** The part that its tags begin with. */
  readonly key: string;
  /** What its tags point to. */
  readonly digests: readonly Digest[];
  /** RFC 3339: when its build began; absent when nothing tells. */
  readonly created?: string;
}

export interface StagingFacts {
  readonly candidates: readonly CandidateFact[];
  /** Keys of the candidates that became what channels are at, with the channel: their evidence repairs a release. */
  readonly inUse: ReadonlyMap<string, string>;
  /** What could not be asked, or is under way: then all stay. */
  readonly all: readonly string[];
  readonly seconds: number;
  /** RFC 3339. */
  readonly now: string;
}

/** Which candidates go: the old ones, but never the newest, nor the evidence of what is in use. Newest first. */
export function decideStaging(facts: StagingFacts): readonly PruneDecision[] {
  const { candidates, inUse, all, seconds, now } = facts;
  const sorted = [...candidates].sort((a, b) => (b.created ?? '').localeCompare(a.created ?? ''));
  const newest = sorted.find(({ created }) => created !== undefined);
  return sorted.map((candidate) => {
    const { key, digests, created } = candidate;
    const channel = inUse.get(key);
    const stays = [
      ...(candidate === newest ? ['the newest candidate'] : []),
      ...(channel === undefined ? [] : [`it became what ${channel} is at, and its evidence repairs that`]),
      ...ageOf(created, seconds, now),
      ...all,
    ];
    const why = created === undefined ? '' : `${days(daysSince(created, now))} old, and not the newest`;
    return decide(`candidate ${key.slice(0, 12)}`, digests, { stays, else: why });
  });
}

function ageOf(created: string | undefined, seconds: number, now: string): string[] {
  if (created === undefined) return ['nothing tells how old it is; its days are counted from now on'];
  if (isOlderThan(created, seconds, now)) return [];
  return [`${days(daysSince(created, now))} old; candidates stay for ${daysOf(seconds)}`];
}
