import type { z } from 'zod';
import { type ForgeCall, ForgeError, type PullRequest } from './forge.ts';
import type { Place } from './place.ts';
import { statusOf } from './rest.ts';

/** Waits, since a forge looks whether a change merges some time after the last push. Together: six seconds. */
const WAITS_MS = [100, 200, 400, 800, 1_500, 3_000];

/** What a forge calls them, to people and in paths. */
interface Kind {
  readonly word: string;
  readonly segment: string;
}

const PULL_REQUEST: Kind = { word: 'pull request', segment: 'pulls' };
export const MERGE_REQUEST: Kind = { word: 'merge request', segment: 'merge_requests' };

/** Looks up a pull request as the forge tells it. @throws ForgeError `not-found` */
export function pullFinder<T>({ rest, path, name }: Place, answer: z.ZodType<T>, { word, segment } = PULL_REQUEST) {
  return async (number: number, call: ForgeCall | undefined): Promise<T> => {
    const found = await rest.find(`${path}/${segment}/${number}`, answer, call);
    if (found !== undefined) return found;
    throw new ForgeError(`${name} has no ${word} ${number}`, { code: 'not-found' });
  };
}

/** @throws ForgeError `conflict` for one that is closed, or a draft */
export function requireMergeable({ number, repository, state, draft }: PullRequest, { word } = PULL_REQUEST): void {
  const refused = state === 'closed' ? 'closed' : draft ? 'a draft' : undefined;
  if (refused !== undefined)
    throw new ForgeError(`${word} ${number} of ${repository} is ${refused}`, { code: 'conflict' });
}

/**
 * Merges once the forge has looked. Its answer is 405 for "not looked at yet" and for "does not merge"; only time tells.
 * @param early what it says when it has not looked yet
 */
export async function untilMergeable(
  { sleep }: Place,
  { signal }: ForgeCall,
  early: RegExp,
  attempt: () => Promise<unknown>,
): Promise<void> {
  for (const wait of [...WAITS_MS, undefined]) {
    try {
      await attempt();
      return;
    } catch (error) {
      const isEarly = statusOf(error) === 405 && early.test((error as ForgeError).message);
      if (wait === undefined || !isEarly) throw error;
      await sleep(wait, signal);
    }
  }
}
