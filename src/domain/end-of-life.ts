import type { Deprecation } from './fleet/deprecated.ts';
import type { Image } from './fleet/model.ts';
import type { Hold } from './staleness.ts';

const DAY_MS = 86_400_000;

/** @param now RFC 3339 */
export function isPastEndOfLife({ deprecated }: Pick<Image, 'deprecated'>, now: string): boolean {
  return deprecated !== undefined && Date.parse(now) >= endOf(deprecated);
}

/** Past its last day an image is not rebuilt any more. @param now RFC 3339 */
export function endOfLifeHold({ deprecated }: Pick<Image, 'deprecated'>, now: string): Hold | undefined {
  if (deprecated === undefined || !isPastEndOfLife({ deprecated }, now)) return undefined;
  const since = new Date(endOf(deprecated)).toISOString();
  return {
    kind: 'end-of-life',
    since,
    ...(deprecated.successor === undefined ? {} : { successor: deprecated.successor }),
  };
}

/** One sentence for people, with a full stop: `It ends on 2027-06-30: upstream ends. python-312 takes its place.` */
export function explainDeprecation(deprecated: Deprecation, now: string): string {
  const { date, successor, why } = deprecated;
  const verb = Date.parse(now) < endOf(deprecated) ? 'is rebuilt until' : 'has not been rebuilt since';
  return `It ${verb} ${date}${why === undefined ? '' : `: ${why}`}.${successor === undefined ? '' : ` ${successor} takes its place.`}`;
}

/** Milliseconds: the first moment after its last day. */
function endOf({ date }: Deprecation): number {
  return Date.parse(`${date}T00:00:00Z`) + DAY_MS;
}
