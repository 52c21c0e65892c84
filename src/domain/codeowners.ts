import { RE2JS } from 're2js';

/** Where GitHub looks for it, in this order (docs: About code owners). */
export const CODEOWNERS_FILES = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** GitHub ignores files that are larger. */
export const MAX_CODEOWNERS_BYTES = 3 * 1024 * 1024;

/**
 * Users and teams (`ada`, `acme/runtime`) that own files, by the last pattern that fits each. Owners by mail address
 * are left out: nobody can be asked for a review by one.
 */
export function codeOwnersOf(paths: readonly string[], codeowners: string): readonly string[] {
  const rules = codeowners.split(/\r?\n/).flatMap(toRule);
  const owners = paths.flatMap((path) => rules.findLast(({ fits }) => fits(path))?.owners ?? []);
  return [...new Set(owners)];
}

interface Rule {
  readonly fits: (path: string) => boolean;
  readonly owners: readonly string[];
}

function toRule(line: string): readonly Rule[] {
  const [pattern = '', ...owners] = line
    .replace(/(^|\s)#.*$/, '')
    .split(/(?<!\\)\s+/)
    .filter((word) => word !== '');
  if (pattern === '') return [];
  const compiled = RE2JS.compile(toExpression(pattern.replaceAll('\\ ', ' ')));
  const named = owners.filter((owner) => owner.startsWith('@')).map((owner) => owner.slice(1));
  return [{ fits: (path) => compiled.matches(path), owners: named }];
}

/** As in gitignore; `docs/*` is for the files of a folder alone. */
function toExpression(pattern: string): string {
  const isFolder = pattern.endsWith('/');
  const bare = pattern.replace(/^\/|\/$/g, '');
  const isAnchored = pattern.startsWith('/') || bare.includes('/');
  const parts = bare.split(/(\*\*\/|\/\*\*$|\*+|\?)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '/**') return '/.*';
    if (part.startsWith('*')) return '[^/]*';
    return part === '?' ? '[^/]' : RE2JS.quote(part);
  });
  const below = isFolder ? '/.*' : bare.endsWith('/*') ? '' : '(?:/.*)?';
  return `${isAnchored ? '' : '(?:.*/)?'}${parts.join('')}${below}`;
}
