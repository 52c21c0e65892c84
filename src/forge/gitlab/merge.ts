import { type ForgeCall, ForgeError } from '../forge.ts';
import type { Place } from '../place.ts';
import { statusOf } from '../rest.ts';
import { MERGE_REQUEST, requireMergeable } from '../web-pulls.ts';
import { Approvals, Merge, Project, toPullRequest } from './answers.ts';

/** Waits, since GitLab looks whether a change merges some time after the last push. Together: twelve seconds. */
const WAITS_MS = [100, 200, 400, 800, 1_500, 3_000, 6_000];
/** It does not know yet (https://docs.gitlab.com/api/merge_requests/#merge-status). */
const UNDECIDED = ['approvals_syncing', 'checking', 'preparing', 'unchecked'];
/** It waits for a pipeline, which may not have begun. */
const MAY_COME = ['ci_must_pass', 'ci_still_running', 'checking', 'unchecked', ''];

type Find = (number: number, call: ForgeCall | undefined) => Promise<Merge>;

export function createMerger(place: Place, find: Find) {
  const { rest, path, name } = place;
  const send = async (number: number, body: object, call: ForgeCall) =>
    rest.send('PUT', `${path}/merge_requests/${number}/merge`, body, Merge, call);
  return {
    async merge(number: number, call: ForgeCall = {}) {
      const merge = await untilDecided(place, () => find(number, call), call);
      const pull = toPullRequest(merge, name);
      if (pull.state === 'merged') return pull;
      requireMergeable(pull, MERGE_REQUEST);
      try {
        await send(number, shaOf(merge), call);
      } catch (error) {
        throw refusedMerge(error, `merge request ${number} of ${name} cannot be merged`, merge);
      }
      return toPullRequest(await untilMerged(place, () => find(number, call), call), name);
    },
    /** `auto_merge` since 17.11, the other before that; each takes no notice of what it does not know. */
    async mergeWhenReady(number: number, call: ForgeCall = {}) {
      if (!(await requiresAnything(place, number, call))) return false;
      const wanted = { auto_merge: true, merge_when_pipeline_succeeds: true };
      for (const wait of [...WAITS_MS, undefined]) {
        const merge = await untilDecided(place, () => find(number, call), call);
        try {
          await send(number, { ...wanted, ...shaOf(merge) }, call);
          return true;
        } catch (error) {
          // Pipelines begin some time after the push that they are of
          const isEarly = statusOf(error) === 405 && MAY_COME.includes(merge.detailed_merge_status ?? '');
          if (wait === undefined || !isEarly)
            throw refusedMerge(error, `merge request ${number} of ${name} cannot be left to be merged`, merge);
          await place.sleep(wait, call.signal);
        }
      }
      return true;
    },
  };
}

/** What was looked at is merged, and nothing that was pushed since. */
function shaOf({ sha }: Merge) {
  return sha ? { sha } : {};
}

/** Where nothing is required, older servers would merge it at once, which nobody asked for. */
async function requiresAnything({ rest, path }: Place, number: number, call: ForgeCall): Promise<boolean> {
  const project = await rest.get(path, Project, call);
  if (project.only_allow_merge_if_pipeline_succeeds) return true;
  const approvals = await rest.find(`${path}/merge_requests/${number}/approvals`, Approvals, call);
  return (approvals?.approvals_required ?? 0) > 0;
}

async function untilDecided(place: Place, ask: () => Promise<Merge>, call: ForgeCall): Promise<Merge> {
  return until(
    place,
    ask,
    ({ state, detailed_merge_status: status }) => {
      return state !== 'opened' || !UNDECIDED.includes(status ?? '');
    },
    call,
  );
}

/** It is `locked` while it is being merged. */
async function untilMerged(place: Place, ask: () => Promise<Merge>, call: ForgeCall): Promise<Merge> {
  return until(place, ask, ({ state }) => state !== 'locked', call);
}

async function until(
  { sleep }: Place,
  ask: () => Promise<Merge>,
  isEnough: (merge: Merge) => boolean,
  { signal }: ForgeCall,
): Promise<Merge> {
  for (const wait of WAITS_MS) {
    const merge = await ask();
    if (isEnough(merge)) return merge;
    await sleep(wait, signal);
  }
  return ask();
}

/** 405, 406 and 422 are all "not now"; 409: the branch was pushed to. 401 is a person who may not, not a bad token. */
function refusedMerge(error: unknown, what: string, { detailed_merge_status: status }: Merge): unknown {
  const answer = statusOf(error);
  const why = status ? `: GitLab says ${status}` : '';
  if ([405, 406, 409, 422].includes(answer ?? 0))
    return new ForgeError(`${what}${why}`, { code: 'conflict', retryable: answer === 409, cause: error });
  if (answer !== 401) return error;
  const remedy = 'its user may not merge into that branch; see "Allowed to merge" of the protected branch';
  return new ForgeError(`${what}; ${remedy}`, { code: 'unauthorised', cause: error });
}
