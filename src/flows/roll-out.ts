import pLimit from 'p-limit';
import type { RolloutSettings } from '../domain/fleet/settings-rollout.ts';
import { readMarker } from '../domain/pull-request-marker.ts';
import { decideRollout, type RolloutDecision, type RolloutMember } from '../domain/rollout.ts';
import type { Intent, ProposeResult, ReleaseToPropose } from './propose.ts';
import { sinceOf } from './propose-life.ts';

interface RollOut {
  readonly release: ReleaseToPropose;
  readonly rollout?: RolloutSettings | undefined;
  readonly now?: Date | undefined;
  readonly signal: AbortSignal;
}

const AT_ONCE = 8;
const ALL_DUE: RolloutDecision = { waits: new Map() };

/**
 * Which of those that need a pull request wait for others. All that this rests on is in the forges, so that it does not
 * matter who looks; where nobody needs one, nothing more is asked.
 */
export async function rollOut(
  examined: readonly (Intent | ProposeResult)[],
  { release, rollout, now, signal }: RollOut,
): Promise<RolloutDecision> {
  if (rollout === undefined || now === undefined || !examined.some(isWanted)) return ALL_DUE;
  const limit = pLimit(AT_ONCE);
  const members = await Promise.all(examined.map((each) => limit(() => memberOf(each, signal))));
  const places = [...members.keys()].filter((index) => members[index] !== undefined);
  const facts = { digest: release.digest, urgent: release.urgent === true, now: now.getTime() };
  const known = places.map((index) => members[index]!);
  const { waits, ...decision } = decideRollout(rollout, known, facts);
  return { ...decision, waits: new Map([...waits].map(([place, why]) => [places[place]!, why])) };
}

/** Pins that leave a quarantined release wait for nobody, nor does one that only has to be rebuilt. */
function isWanted(each: Intent | ProposeResult): boolean {
  if (!('state' in each) || each.state.leaves.length > 0) return false;
  return each.action === 'opened' || (each.action === 'updated' && sinceOf(each.state) === undefined);
}

async function memberOf(each: Intent | ProposeResult, signal: AbortSignal): Promise<RolloutMember | undefined> {
  if (!('state' in each)) return { repository: each.repository, state: 'unknown' };
  const { state, action } = each;
  const repository = state.repository.name;
  if (isWanted(each)) return { repository, state: 'wanted' };
  const since = sinceOf(state);
  if (since !== undefined && (action === 'unchanged' || action === 'updated'))
    return { repository, state: 'open', at: Date.parse(since) };
  if (action !== 'none' || state.changes.current === 0) return undefined;
  return mergedMember(each, signal);
}

/** When it was merged, and what has come of it. A forge that does not say counts as one where nothing is wrong. */
async function mergedMember({ state }: Intent, signal: AbortSignal): Promise<RolloutMember> {
  const { repository, branch, base, release } = state;
  const member = { repository: repository.name, state: 'merged' } as const;
  try {
    const pulls = await repository.pulls({ branch, state: 'merged' }, { signal });
    const merged = pulls.findLast(({ body }) => readMarker(body)?.digest === release.digest);
    if (merged === undefined) return member;
    const checks = await repository.checks(base.commit, { signal });
    return { ...member, at: Date.parse(merged.updatedAt), isRed: checks.state === 'failing' };
  } catch (error) {
    if (signal.aborted) throw error;
    return member;
  }
}
