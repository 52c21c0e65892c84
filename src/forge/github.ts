import { z } from 'zod';
import { apiOf } from '../domain/forge-address.ts';
import { type Discovery, isWanted, type WebForge } from './discovery.ts';
import type { CommitRequest, ForgeCall, ForgeRepository, Head } from './forge.ts';
import type { Identity } from './git/git.ts';
import { expectedHead, remoteHeads } from './git/heads.ts';
import { pushCommit } from './git/push.ts';
import { basic, type Remote } from './git/remote.ts';
import { CheckRuns, Compared, type ComparedCommit, Repository, Statuses, toChecks } from './github/answers.ts';
import { commitByApi, filesOf, readBlob, removeBranch } from './github/commit.ts';
import { createGraphql } from './github/graphql.ts';
import type { GithubPlace } from './github/place.ts';
import { pullMethods } from './github/pulls.ts';
import { type GithubCredential, tokenSource } from './github/token.ts';
import { segment } from './place.ts';
import { createRest, type Rest, statusOf, type WebDeps } from './rest.ts';

export interface GithubOptions extends WebDeps {
  /** Of its front page: `https://github.com`, or that of an Enterprise Server. */
  readonly url: string;
  readonly credential: GithubCredential;
  /** How people know the credential: the variable that it is from. */
  readonly tokenName: string;
  /** Author and committer of commits. Absent: whom the token is of; GitHub then signs them. */
  readonly identity?: Identity | undefined;
  /** PEM of certificate authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
}

export const GITHUB_PERMISSIONS =
  'contents, pull requests and, for pins in workflows, workflows: read and write; checks, commit statuses: read';

/** GitHub and GitHub Enterprise Server, by their REST API (2022-11-28), GraphQL for what that lacks, and git over HTTP. */
export function createGithubForge(options: GithubOptions): WebForge {
  const base = options.url.replace(/\/+$/, '');
  const { api, graphql } = addressesOf(base);
  const refusal = createRefusal(options.tokenName);
  const token = tokenSource(options.credential, { ...options, apart: undefined, base: api, refusal });
  const headers = async () => ({
    authorization: `Bearer ${await token()}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  });
  const rest = createRest({ ...options, base: api, headers, refusal });
  const shared = { rest, graphql: createGraphql(createRest({ ...options, base: graphql, headers, refusal })) };
  const login = createLogin(shared.graphql);
  return {
    repository(name, { branch } = {}) {
      const path = `/repos/${name.split('/').map(segment).join('/')}`;
      const authorization = async () => basic('x-access-token', await token());
      const remote: Remote = { url: `${base}/${name}.git`, authorization, refusal };
      return createRepository({ ...shared, path, name, sleep: options.sleep }, { remote, branch, login }, options);
    },
    discover: (which, call = {}) => discover(rest, which, 'app' in options.credential, call),
  };
}

function addressesOf(base: string): { api: string; graphql: string } {
  const api = apiOf('github', base);
  return { api, graphql: `${api.replace(/\/v3$/, '')}/graphql` };
}

function createRefusal(tokenName: string) {
  return (status: number) =>
    status === 401
      ? `${tokenName} is not accepted; make a new one with ${GITHUB_PERMISSIONS}`
      : `${tokenName} may not do this; it needs ${GITHUB_PERMISSIONS}, and its owner's approval`;
}

/** Name of the account that commits are made by. */
function createLogin(graphql: GithubPlace['graphql']): () => Promise<string> {
  let known: Promise<string> | undefined;
  const Viewer = z.object({ viewer: z.object({ login: z.string() }) });
  const ask = async () => (await graphql.ask('query { viewer { login } }', {}, Viewer)).viewer.login;
  return () => {
    known ??= ask().catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  };
}

interface Own {
  readonly remote: Remote;
  readonly branch: string | undefined;
  readonly login: () => Promise<string>;
}

function createRepository(
  parts: Omit<GithubPlace, 'facts' | 'filesOf'>,
  { remote, branch, login }: Own,
  options: GithubOptions,
): ForgeRepository {
  const { rest, path, name } = parts;
  let facts: Promise<Repository> | undefined;
  let listed: { commit: string; files: Awaited<ReturnType<typeof filesOf>> } | undefined;
  const place: GithubPlace = {
    ...parts,
    facts(call) {
      facts ??= rest.get(path, Repository, call).catch((error) => {
        facts = undefined;
        throw error;
      });
      return facts;
    },
    async filesOf(commit, call) {
      if (listed?.commit !== commit) listed = { commit, files: await filesOf(place, commit, call) };
      return listed.files;
    },
  };
  const repository: ForgeRepository = {
    name,
    closesWithBranch: true,
    ...remoteHeads(options.http, remote, name, branch),
    files: (commit, call = {}) => place.filesOf(commit, call),
    read: ({ blob }, call) => readBlob(place, blob, call),
    async isOurs(wanted, base, call) {
      const compare = `${path}/compare/${segment(base)}...${segment(wanted)}?per_page=100`;
      const answer = await rest.find(compare, Compared, call);
      if (answer === undefined) return true; // there is no such branch
      if (answer.total_commits > answer.commits.length) return false; // far more than we ever make
      const { identity } = options;
      const own = identity ?? { login: await login() };
      return answer.commits.every((each) => ('login' in own ? isOf(each, own.login) : isBy(each, own)));
    },
    commit: (request, call = {}) => commit(place, remote, request, { repository, options }, call),
    removeBranch: (wanted, call) => removeBranch(place, wanted, call),
    ...pullMethods(place),
    async checks(of, call) {
      const [statuses, runs] = await Promise.all([
        rest.get(`${path}/commits/${of}/status?per_page=100`, Statuses, call),
        rest.get(`${path}/commits/${of}/check-runs?per_page=100`, CheckRuns, call),
      ]);
      return toChecks(statuses, runs);
    },
  };
  return repository;
}

/** Commits made by the API are committed by GitHub itself. */
const GITHUB_ITSELF = 'web-flow';

function isOf({ author, committer, commit }: ComparedCommit, login: string): boolean {
  const isItself = committer?.login === GITHUB_ITSELF && commit.committer?.name?.startsWith('GitHub');
  return author?.login === login && (committer?.login === login || isItself === true);
}

function isBy({ commit }: ComparedCommit, identity: Identity): boolean {
  return [commit.author, commit.committer].every(
    (each) => each?.name === identity.name && each?.email === identity.email,
  );
}

async function commit(
  place: GithubPlace,
  remote: Remote,
  request: CommitRequest,
  { repository, options }: { readonly repository: ForgeRepository; readonly options: GithubOptions },
  call: ForgeCall,
): Promise<Head> {
  const from = await expectedHead(repository, request, call);
  const { identity, now, ca } = options;
  if (identity !== undefined) return pushCommit(remote, request, from, { identity, now, ca }, call.signal);
  return commitByApi(place, request, from, call);
}

/** What an app is installed for, or what a token sees of an organisation, else of a user. */
async function discover(rest: Rest, which: Discovery, isApp: boolean, call: ForgeCall): Promise<readonly string[]> {
  const owner = segment(which.owner);
  const Installed = z.object({ repositories: z.array(Repository) }).transform(({ repositories }) => repositories);
  if (isApp) {
    const all = await namesOf(rest, '/installation/repositories?', Installed, which, call);
    return all.filter((name) => name.toLowerCase().startsWith(`${which.owner.toLowerCase()}/`));
  }
  try {
    return await namesOf(rest, `/orgs/${owner}/repos?type=all&`, z.array(Repository), which, call);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return namesOf(rest, `/users/${owner}/repos?type=owner&`, z.array(Repository), which, call);
  }
}

async function namesOf(
  rest: Rest,
  path: string,
  answer: z.ZodType<readonly Repository[]>,
  which: Discovery,
  call: ForgeCall,
): Promise<string[]> {
  const names: string[] = [];
  for await (const page of rest.pages(`${path}per_page=100&page={page}`, answer, call)) {
    for (const { full_name, name, archived, disabled, fork, mirror_url, topics } of page) {
      const listed = { name, topics: topics ?? [], archived: archived === true, fork };
      if (!disabled && !mirror_url && isWanted(listed, which)) names.push(full_name);
    }
  }
  return names;
}
