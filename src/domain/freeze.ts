import type { Freeze } from './fleet/settings-channels.ts';
import type { Mark } from './marks.ts';
import type { Reason } from './staleness.ts';

/** Mark of a person who lets an image through a freeze: an approval with this note. */
export const EMERGENCY = 'emergency';

/**
 * The freeze that keeps a channel where it is; the one that ends last when there are several.
 * @param channel absent: asks about the image as a whole, which only a freeze of everything holds
 * @param now RFC 3339
 */
export function freezeAt(
  freezes: readonly Freeze[],
  { channel, critical, now }: { channel?: string; critical: boolean; now: string },
): Freeze | undefined {
  const time = Date.parse(now);
  return freezes
    .filter(({ from, until }) => Date.parse(from) <= time && time < Date.parse(until))
    .filter(({ channels }) => channels === undefined || (channel !== undefined && channels.includes(channel)))
    .filter(({ allowCritical }) => !(allowCritical && critical))
    .sort((a, b) => b.until.localeCompare(a.until))[0];
}

/** Whether one of the reasons is a critical vulnerability that can be fixed now. */
export function isCritical(reasons: readonly Reason[]): boolean {
  return reasons.some(
    (reason) =>
      reason.kind === 'vulnerability-fixable' && reason.findings.some(({ severity }) => severity === 'critical'),
  );
}

/** Why a stale image is not rebuilt during a freeze of everything; a person may let it through for a while. */
export function freezeHold(
  freezes: readonly Freeze[],
  { reasons, marks, now }: { reasons: readonly Reason[]; marks: readonly Mark[]; now: string },
): { readonly kind: 'frozen'; readonly until: string; readonly why: string } | undefined {
  const freeze = freezeAt(freezes, { critical: isCritical(reasons), now });
  if (freeze === undefined || marks.some((mark) => letsThrough(mark, now))) return undefined;
  return { kind: 'frozen', until: freeze.until, why: freeze.why };
}

function letsThrough({ kind, note, channel, until }: Mark, now: string): boolean {
  if (kind !== 'approval' || note !== EMERGENCY || channel !== undefined) return false;
  return until !== undefined && Date.parse(now) < Date.parse(until);
}
