import type { ForgeCall, ForgeRepository } from './forge.ts';

/** Which repositories of an organisation, group or user are looked at. */
export interface Discovery {
  readonly owner: string;
  /** With at least one of these. Absent: any. */
  readonly topics?: readonly string[] | undefined;
  /**
   * Names with `*` for any characters; one with `!` in front takes away. One with a slash is of the whole path below
   * the owner, others of its last part. Absent: all.
   */
  readonly names?: readonly string[] | undefined;
  readonly archived?: boolean | undefined;
  readonly forks?: boolean | undefined;
}

/** A forge on a server: repositories by name, or all that the token can see. */
export interface WebForge {
  /** @param name `acme/shop`; nothing is asked before it is needed */
  repository(name: string, options?: { readonly branch?: string | undefined }): ForgeRepository;
  /** Names of repositories. Empty ones and mirrors are none that anybody could change. */
  discover(which: Discovery, call?: ForgeCall): Promise<readonly string[]>;
}

/** What forges say of a repository in a list. */
export interface Listed {
  /** Without its owner; with the groups between, where a forge has these. */
  readonly name: string;
  readonly topics: readonly string[];
  readonly archived: boolean;
  readonly fork: boolean;
}

export function isWanted(repository: Listed, { topics, names, archived = false, forks = false }: Discovery): boolean {
  if ((repository.archived && !archived) || (repository.fork && !forks)) return false;
  if (topics !== undefined && !topics.some((topic) => repository.topics.includes(topic))) return false;
  return names === undefined || isNamed(repository.name, names);
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  const [without, within] = [
    patterns.filter((each) => each.startsWith('!')),
    patterns.filter((each) => !each.startsWith('!')),
  ];
  if (without.some((pattern) => fits(name, pattern.slice(1)))) return false;
  return within.length === 0 || within.some((pattern) => fits(name, pattern));
}

/** Forges compare names without regard to case. */
function fits(path: string, pattern: string): boolean {
  const parts = pattern.toLowerCase().split('*');
  const name = pattern.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1);
  let rest = name.toLowerCase();
  const [first = '', ...others] = parts;
  if (!rest.startsWith(first)) return false;
  rest = rest.slice(first.length);
  const last = others.pop();
  if (last === undefined) return rest === '';
  for (const part of others) {
    const at = rest.indexOf(part);
    if (at === -1) return false;
    rest = rest.slice(at + part.length);
  }
  return rest.endsWith(last);
}
