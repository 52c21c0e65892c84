import { formatDay, formatMinute } from '../domain/calendar.ts';
import { goesBack, leavesKey } from '../domain/pull-request.ts';
import { readMarker } from '../domain/pull-request-marker.ts';
import type { PullRequest } from '../forge/forge.ts';
import type { Intent, State } from './propose.ts';

/** An open pull request that nobody merges. */
export interface StuckPull {
  readonly kind: 'checks-failing' | 'waiting';
  /** When it came to propose its release; RFC 3339. */
  readonly since: string;
  /** Names of checks. */
  readonly failing: readonly string[];
}

/** What a person who closed one does not want: that release ever, and for a while any other. */
export function refusalOf(state: State): Intent | undefined {
  const { pulls, release } = state;
  const declined = pulls.findLast((pull) => isDeclined(pull, state));
  if (declined !== undefined) {
    const message = `closed by a person, so that ${release.version} is not proposed again`;
    return { state, action: 'declined', pull: declined, message };
  }
  const { repository, now } = state;
  const [last, quietMs] = [pulls.at(-1), repository.rules?.declineFor];
  if (last?.state !== 'closed' || isClosedByUs(last) || quietMs === undefined || now === undefined) return undefined;
  const nextAt = Date.parse(last.updatedAt) + quietMs;
  if (isUrgent(state) || nextAt <= now.getTime()) return undefined;
  const until = formatMinute(new Date(nextAt).toISOString());
  return {
    state,
    action: 'declined',
    pull: last,
    nextAt,
    message: `closed by a person, so that nothing is proposed before ${until}`,
  };
}

export function isClosedByUs({ body }: PullRequest): boolean {
  return readMarker(body)?.closedByUs === true;
}

/** The body may have been edited by whoever closed it; then the title has to do. */
function isDeclined({ state, body, title }: PullRequest, { release, leaves }: State): boolean {
  if (state !== 'closed') return false;
  const way = { leaves, after: release };
  const marker = readMarker(body);
  if (marker === undefined)
    return title.split(' ').includes(release.version) && title.includes(' back ') === goesBack(way);
  return marker.digest === release.digest && marker.closedByUs !== true && marker.leaves === leavesKey(way);
}

/** Why an open one that is up to date is not merged, where somebody wants to be told. */
export async function stuckPull(
  { repository, existing, now, release, open, signal }: State,
  pull: PullRequest,
): Promise<Pick<Intent, 'message' | 'stuck' | 'nextAt'>> {
  const stuckAfter = repository.rules?.stuckAfter;
  if (stuckAfter === undefined || now === undefined || existing === undefined) return {};
  const since = sinceOf({ open, release }) ?? pull.createdAt;
  const { state, failing } = await repository.checks(existing.commit, { signal });
  if (state === 'failing')
    return { stuck: { kind: 'checks-failing', since, failing }, message: `its checks fail: ${failing.join(', ')}` };
  const late = Date.parse(since) + stuckAfter;
  if (late > now.getTime()) return {};
  return { stuck: { kind: 'waiting', since, failing }, message: `waits to be merged since ${formatDay(since)}` };
}

/** When the open one came to propose this release; `undefined` when it proposes another. RFC 3339. */
export function sinceOf({ open, release }: Pick<State, 'open' | 'release'>): string | undefined {
  const marker = open && readMarker(open.body);
  return marker?.digest === release.digest ? (marker.since ?? open!.createdAt) : undefined;
}

/** Whether it goes before what can wait: a critical fix, or a way out of a bad release. */
export function isUrgent({ release, leaves }: Pick<State, 'release' | 'leaves'>): boolean {
  return release.urgent === true || leaves.length > 0;
}
