import { z } from 'zod';
import {
  type ForgeCall,
  ForgeError,
  type ForgeRepository,
  type NewPull,
  type OpenedPull,
  type PullRequest,
} from '../forge.ts';
import type { Place } from '../place.ts';
import { statusOf } from '../rest.ts';
import { pullFinder } from '../web-pulls.ts';
import { CommentAnswer, DRAFT_PREFIX, isFromFork, Pull, toComment, toPullRequest } from './answers.ts';
import { decorate, labelIds } from './extras.ts';
import { createMerger } from './merge.ts';

/** What concerns pull requests. */
export function pullMethods(place: Place) {
  const { rest, path, name } = place;
  const list = createPullList(place);
  const opening = new Map<string, ReturnType<ForgeRepository['openPull']>>();
  const find = pullFinder(place, Pull);
  return {
    async pulls(filter = {}, call = {}) {
      const all = await list(filter.state === 'open' ? 'open' : 'all', call);
      return all
        .filter((pull) => filter.branch === undefined || pull.branch === filter.branch)
        .filter((pull) => filter.state === undefined || pull.state === filter.state);
    },
    /** The forge itself makes twins when two ask at once: within a process they share, of others the first one stays. */
    openPull(wanted, call = {}) {
      const running = opening.get(wanted.branch);
      if (running !== undefined) return running;
      const opened = openOnce(place, wanted, call).finally(() => opening.delete(wanted.branch));
      opening.set(wanted.branch, opened);
      return opened;
    },
    async updatePull(number, change, call = {}) {
      const answer = await find(number, call);
      const pull = toPullRequest(answer, name);
      if (pull.state === 'merged' && change.state !== undefined)
        throw new ForgeError(`pull request ${number} of ${name} is merged`, { code: 'conflict' });
      const body = changesOf(answer, pull, change);
      if (Object.keys(body).length === 0) return pull;
      return toPullRequest((await rest.send('PATCH', `${path}/pulls/${number}`, body, Pull, call)).body, name);
    },
    ...createMerger(place, find),
    async comments(number, call = {}) {
      const comments = z.array(CommentAnswer);
      return (await rest.get(`${path}/issues/${number}/comments`, comments, call)).map(toComment);
    },
    async comment(number, body, call = {}) {
      await rest.send('POST', `${path}/issues/${number}/comments`, { body }, z.unknown(), call);
    },
  } satisfies Partial<ForgeRepository>;
}

function changesOf(answer: Pull, pull: PullRequest, change: Parameters<ForgeRepository['updatePull']>[1]) {
  const { title = pull.title, body = pull.body, state = pull.state, draft = pull.draft ?? false } = change;
  const isRenamed = title !== pull.title || draft !== (pull.draft ?? false);
  return {
    ...(isRenamed && titleOf({ title, draft }) !== answer.title && { title: titleOf({ title, draft }) }),
    ...(body !== pull.body && { body }),
    ...(state !== pull.state && { state }),
  };
}

function titleOf({ title, draft }: { title: string; draft?: boolean | undefined }): string {
  return draft ? `${DRAFT_PREFIX}${title}` : title;
}

async function openOnce(place: Place, wanted: NewPull, call: ForgeCall): Promise<OpenedPull> {
  const { rest, path, name } = place;
  const { labels = [] } = wanted;
  const known = labels.length === 0 ? { ids: [], troubles: [] } : await labelIds(place, labels, call);
  const { pull, isNew } = await open(place, wanted, known.ids, call);
  if (!isNew) return pull;
  const first = await findOpen(place, wanted, call);
  if (first !== undefined && first.number < pull.number) {
    await rest.send('PATCH', `${path}/pulls/${pull.number}`, { state: 'closed' }, z.unknown(), call);
    return toPullRequest(first, name);
  }
  const troubles = [...known.troubles, ...(await decorate(place, pull.number, wanted, call))];
  return { ...pull, ...(troubles.length > 0 && { troubles }) };
}

/** The one that is open already, when there is one: the forge knows best. */
async function open(place: Place, wanted: NewPull, labels: readonly number[], call: ForgeCall) {
  const { rest, path, name } = place;
  const { branch, base, body } = wanted;
  const request = { head: branch, base, title: titleOf(wanted), body, ...(labels.length > 0 && { labels }) };
  try {
    const answer = await rest.send('POST', `${path}/pulls`, request, Pull, call);
    return { pull: toPullRequest(answer.body, name), isNew: true };
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
    const existing = await findOpen(place, wanted, call);
    if (existing === undefined) throw error;
    return { pull: toPullRequest(existing, name), isNew: false };
  }
}

/** The first that is open for the branch. */
async function findOpen({ rest, path }: Place, { branch, base }: NewPull, call: ForgeCall): Promise<Pull | undefined> {
  const found = await rest.all(`${path}/pulls?state=open&limit=50&page={page}`, Pull, call);
  return found
    .filter((each) => !isFromFork(each) && each.head.label === branch && each.base.ref === base)
    .sort((a, b) => a.number - b.number)[0];
}

/**
 * All pull requests by number. There is no filter by branch, so that those that were seen before are remembered, and
 * only pages with newer changes are asked for.
 */
function createPullList({ rest, path, name }: Place) {
  const known = new Map<number, PullRequest | undefined>();
  let newest = '';
  return async (state: 'open' | 'all', call: ForgeCall): Promise<readonly PullRequest[]> => {
    const query = `state=${state}&sort=recentupdate&limit=50&page={page}`;
    const found = new Map<number, PullRequest | undefined>();
    for await (const page of rest.pages(`${path}/pulls?${query}`, z.array(Pull), call)) {
      for (const pull of page) found.set(pull.number, isFromFork(pull) ? undefined : toPullRequest(pull, name));
      if (state === 'all' && page.some(({ updated_at }) => updated_at < newest)) break;
    }
    if (state === 'open') return sorted(found);
    for (const [number, pull] of found) known.set(number, pull);
    newest = [...known.values()].reduce(
      (latest, pull) => (pull && pull.updatedAt > latest ? pull.updatedAt : latest),
      '',
    );
    return sorted(known);
  };
}

function sorted(pulls: ReadonlyMap<number, PullRequest | undefined>): PullRequest[] {
  return [...pulls.values()].flatMap((pull) => pull ?? []).sort((a, b) => a.number - b.number);
}
