import { signedOff } from '../domain/commit-message.ts';
import { ForgeError, type ForgeRepository, type NewPull, type OpenedPull, type PullRules } from './forge.ts';

export interface PullOptions extends Pick<NewPull, 'labels' | 'reviewers' | 'assignees' | 'draft'> {
  /** Asked of the forge for each one that is opened. */
  readonly autoMerge?: boolean | undefined;
  readonly rules?: PullRules | undefined;
  /** Who signs commits off; absent: nobody does. */
  readonly signsOff?: { readonly name: string; readonly email: string } | undefined;
}

/** Opens pull requests as a downstream wants them. What cannot be had is a trouble, and the pull request is open. */
export function withPullOptions(repository: ForgeRepository, options: PullOptions): ForgeRepository {
  const { autoMerge, rules, signsOff, ...preset } = options;
  return {
    ...repository,
    ...(rules && { rules }),
    commit(request, call) {
      const message = signsOff === undefined ? request.message : signedOff(request.message, signsOff);
      return repository.commit({ ...request, message }, call);
    },
    async openPull(pull, call) {
      const opened = await repository.openPull({ ...preset, ...pull }, call);
      if (!autoMerge || opened.draft) return opened;
      const trouble = await autoMergeTrouble(repository, opened, call?.signal);
      return trouble === undefined ? opened : { ...opened, troubles: [...(opened.troubles ?? []), trouble] };
    },
  };
}

async function autoMergeTrouble(
  repository: ForgeRepository,
  { number }: OpenedPull,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    if (await repository.mergeWhenReady(number, { signal })) return undefined;
    return 'it is not merged by itself: the repository requires no checks that could say when';
  } catch (error) {
    return troubleOf('it is not merged by itself', error);
  }
}

/** What could not be had, in words. @throws what is no answer of the forge, or a cancellation */
export function troubleOf(what: string, error: unknown): string {
  if (!(error instanceof ForgeError) || error.code === 'cancelled') throw error;
  return `${what}: ${error.message}`;
}
