import { z } from 'zod';
import { type ForgeCall, ForgeError, type ForgeRepository, type NewPull, type OpenedPull } from '../forge.ts';
import type { Place } from '../place.ts';
import { statusOf } from '../rest.ts';
import { MERGE_REQUEST, pullFinder } from '../web-pulls.ts';
import { DRAFT_PREFIX, isFromFork, Merge, Note, toComments, toMarkdown, toPullRequest } from './answers.ts';
import { createMerger } from './merge.ts';
import { findPeople, leftOut } from './people.ts';

type BranchOf = Pick<ForgeRepository, 'branch'>;

/** What concerns merge requests. */
export function pullMethods(place: Place, repository: BranchOf) {
  const { rest, path, name } = place;
  const find = pullFinder(place, Merge, MERGE_REQUEST);
  return {
    async pulls(filter = {}, call = {}) {
      const all = await list(place, filter.branch, filter.state === 'open' ? 'opened' : 'all', call);
      return all
        .map((merge) => toPullRequest(merge, name))
        .filter(({ state }) => filter.state === undefined || state === filter.state);
    },
    openPull: (wanted, call = {}) => open(place, repository, wanted, call),
    async updatePull(number, change, call = {}) {
      const merge = await find(number, call);
      const pull = toPullRequest(merge, name);
      if (pull.state === 'merged' && change.state !== undefined)
        throw new ForgeError(`merge request ${number} of ${name} is merged`, { code: 'conflict' });
      const body = changesOf(merge, place, change);
      if (Object.keys(body).length === 0) return pull;
      return toPullRequest((await rest.send('PUT', `${path}/merge_requests/${number}`, body, Merge, call)).body, name);
    },
    ...createMerger(place, find),
    async comments(number, call = {}) {
      const pages = `${path}/merge_requests/${number}/notes?order_by=created_at&sort=asc&per_page=100&page={page}`;
      return toComments(await rest.all(pages, Note, call));
    },
    async comment(number, body, call = {}) {
      const note = { body: toMarkdown(body) };
      await rest.send('POST', `${path}/merge_requests/${number}/notes`, note, z.unknown(), call);
    },
  } satisfies Partial<ForgeRepository>;
}

function changesOf(merge: Merge, { name }: Place, change: Parameters<ForgeRepository['updatePull']>[1]) {
  const pull = toPullRequest(merge, name);
  const { title = pull.title, body = pull.body, state = pull.state, draft = pull.draft ?? false } = change;
  const isRenamed = title !== pull.title || draft !== (pull.draft ?? false);
  return {
    ...(isRenamed && titleOf({ title, draft }) !== merge.title && { title: titleOf({ title, draft }) }),
    // GitLab takes white space from the end
    ...(body.trimEnd() !== pull.body.trimEnd() && { description: toMarkdown(body) }),
    ...(state !== pull.state && { state_event: state === 'open' ? 'reopen' : 'close' }),
  };
}

function titleOf({ title, draft }: { title: string; draft?: boolean | undefined }): string {
  return draft ? `${DRAFT_PREFIX}${title}` : title;
}

/** By number. GitLab filters by branch, so that one answer mostly has them all. */
async function list(
  { rest, path }: Place,
  branch: string | undefined,
  state: 'opened' | 'all',
  call: ForgeCall,
): Promise<readonly Merge[]> {
  const source = branch === undefined ? '' : `&source_branch=${encodeURIComponent(branch)}`;
  const pages = `${path}/merge_requests?state=${state}${source}&per_page=100&page={page}`;
  return (await rest.all(pages, Merge, call)).filter((merge) => !isFromFork(merge)).sort((a, b) => a.iid - b.iid);
}

/** GitLab has at most one open for two branches, and answers 409; two that ask at once may both get one all the same. */
async function open(place: Place, repository: BranchOf, wanted: NewPull, call: ForgeCall): Promise<OpenedPull> {
  const { rest, path, name } = place;
  const { troubles, ...ids } = await findPeople(place, wanted, call);
  const request = { ...requestOf(wanted), ...ids };
  let merge: Merge;
  try {
    merge = (await rest.send('POST', `${path}/merge_requests`, request, Merge, call)).body;
  } catch (error) {
    if (![400, 404, 409, 422].includes(statusOf(error) ?? 0)) throw error;
    const existing = await findOpen(place, wanted, call);
    if (existing !== undefined) return toPullRequest(existing, name);
    if ((await repository.branch(wanted.branch, call)) !== undefined) throw error;
    throw new ForgeError(`${name} has no branch ${wanted.branch}`, { code: 'not-found', cause: error });
  }
  const first = await findOpen(place, wanted, call);
  if (first !== undefined && first.iid < merge.iid) {
    await rest.send('PUT', `${path}/merge_requests/${merge.iid}`, { state_event: 'close' }, z.unknown(), call);
    return toPullRequest(first, name);
  }
  const all = [...troubles, ...leftOut(merge, { ...ids, troubles }, wanted)];
  return { ...toPullRequest(merge, name), ...(all.length > 0 && { troubles: all }) };
}

/** Labels that are not there are made by GitLab; the branch goes with the merge. */
function requestOf(wanted: NewPull) {
  const { branch, base, body, labels = [] } = wanted;
  return {
    source_branch: branch,
    target_branch: base,
    title: titleOf(wanted),
    description: toMarkdown(body),
    remove_source_branch: true,
    ...(labels.length > 0 && { labels: labels.join(',') }),
  };
}

async function findOpen(place: Place, { branch, base }: NewPull, call: ForgeCall): Promise<Merge | undefined> {
  return (await list(place, branch, 'opened', call)).find(({ target_branch }) => target_branch === base);
}
