import { basename } from 'node:path';
import Table from 'cli-table3';
import { FactoryError } from '../domain/errors.ts';
import type { ForgeRepository, PullRequest } from '../forge/forge.ts';
import { explainError } from './errors.ts';

export interface PullsContext {
  /** The configured downstreams. */
  readonly repositories: readonly ForgeRepository[];
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

/** `ingot pulls`: pull requests of all downstreams, open ones first, then the newest. @returns the exit code */
export async function pullsList(context: PullsContext): Promise<number> {
  const { pulls, unknown } = await askAll(context);
  const sorted = pulls.map(({ pull }) => pull).sort(openFirst);
  if (context.json) {
    context.print(JSON.stringify({ pulls: sorted, unknown }, null, 2));
  } else {
    context.print(sorted.length === 0 ? 'no pull requests' : toTable(sorted));
    for (const { repository, why } of unknown) context.print(`${repository} could not be asked: ${why}`);
  }
  return unknown.length > 0 ? 4 : 0;
}

/** `ingot pulls show N`: title, state and body. @param which `N`, or `repository#N` @returns the exit code */
export async function pullsShow(which: string, context: PullsContext): Promise<number> {
  const { pull } = await findPull(which, context);
  if (context.json) context.print(JSON.stringify(pull, null, 2));
  else context.print(`${describe(pull)}\n\n${pull.body.replace(/<!--.*?-->\n*/gs, '').trim()}`);
  return 0;
}

/** `ingot pulls merge N`: a merge commit on the base branch. @param which `N`, or `repository#N` @returns the exit code */
export async function pullsMerge(which: string, context: PullsContext): Promise<number> {
  const { repository, pull } = await findPull(which, context);
  const merged = await repository.merge(pull.number, { signal: context.signal });
  if (context.json) context.print(JSON.stringify(merged, null, 2));
  else context.print(`merged #${merged.number} "${merged.title}" into ${merged.base} of ${merged.repository}`);
  return 0;
}

interface Found {
  readonly repository: ForgeRepository;
  readonly pull: PullRequest;
}

interface Answers {
  readonly pulls: readonly Found[];
  readonly unknown: readonly { readonly repository: string; readonly why: string }[];
}

async function askAll({ repositories, signal }: PullsContext): Promise<Answers> {
  const answers = await Promise.allSettled(repositories.map((repository) => repository.pulls({}, { signal })));
  if (signal.aborted) throw new FactoryError('cancelled', { code: 'cancelled', cause: signal.reason });
  const seen = new Set<string>(); // one repository may be there with several branches
  const isNew = ({ repository, number }: PullRequest) => {
    const key = `${repository}#${number}`;
    return !seen.has(key) && seen.add(key);
  };
  return {
    pulls: answers.flatMap((answer, index) =>
      answer.status === 'fulfilled'
        ? answer.value.filter(isNew).map((pull) => ({ repository: repositories[index]!, pull }))
        : [],
    ),
    unknown: answers.flatMap((answer, index) =>
      answer.status === 'rejected' ? [{ repository: repositories[index]!.name, why: explainError(answer.reason) }] : [],
    ),
  };
}

async function findPull(which: string, context: PullsContext): Promise<Found> {
  const { name, number } = parseWhich(which);
  const repositories = context.repositories.filter(
    (repository) => name === undefined || isCalled(repository.name, name),
  );
  if (repositories.length === 0) {
    const known = context.repositories.map((repository) => repository.name).join(', ') || 'none';
    throw usage(`no downstream is called ${name ?? 'anything'}; configured are: ${known}`);
  }
  const { pulls, unknown } = await askAll({ ...context, repositories });
  const found = pulls.filter(({ pull }) => pull.number === number);
  if (found.length === 1) return found[0]!;
  const where = found.map(({ pull }) => `${pull.repository}#${number}`).join(' or ');
  if (found.length > 1) throw usage(`several downstreams have a pull request ${number}; name one: ${where}`);
  const unasked = unknown.map(({ repository, why }) => `; ${repository} could not be asked: ${why}`).join('');
  throw usage(`there is no pull request ${which}${unasked}`);
}

function parseWhich(which: string): { name?: string; number: number } {
  const match = /^(?:(.+)#|#)?([1-9]\d*)$/.exec(which);
  if (match === null) throw usage(`"${which}" is no pull request; write a number such as 3, or repository#3`);
  return { ...(match[1] === undefined ? {} : { name: match[1] }), number: Number(match[2]) };
}

/** By the whole name, or the last part of it, with or without `.git`. */
function isCalled(full: string, name: string): boolean {
  return [full, basename(full), basename(full, '.git')].includes(name);
}

function openFirst(a: PullRequest, b: PullRequest): number {
  const order = Number(b.state === 'open') - Number(a.state === 'open');
  return order || b.updatedAt.localeCompare(a.updatedAt) || b.number - a.number;
}

function toTable(pulls: readonly PullRequest[]): string {
  const table = new Table({ head: ['pull request', 'state', 'title', 'branch'], style: { head: [], border: [] } });
  for (const { repository, number, state, title, branch } of pulls)
    table.push([`${basename(repository, '.git')}#${number}`, state, title, branch]);
  return table.toString();
}

function describe({ repository, number, title, state, branch, base, url }: PullRequest): string {
  const lines = [`${title} (#${number}, ${state})`, `${repository}: ${branch} into ${base}`];
  return [...lines, ...(url === undefined ? [] : [url])].join('\n');
}

function usage(message: string): FactoryError {
  return new FactoryError(message, { code: 'usage' });
}
