import type { NotifySettings } from '../domain/fleet/settings-notify.ts';
import type { ProblemFacts, StuckPull } from '../domain/problems.ts';
import type { ForgeRepository, PullRequest } from '../forge/forge.ts';

const DAY_MS = 24 * 3600_000;
const BRANCH = 'ingot/image/';

/** Open pull requests of ours that are older than they should be, and the repositories that could not be asked. */
export async function stuckPulls(
  downstreams: readonly ForgeRepository[],
  { stuckAfterSeconds }: NotifySettings,
  now: number,
): Promise<NonNullable<ProblemFacts['pulls']>> {
  const answers = await Promise.allSettled(downstreams.map((repository) => repository.pulls({ state: 'open' })));
  const open = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const old = open.filter(({ createdAt, branch }) => {
    return isOurs(branch) && now - Date.parse(createdAt) > stuckAfterSeconds * 1000;
  });
  return {
    stuck: old.map((pull) => toStuck(pull, now)),
    unasked: downstreams.flatMap(({ name }, index) => (answers[index]!.status === 'rejected' ? [name] : [])),
  };
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
