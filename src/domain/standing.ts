import type { Digest } from './digest.ts';
import type { Mark } from './marks.ts';

/** What the marks of an image add up to. */
export interface Standing {
  readonly paused?: Pause;
  /** Oldest first. */
  readonly quarantined: readonly Quarantine[];
}

export interface Pause {
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
  readonly why: string;
  /** It ends by itself. */
  readonly until?: string;
}

export interface Quarantine {
  readonly digest: Digest;
  /** Inputs digest that made it. */
  readonly inputs?: Digest;
  readonly version?: string;
  readonly why: string;
  readonly at: string;
}

/**
 * @param marks oldest first
 * @param now RFC 3339: a pause that ended by then is none
 */
export function standingOf(marks: readonly Mark[], now: string): Standing {
  const quarantined = new Map<Digest, Quarantine>();
  let paused: Pause | undefined;
  for (const mark of marks) {
    if (mark.kind === 'quarantine' && mark.digest !== undefined) {
      quarantined.set(mark.digest, toQuarantine(mark, mark.digest));
    }
    if (mark.kind === 'unquarantine' && mark.digest !== undefined) quarantined.delete(mark.digest);
    if (mark.kind === 'pause') paused = toPause(mark);
    if (mark.kind === 'resume') paused = undefined;
  }
  const isOver = paused?.until !== undefined && Date.parse(paused.until) <= Date.parse(now);
  return { quarantined: [...quarantined.values()], ...(paused && !isOver && { paused }) };
}

function toQuarantine({ inputs, version, reason, at }: Mark, digest: Digest): Quarantine {
  return { digest, ...(inputs && { inputs }), ...(version && { version }), why: reason ?? 'no reason given', at };
}

function toPause({ by, at, reason, until }: Mark): Pause {
  return { by, at, why: reason ?? 'no reason given', ...(until && { until }) };
}
