import { z } from 'zod';
import { type ForgeCall, ForgeError, type ForgeRepository, type NewPull, type OpenedPull } from '../forge.ts';
import { troubleOf } from '../pull-options.ts';
import { statusOf } from '../rest.ts';
import { pullFinder } from '../web-pulls.ts';
import { CommentAnswer, isFromFork, Pull, toComment, toPullRequest } from './answers.ts';
import { headOf } from './commit.ts';
import { createMerger } from './merge.ts';
import type { GithubPlace } from './place.ts';

/** What concerns pull requests. */
export function pullMethods(place: GithubPlace) {
  const { rest, path, name } = place;
  const find = pullFinder(place, Pull);
  return {
    async pulls(filter = {}, call = {}) {
      const all = await list(place, filter.branch, filter.state === 'open' ? 'open' : 'all', call);
      return all
        .map((pull) => toPullRequest(pull, name))
        .filter(({ state }) => filter.state === undefined || state === filter.state);
    },
    openPull: (wanted, call = {}) => open(place, wanted, call),
    async updatePull(number, change, call = {}) {
      const pull = await find(number, call);
      const { title = pull.title, body = pull.body ?? '', state = pull.state } = change;
      if (pull.merged_at && change.state !== undefined)
        throw new ForgeError(`pull request ${number} of ${name} is merged`, { code: 'conflict' });
      const changes = {
        ...(title !== pull.title && { title }),
        ...(body !== (pull.body ?? '') && { body }),
        ...(state !== pull.state && { state }),
      };
      const after =
        Object.keys(changes).length === 0
          ? pull
          : (await rest.send('PATCH', `${path}/pulls/${number}`, changes, Pull, call)).body;
      const { draft = after.draft ?? false } = change;
      if (draft === (after.draft ?? false)) return toPullRequest(after, name);
      await setDraft(place, after, draft, call);
      return toPullRequest(await find(number, call), name);
    },
    ...createMerger(place, find),
    async comments(number, call = {}) {
      const pages = `${path}/issues/${number}/comments?per_page=100&page={page}`;
      return (await rest.all(pages, CommentAnswer, call)).map(toComment);
    },
    async comment(number, body, call = {}) {
      await rest.send('POST', `${path}/issues/${number}/comments`, { body }, z.unknown(), call);
    },
  } satisfies Partial<ForgeRepository>;
}

/** By number. GitHub filters by branch, so that one answer mostly has them all. */
async function list(
  { rest, path, name }: GithubPlace,
  branch: string | undefined,
  state: 'open' | 'all',
  call: ForgeCall,
): Promise<readonly Pull[]> {
  const [owner] = name.split('/');
  const head = branch === undefined ? '' : `&head=${encodeURIComponent(`${owner}:${branch}`)}`;
  const pages = `${path}/pulls?state=${state}${head}&per_page=100&page={page}`;
  return (await rest.all(pages, Pull, call))
    .filter((pull) => !isFromFork(pull) && (branch === undefined || pull.head.ref === branch))
    .sort((a, b) => a.number - b.number);
}

/** GitHub has at most one open for two branches: the one that is there is told by 422. */
async function open(place: GithubPlace, wanted: NewPull, call: ForgeCall): Promise<OpenedPull> {
  const { rest, path, name } = place;
  const { branch, base, title, body, draft } = wanted;
  const request = { head: branch, base, title, body, maintainer_can_modify: false, ...(draft && { draft }) };
  try {
    const answer = await rest.send('POST', `${path}/pulls`, request, Pull, call);
    const troubles = await decorate(place, answer.body.number, wanted, call);
    const labels = troubles.length === 0 && wanted.labels?.length ? { labels: wanted.labels } : {};
    return { ...toPullRequest(answer.body, name), ...labels, ...(troubles.length > 0 && { troubles }) };
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
    const existing = (await list(place, branch, 'open', call)).find((pull) => pull.base.ref === base);
    if (existing !== undefined) return toPullRequest(existing, name);
    if ((await headOf(place, branch, call)) !== undefined) throw error;
    throw new ForgeError(`${name} has no branch ${branch}`, { code: 'not-found', cause: error });
  }
}

/** Labels that are not there are made by GitHub; `acme/team` is a team. @returns what could not be had */
async function decorate(
  { rest, path }: GithubPlace,
  number: number,
  { labels = [], reviewers = [], assignees = [] }: NewPull,
  call: ForgeCall,
): Promise<string[]> {
  const troubles: string[] = [];
  const attempt = async (what: string, names: readonly string[], target: string, body: unknown) => {
    if (names.length === 0) return;
    await rest
      .send('POST', `${path}/${target}`, body, z.unknown(), call)
      .catch((error: unknown) => troubles.push(troubleOf(`${what} ${names.join(', ')}`, error)));
  };
  const teams = reviewers.filter((each) => each.includes('/')).map((each) => each.split('/').at(-1)!);
  const people = reviewers.filter((each) => !each.includes('/'));
  const review = {
    ...(people.length > 0 && { reviewers: people }),
    ...(teams.length > 0 && { team_reviewers: teams }),
  };
  await attempt('no labels', labels, `issues/${number}/labels`, { labels });
  await attempt('no review could be asked of', reviewers, `pulls/${number}/requested_reviewers`, review);
  await attempt('it could not be assigned to', assignees, `issues/${number}/assignees`, { assignees });
  return troubles;
}

const TO_DRAFT =
  'mutation ($pull: ID!) { convertPullRequestToDraft(input: { pullRequestId: $pull }) { clientMutationId } }';
const TO_READY =
  'mutation ($pull: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $pull }) { clientMutationId } }';

async function setDraft({ graphql }: GithubPlace, { node_id }: Pull, draft: boolean, call: ForgeCall): Promise<void> {
  await graphql.ask(draft ? TO_DRAFT : TO_READY, { pull: node_id }, z.unknown(), call);
}
