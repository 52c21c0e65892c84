import { z } from 'zod';
import type { ForgeCall, ForgeError } from '../forge.ts';
import { requireMergeable, untilMergeable } from '../web-pulls.ts';
import { type Pull, type Repository, toPullRequest } from './answers.ts';
import { refusalsOf } from './graphql.ts';
import type { GithubPlace } from './place.ts';

/** What it says while it has not looked whether a change merges. */
const EARLY = /base branch was modified|try the merge again/i;

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
      requireMergeable(pull);
      const request = { merge_method: methodOf(await place.facts(call)) };
      await untilMergeable(place, call, EARLY, () =>
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
