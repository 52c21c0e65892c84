import { z } from 'zod';
import { type ForgeCall, ForgeError } from '../forge.ts';
import { statusOf } from '../rest.ts';
import { type Pull, type Repository, toPullRequest } from './answers.ts';
import { refusalsOf } from './graphql.ts';
import type { GithubPlace } from './place.ts';

/** Waits, since GitHub looks whether a change merges some time after the last push. Together: six seconds. */
const WAITS_MS = [100, 200, 400, 800, 1_500, 3_000];

type Find = (number: number, call: ForgeCall | undefined) => Promise<Pull>;

const AUTO_MERGE = `mutation ($pull: ID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: { pullRequestId: $pull, mergeMethod: $method }) { clientMutationId }
}`;

export function createMerger(place: GithubPlace, find: Find) {
  const { rest, path, name } = place;
  return {
    async merge(number: number, call: ForgeCall = {}) {
      const pull = toPullRequest(await find(number, call), name);
      if (pull.state === 'merged') return pull;
      const refused = pull.state === 'closed' ? 'closed' : pull.draft ? 'a draft' : undefined;
      if (refused !== undefined)
        throw new ForgeError(`pull request ${number} of ${name} is ${refused}`, { code: 'conflict' });
      const request = { merge_method: methodOf(await place.facts(call)) };
      await untilReady(place, call, () =>
        rest.send('PUT', `${path}/pulls/${number}/merge`, request, z.unknown(), call),
      );
      return toPullRequest(await find(number, call), name);
    },
    /** Needs the setting "Allow auto-merge" and something that is required: else GitHub refuses, and so do we. */
    async mergeWhenReady(number: number, call: ForgeCall = {}) {
      const { node_id } = await find(number, call);
      const method = methodOf(await place.facts(call)).toUpperCase();
      try {
        await place.graphql.ask(AUTO_MERGE, { pull: node_id, method }, z.unknown(), call);
        return true;
      } catch (error) {
        if (refusalsOf(error).length > 0 && (error as ForgeError).code === 'conflict') return false;
        throw error;
      }
    },
  };
}

/** A merge commit where the repository allows it, else its own way. */
function methodOf({ allow_merge_commit, allow_squash_merge }: Repository): 'merge' | 'squash' | 'rebase' {
  if (allow_merge_commit !== false) return 'merge';
  return allow_squash_merge === false ? 'rebase' : 'squash';
}

/** 405 is the answer for "not looked at yet" and for "does not merge"; only time tells. */
async function untilReady({ sleep }: GithubPlace, { signal }: ForgeCall, attempt: () => Promise<unknown>) {
  for (const wait of [...WAITS_MS, undefined]) {
    try {
      await attempt();
      return;
    } catch (error) {
      const isEarly = statusOf(error) === 405 && /base branch was modified|try the merge again/i.test(String(error));
      if (wait === undefined || !isEarly) throw error;
      await sleep(wait, signal);
    }
  }
}
