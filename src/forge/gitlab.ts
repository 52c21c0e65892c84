import { z } from 'zod';
import { apiOf } from '../domain/forge-address.ts';
import { type Discovery, isWanted, type WebForge } from './discovery.ts';
import type { CommitRequest, ForgeCall, ForgeRepository, Head, RepositoryFile } from './forge.ts';
import type { Identity } from './git/git.ts';
import { expectedHead, remoteHeads } from './git/heads.ts';
import { pushCommit } from './git/push.ts';
import { basic, type Remote } from './git/remote.ts';
import { Blob, Compared, Pipelines, Project, Status, Tree, toChecks, toFiles } from './gitlab/answers.ts';
import { pullMethods } from './gitlab/pulls.ts';
import { type Place, segment } from './place.ts';
import { createRest, type Rest, statusOf, type WebDeps } from './rest.ts';

export interface GitlabOptions extends WebDeps {
  /** Of its front page: `https://gitlab.com`, or that of a server of one's own, below a path as well. */
  readonly url: string;
  /** Of a person, a group, a project, or an OAuth application. */
  readonly token: string;
  /** How people know the token: `GITLAB_TOKEN`. */
  readonly tokenName: string;
  /** Author and committer of commits. */
  readonly identity: Identity;
  /** PEM of certificate authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
}

export const GITLAB_SCOPES = 'api and write_repository';

/** GitLab.com and servers of one's own, by their API v4 and git over HTTP. */
export function createGitlabForge(options: GitlabOptions): WebForge {
  const base = options.url.replace(/\/+$/, '');
  const refusal = createRefusal(options.tokenName);
  // Takes tokens of all kinds, which PRIVATE-TOKEN does not
  const headers = async () => ({ authorization: `Bearer ${options.token}` });
  const rest = createRest({ ...options, base: apiOf('gitlab', base), headers, refusal });
  return {
    repository(name, { branch } = {}) {
      const path = `/projects/${segment(name)}`;
      const authorization = async () => basic('oauth2', options.token);
      const remote: Remote = { url: `${base}/${name}.git`, authorization, refusal };
      return createRepository({ rest, path, name, sleep: options.sleep }, remote, branch, options);
    },
    discover: (which, call = {}) => discover(rest, which, call),
  };
}

/** `insufficient_scope` is what GitLab says itself, with the scopes that would do. */
function createRefusal(tokenName: string) {
  return (status: number, said: string) => {
    if (said.includes('insufficient_scope')) {
      const scope = /scope: ([\w ,]+)/.exec(said)?.[1] ?? GITLAB_SCOPES;
      return `the token of ${tokenName} lacks the scope ${scope}; make one with ${GITLAB_SCOPES}`;
    }
    if (status === 401)
      return `the token of ${tokenName} is not accepted; make one with ${GITLAB_SCOPES}, and see when it ends`;
    return `the token of ${tokenName} may not do this: it needs the role Developer and the scopes ${GITLAB_SCOPES}`;
  };
}

function createRepository(
  place: Place,
  remote: Remote,
  branch: string | undefined,
  options: GitlabOptions,
): ForgeRepository {
  const { rest, path, name } = place;
  const heads = remoteHeads(options.http, remote, name, branch);
  return {
    name,
    // It does some time later, and not on all servers
    closesWithBranch: false,
    ...heads,
    files: (commit, call = {}) => listFiles(place, commit, call),
    async read({ blob }, call) {
      const { content, encoding } = await rest.get(`${path}/repository/blobs/${blob}`, Blob, call);
      return Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
    },
    async isOurs(wanted, base, call) {
      const query = `from=${encodeURIComponent(base)}&to=${encodeURIComponent(wanted)}`;
      const answer = await rest.find(`${path}/repository/compare?${query}`, Compared, call);
      return (answer?.commits ?? []).every((commit) => isBy(commit, options));
    },
    commit: (request, call = {}) => commit({ ...heads, name }, remote, request, options, call),
    async removeBranch(wanted, call) {
      const target = `${path}/repository/branches/${segment(wanted)}`;
      await rest.send('DELETE', target, undefined, z.unknown(), call).catch((error) => {
        if (statusOf(error) !== 404) throw error;
      });
    },
    ...pullMethods(place, heads),
    checks: (of, call = {}) => checksOf(place, of, call),
  };
}

/** All in one answer since `pagination=none` is there; before that, a hundred at a time. */
async function listFiles({ rest, path }: Place, commit: string, call: ForgeCall): Promise<RepositoryFile[]> {
  const tree = `${path}/repository/tree?ref=${commit}&recursive=true`;
  try {
    return toFiles(await rest.get(`${tree}&pagination=none`, Tree, call));
  } catch (error) {
    if (statusOf(error) !== 400) throw error;
    return toFiles(await rest.all(`${tree}&per_page=100&pagination=keyset`, Tree.element, call));
  }
}

function isBy(
  commit: z.infer<typeof Compared>['commits'][number],
  { identity: { name, email } }: GitlabOptions,
): boolean {
  const isAuthor = commit.author_name === name && commit.author_email === email;
  return isAuthor && commit.committer_name === name && commit.committer_email === email;
}

/** Pushed, as the commits API compares nothing before it sets: `force` takes what others pushed meanwhile. */
async function commit(
  repository: Pick<ForgeRepository, 'branch' | 'name'>,
  remote: Remote,
  request: CommitRequest,
  { identity, now, ca }: GitlabOptions,
  call: ForgeCall,
): Promise<Head> {
  const from = await expectedHead(repository, request, call);
  return pushCommit(remote, request, from, { identity, now, ca }, call.signal);
}

/** A pipeline that could not even begin has no jobs, and says so by itself. */
async function checksOf({ rest, path }: Place, of: string, call: ForgeCall) {
  const pages = `${path}/repository/commits/${of}/statuses?per_page=100&page={page}`;
  const statuses = await rest.all(pages, Status, call);
  if (statuses.length > 0) return toChecks(statuses);
  const [newest] = await rest.get(`${path}/pipelines?sha=${of}&order_by=id&sort=desc&per_page=1`, Pipelines, call);
  return toChecks(newest === undefined ? [] : [{ name: `pipeline ${newest.id}`, status: newest.status }]);
}

/** Of a group and all below it, else of a user. */
async function discover(rest: Rest, which: Discovery, call: ForgeCall): Promise<readonly string[]> {
  const owner = segment(which.owner);
  try {
    return await namesOf(rest, `/groups/${owner}/projects?include_subgroups=true&with_shared=false&`, which, call);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    return namesOf(rest, `/users/${owner}/projects?`, which, call);
  }
}

async function namesOf(rest: Rest, path: string, which: Discovery, call: ForgeCall): Promise<string[]> {
  const names: string[] = [];
  const pages = `${path}order_by=id&sort=asc&per_page=100&page={page}`;
  for (const project of await rest.all(pages, Project, call)) {
    const name = project.path_with_namespace.slice(which.owner.length + 1);
    const { topics, archived, forked_from_project: source } = project;
    const listed = { name, topics: topics ?? [], archived: archived === true, fork: Boolean(source) };
    const isEmpty = project.empty_repo === true || project.default_branch === null;
    if (!project.mirror && !isEmpty && !project.marked_for_deletion_on && isWanted(listed, which))
      names.push(project.path_with_namespace);
  }
  return names;
}
