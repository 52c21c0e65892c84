import { z } from 'zod';
import { apiOf } from '../domain/forge-address.ts';
import { type Discovery, isWanted, type WebForge } from './discovery.ts';
import type { CommitRequest, ForgeCall, ForgeRepository, Head, RepositoryFile } from './forge.ts';
import type { Identity } from './git/git.ts';
import { expectedHead, remoteHeads } from './git/heads.ts';
import { pushCommit } from './git/push.ts';
import { basic, type Remote } from './git/remote.ts';
import { Blob, Compared, Repository, Statuses, Tree } from './gitea/answers.ts';
import { pullMethods } from './gitea/pulls.ts';
import { type Place, segment } from './place.ts';
import { createRest, type Rest, statusOf, type WebDeps } from './rest.ts';
import { type SingleCheck, summarise, toFiles } from './web-answers.ts';

export interface GiteaOptions extends WebDeps {
  /** Of its front page: `https://git.acme.example`. */
  readonly url: string;
  readonly token: string;
  /** How people know the token: `GITEA_TOKEN`. */
  readonly tokenName: string;
  /** Author and committer of commits. */
  readonly identity: Identity;
  /** PEM of certificate authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
}

export const GITEA_SCOPES = 'write:repository, write:issue and, to find repositories, read:organization and read:user';

/** Gitea and Forgejo, by their API `/api/v1` and git over HTTP. */
export function createGiteaForge(options: GiteaOptions): WebForge {
  const base = options.url.replace(/\/+$/, '');
  const refusal = createRefusal(options.tokenName);
  const headers = async () => ({ authorization: `token ${options.token}` });
  const rest = createRest({ ...options, base: apiOf('gitea', base), headers, refusal });
  return {
    repository(name, { branch } = {}) {
      const path = `/repos/${name.split('/').map(segment).join('/')}`;
      const authorization = async () => basic('ingot', options.token);
      const remote: Remote = { url: `${base}/${name}.git`, authorization, refusal };
      return createRepository({ rest, path, name, sleep: options.sleep }, remote, branch, options);
    },
    discover: (which, call = {}) => discover(rest, which, call),
  };
}

/** Gitea names the scope itself: `token does not have at least one of required scope(s), required=[write:issue], …`. */
function createRefusal(tokenName: string) {
  return (status: number, said: string) => {
    const scope = /required(?: scope\(s\))?[=:]\s*\[?([\w:, ]+)\]?/.exec(said)?.[1];
    if (scope !== undefined) return `the token of ${tokenName} lacks the scope ${scope}; make one with ${GITEA_SCOPES}`;
    if (status === 401) return `the token of ${tokenName} is not accepted; make one with ${GITEA_SCOPES}`;
    return `the token of ${tokenName} may not do this: its user needs write access, and it the scopes ${GITEA_SCOPES}`;
  };
}

function createRepository(
  place: Place,
  remote: Remote,
  branch: string | undefined,
  options: GiteaOptions,
): ForgeRepository {
  const { rest, path, name } = place;
  const repository: ForgeRepository = {
    name,
    closesWithBranch: true,
    ...remoteHeads(options.http, remote, name, branch),
    async files(commit, call = {}) {
      const files: RepositoryFile[] = [];
      for (let page = 1; ; page++) {
        const query = `recursive=true&per_page=1000&page=${page}`;
        const tree = await rest.get(`${path}/git/trees/${commit}?${query}`, Tree, call);
        files.push(...toFiles(tree.tree ?? []));
        if (!tree.truncated || !tree.tree?.length) return files;
      }
    },
    async read({ blob }, call) {
      const { content } = await rest.get(`${path}/git/blobs/${blob}`, Blob, call);
      return Buffer.from(content ?? '', 'base64');
    },
    async isOurs(wanted, base, call) {
      const compare = `${path}/compare/${segment(base)}...${segment(wanted)}?files=false&verification=false`;
      const answer = await rest.find(compare, Compared, call);
      return (answer?.commits ?? []).every(
        ({ commit }) => isBy(commit.author, options) && isBy(commit.committer, options),
      );
    },
    commit: (request, call = {}) => commit(repository, remote, request, options, call),
    async removeBranch(wanted, call) {
      await rest.send('DELETE', `${path}/branches/${segment(wanted)}`, undefined, z.unknown(), call).catch((error) => {
        if (statusOf(error) !== 404) throw error;
      });
    },
    ...pullMethods(place),
    async checks(of, call) {
      const { statuses } = await rest.get(`${path}/commits/${of}/status?limit=50`, Statuses, call);
      return summarise((statuses ?? []).map(toCheck));
    },
  };
  return repository;
}

function isBy({ name, email }: Identity, { identity }: GiteaOptions): boolean {
  return name === identity.name && email === identity.email;
}

async function commit(
  repository: ForgeRepository,
  remote: Remote,
  request: CommitRequest,
  { identity, now, ca, apart }: GiteaOptions,
  call: ForgeCall,
): Promise<Head> {
  await apart?.(call.signal);
  const from = await expectedHead(repository, request, call);
  return pushCommit(remote, request, from, { identity, now, ca }, call.signal);
}

function toCheck({ context, status }: { readonly context: string; readonly status: string }): SingleCheck {
  const isFailing = ['error', 'failure'].includes(status);
  return { name: context, state: isFailing ? 'failing' : status === 'pending' ? 'pending' : 'passing' };
}

/** Of an organisation, else of a user. */
async function discover(rest: Rest, which: Discovery, call: ForgeCall): Promise<readonly string[]> {
  const owner = segment(which.owner);
  try {
    return await listOf(rest, `/orgs/${owner}/repos`, which, call);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return listOf(rest, `/users/${owner}/repos`, which, call);
  }
}

async function listOf(rest: Rest, path: string, which: Discovery, call: ForgeCall): Promise<readonly string[]> {
  const names: string[] = [];
  for (const repository of await rest.all(`${path}?limit=50&page={page}`, Repository, call)) {
    const { full_name, name, archived, fork, mirror, empty, topics } = repository;
    const listed = { name, topics: topics ?? [], archived: archived === true, fork: fork === true };
    if (!mirror && !empty && isWanted(listed, which)) names.push(full_name);
  }
  return names;
}
