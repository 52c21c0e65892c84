import type { CommitRequest, ForgeRepository, Head, NewPull, PullRequest } from '../forge/forge.ts';

/** What would have been written. */
export type Intent =
  | {
      readonly kind: 'commit';
      readonly branch: string;
      readonly message: string;
      readonly files: CommitRequest['files'];
    }
  | {
      readonly kind: 'open';
      readonly title: string;
      readonly body: string;
      readonly labels?: readonly string[] | undefined;
    }
  | {
      readonly kind: 'update';
      readonly number: number;
      readonly title?: string;
      readonly body?: string;
      readonly state?: string;
    }
  | { readonly kind: 'comment'; readonly number: number; readonly body: string }
  | { readonly kind: 'remove-branch'; readonly branch: string };

/** Reads as the repository does, and writes nothing: what would be written is told. */
export function withPreview(
  { turns: _, ...repository }: ForgeRepository,
  tell: (intent: Intent) => void,
): ForgeRepository {
  const find = async (number: number): Promise<PullRequest> => {
    const found = (await repository.pulls()).find((pull) => pull.number === number);
    return found ?? { ...NOT_THERE, repository: repository.name, number };
  };
  return {
    ...repository,
    async commit({ branch, message, files }): Promise<Head> {
      tell({ kind: 'commit', branch, message, files });
      return { branch, commit: '0'.repeat(40) };
    },
    async removeBranch(branch) {
      tell({ kind: 'remove-branch', branch });
    },
    async openPull({ branch, base, title, body, labels }: NewPull) {
      tell({ kind: 'open', title, body, labels });
      return { ...NOT_THERE, repository: repository.name, branch, base, title, body };
    },
    async updatePull(number, change) {
      const { title, body, state } = change;
      tell({ kind: 'update', number, ...(title && { title }), ...(body && { body }), ...(state && { state }) });
      return find(number);
    },
    async comment(number, body) {
      tell({ kind: 'comment', number, body });
    },
    merge: find,
    mergeWhenReady: async () => true,
  };
}

/** One that would be opened: no forge has given it a number. */
const NOT_THERE = {
  ...{ number: 0, branch: '', base: '', title: '', body: '', state: 'open' as const },
  ...{ createdAt: '1970-01-01T00:00:00Z', updatedAt: '1970-01-01T00:00:00Z' },
} as const;
