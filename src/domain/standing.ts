import type { Digest } from './digest.ts';
import type { Mark } from './marks.ts';
import type { Platform } from './platform.ts';

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
  readonly platforms?: Readonly<Partial<Record<Platform, Digest>>>;
  readonly why: string;
  readonly by: string;
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

function toQuarantine({ inputs, version, platforms, reason, by, at }: Mark, digest: Digest): Quarantine {
  const known = { ...(inputs && { inputs }), ...(version && { version }), ...(platforms && { platforms }) };
  return { digest, ...known, why: reason ?? 'no reason given', by, at };
}

function toPause({ by, at, reason, until }: Mark): Pause {
  return { by, at, why: reason ?? 'no reason given', ...(until && { until }) };
}

/** What is known of something that may be quarantined. */
export interface Suspect {
  readonly digest?: Digest;
  readonly inputs?: Digest;
  readonly platforms?: Readonly<Partial<Record<Platform, Digest>>>;
}

/** The quarantine that holds something back: by its digest, the inputs that made it, or the same content. */
export function quarantineOf({ quarantined }: Pick<Standing, 'quarantined'>, suspect: Suspect): Quarantine | undefined {
  return quarantined.find(
    ({ digest, inputs, platforms }) =>
      digest === suspect.digest ||
      (inputs !== undefined && inputs === suspect.inputs) ||
      isSameContent(platforms, suspect.platforms),
  );
}

function isSameContent(a: Suspect['platforms'] = {}, b: Suspect['platforms'] = {}): boolean {
  const platforms = Object.keys(a) as Platform[];
  return platforms.length > 0 && platforms.every((platform) => a[platform] === b[platform]);
}
