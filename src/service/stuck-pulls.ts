import type { NotifySettings } from '../domain/fleet/settings-notify.ts';
import type { StuckPull } from '../domain/problems.ts';
import type { ForgeRepository, PullRequest } from '../forge/forge.ts';

const DAY_MS = 24 * 3600_000;
const BRANCH = 'ingot/image/';

/** Open pull requests of ours that are older than they should be; `undefined` when a repository could not be asked. */
export async function stuckPulls(
  downstreams: readonly ForgeRepository[],
  { stuckAfterSeconds }: NotifySettings,
  now: number,
): Promise<readonly StuckPull[] | undefined> {
  const answers = await Promise.allSettled(downstreams.map((repository) => repository.pulls({ state: 'open' })));
  if (answers.some(({ status }) => status === 'rejected')) return undefined;
  const open = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  return open
    .filter(({ createdAt, branch }) => isOurs(branch) && now - Date.parse(createdAt) > stuckAfterSeconds * 1000)
    .map((pull) => toStuck(pull, now));
}

function isOurs(branch: string): boolean {
  return branch.startsWith('ingot/');
}

function toStuck({ repository, number, title, url, branch, createdAt }: PullRequest, now: number): StuckPull {
  return {
    ...{ repository, number, title, days: Math.floor((now - Date.parse(createdAt)) / DAY_MS) },
    ...(url && { url }),
    ...(branch.startsWith(BRANCH) && { image: branch.slice(BRANCH.length) }),
  };
}
