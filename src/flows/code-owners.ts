import { CODEOWNERS_FILES, codeOwnersOf, MAX_CODEOWNERS_BYTES } from '../domain/codeowners.ts';
import type { NewPull } from '../forge/forge.ts';
import type { State } from './propose.ts';

/** Who owns the files that change, by the repository's own word, where owners shall review. */
export async function reviewersOf({ repository, base, changes, signal }: State): Promise<Pick<NewPull, 'reviewers'>> {
  if (!repository.rules?.codeOwnersReview) return {};
  const files = await repository.files(base.commit, { signal });
  const found = CODEOWNERS_FILES.flatMap((name) =>
    files.filter(({ path, mode }) => path === name && mode !== '120000'),
  );
  const [file] = found;
  if (file === undefined || (file.size ?? 0) > MAX_CODEOWNERS_BYTES) return {};
  const text = Buffer.from(await repository.read(file, { signal })).toString('utf8');
  const paths = changes.files.map(({ path }) => path);
  return { reviewers: codeOwnersOf(paths, text) };
}
