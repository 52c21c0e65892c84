import type { PlanEntry } from '../../domain/plan.ts';
import { explainHold, explainReason } from '../../domain/reasons.ts';

/** What a plan says of one image, in one line a person can act on. */
export function planLine(entry: PlanEntry): string {
  const { state, release, reasons, holds, unknown, doubts = [] } = entry;
  const because = reasons.map(explainReason).join('; ');
  if (state === 'fresh')
    return `fresh: ${release?.version} is in use, and nothing that decides its content has changed`;
  if (state === 'unknown') return `unknown: ${unknown}`;
  if (state === 'held')
    return `held: ${holds.map(explainHold).join('; ')}${because ? ` (stale because ${because})` : ''}`;
  const unasked = doubts.length === 0 ? '' : `, although not all is known: ${doubts.join('; ')}`;
  return `${state === 'running' ? 'running' : 'rebuild'}: ${because}${unasked}`;
}
