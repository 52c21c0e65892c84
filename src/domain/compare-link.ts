/** Where the definitions of a release are: address of their repository, and the commit. */
export interface Origin {
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
}

const REPOSITORY = /^https?:\/\/[^/\s]+\/[^\s?#]+\/[^\s?#]+$/;
const COMMIT = /^[0-9a-f]{7,64}$/;

/** The page that shows what changed between two releases' definitions; `undefined` when it cannot be told. */
export function compareLink(before: Origin | undefined, after: Origin | undefined): string | undefined {
  const [from, to, source] = [before?.revision, after?.revision, after?.source];
  if (from === undefined || to === undefined || from === to || before?.source !== source) return undefined;
  if (source === undefined || !REPOSITORY.test(source) || !COMMIT.test(from) || !COMMIT.test(to)) return undefined;
  const page = /^https?:\/\/[^/]*gitlab/.test(source) ? '/-/compare/' : '/compare/';
  return `${source.replace(/(\.git)?\/*$/, '')}${page}${from}...${to}`;
}
