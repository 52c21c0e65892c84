import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { Downstream, WebDownstream } from '../domain/fleet/settings-downstreams.ts';
import { GITHUB_LIMITS } from '../domain/pace.ts';
import { withCache } from '../forge/cached.ts';
import type { WebForge } from '../forge/discovery.ts';
import { ForgeError, type ForgeRepository } from '../forge/forge.ts';
import { createGiteaForge } from '../forge/gitea.ts';
import { createGithubForge } from '../forge/github.ts';
import { createGitlabForge } from '../forge/gitlab.ts';
import { createLocalForge, LOCAL_IDENTITY } from '../forge/local.ts';
import { type WriteCosts, withTurns } from '../forge/paced.ts';
import { type PullOptions, withPullOptions } from '../forge/pull-options.ts';
import { unreachable } from '../forge/unreachable.ts';
import { type Budget, identityOf } from '../lib/budget.ts';
import { createFileStore } from '../lib/file-store.ts';
import type { Http } from '../lib/http.ts';
import { createPacer, createWriteTimes, type Pacer, type Writer } from '../lib/pacer.ts';

/** Repositories whose pins are moved. */
export interface Downstreams {
  /**
   * Those of ingot.yaml in their order, each once. An owner's are looked up each time; one that cannot be asked is
   * there as a repository that answers nothing but why.
   */
  list(signal?: AbortSignal): Promise<readonly ForgeRepository[]>;
  /** The channel that a repository follows; `undefined`: the line. */
  follows(repository: ForgeRepository): string | undefined;
}

const CACHE_BYTES = 512 * 1024 * 1024;
const now = () => new Date();
const sleep = async (ms: number, signal?: AbortSignal) => void (await setTimeout(ms, undefined, { signal }));
/** A minute's worth of writes is waited for, and an hour's is not. */
export const WAITING = { maxWaitMs: 90_000, now: Date.now, sleep };

/** What forges allow, as all processes know it; absent: as this process alone does. */
interface ForgeLimits {
  /** Of requests that write. */
  readonly pacer?: Pacer | undefined;
  /** Of all requests. */
  readonly budget?: Budget | undefined;
}

export function createDownstreams(
  config: Config,
  settings: Settings,
  http: Http,
  limits: ForgeLimits = {},
): Downstreams {
  const { pacer = createPacer({ ...WAITING, times: createWriteTimes() }) } = limits;
  const local = createLocalForge({ now });
  const store = createFileStore({ directory: join(config.dataDirectory, 'forges'), maxBytes: CACHE_BYTES });
  const known = new Map<string, ForgeRepository>();
  const forges = new Map(settings.downstreams.map((each) => [each, forgeOf(each, config, http, { ...limits, pacer })]));
  const named = namedOnes(settings.downstreams);
  const channels = new WeakMap<ForgeRepository, string | undefined>();
  const remember = (key: string, of: Downstream, make: () => ForgeRepository) => {
    const repository = known.get(key) ?? withPullOptions(make(), optionsOf(of));
    known.set(key, repository);
    channels.set(repository, of.channel);
    return repository;
  };
  const listOne = async (of: Downstream, signal: AbortSignal | undefined): Promise<ForgeRepository[]> => {
    const branches = [...new Set(of.branches ?? [of.branch])];
    if (of.forge === 'local') {
      const path = resolve(config.root, of.path);
      return branches.map((branch) => remember(`${path} ${branch}`, of, () => local.repository(path, { branch })));
    }
    const forge = forges.get(of)!;
    const found = forge instanceof FactoryError ? forge : await namesOf(of, forge, signal);
    if (forge instanceof FactoryError || found instanceof FactoryError)
      return [unreachable(nameOf(of), found as FactoryError)];
    const ours = found.filter((name) => of.repository !== undefined || !named.has(keyOf(of.url, name)));
    const make = (name: string, branch: string | undefined) => {
      const repository = withCache(forge.repository(name, { branch }), of.url, store);
      const writer = writerOf(of, name);
      return writer === undefined ? repository : withTurns(repository, pacer, writer, costsOf(of));
    };
    const both = ours.flatMap((name) => branches.map((branch) => ({ name, branch })));
    return both.map(({ name, branch }) => remember(`${keyOf(of.url, name)} ${branch}`, of, () => make(name, branch)));
  };
  return {
    async list(signal) {
      const lists = await Promise.all(settings.downstreams.map((each) => listOne(each, signal)));
      return [...new Set(lists.flat())];
    },
    follows: (repository) => channels.get(repository),
  };
}

/** What is said of one repository counts more than what is said of all. */
function namedOnes(downstreams: readonly Downstream[]): ReadonlySet<string> {
  const web = downstreams.filter((each) => each.forge !== 'local');
  return new Set(web.flatMap(({ url, repository }) => (repository === undefined ? [] : [keyOf(url, repository)])));
}

/** Forges compare names without regard to case. */
function keyOf(url: string, name: string): string {
  return `${url.replace(/\/+$/, '')}/${name}`.toLowerCase();
}

function nameOf({ owner, repository, url }: WebDownstream): string {
  return repository ?? `${owner} at ${new URL(url).host}`;
}

function optionsOf(of: Downstream): PullOptions {
  const { declineFor, stuckAfter, signoff, reviewers, ...options } = of.pulls ?? {};
  const author = of.forge === 'local' ? undefined : of.author;
  // Gitea and Forgejo ask them by themselves, by another form of the file
  const codeOwnersReview = reviewers === 'codeowners' && of.forge === 'github';
  const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);
  return {
    ...options,
    ...(reviewers !== 'codeowners' && { reviewers }),
    rules: { declineFor: ms(declineFor), stuckAfter: ms(stuckAfter), codeOwnersReview },
    ...(signoff && { signsOff: author ?? LOCAL_IDENTITY }),
  };
}

/** A token, or what an app is in the place of one owner. */
function accountOf({ token, app }: Pick<WebDownstream, 'token' | 'app'>, repository: string): string {
  return token?.env ?? `app ${app!.id} ${repository.split('/')[0]!.toLowerCase()}`;
}

/** Who writes to a repository: absent where nobody minds how fast. An app has limits of each owner that installed it. */
function writerOf({ forge, url, token, app, limits }: WebDownstream, repository: string): Writer | undefined {
  const { apart, ...amounts } = limits ?? {};
  const preset = forge === 'github' ? GITHUB_LIMITS : undefined;
  if (preset === undefined && limits === undefined) return undefined;
  const identity = accountOf({ token, app }, repository);
  const own = apart === undefined ? {} : { apartMs: apart * 1000 };
  return { host: new URL(url).host, identity, limits: { ...preset, ...amounts, ...own } };
}

/** A commit is made of tree, commit and branch where GitHub signs it, else it is one push. */
function costsOf({ forge, author, pulls = {} }: WebDownstream): WriteCosts {
  const wishes = [pulls.labels?.length, pulls.reviewers?.length, pulls.assignees?.length, pulls.autoMerge];
  const commit = forge === 'github' && author === undefined ? 3 : 1;
  return { commit, open: 1 + wishes.filter(Boolean).length, update: 1, comment: 1, remove: 1 };
}

function forgeOf(
  of: Downstream,
  config: Config,
  http: Http,
  { pacer, budget }: ForgeLimits & { readonly pacer: Pacer },
): WebForge | FactoryError | undefined {
  if (of.forge === 'local') return undefined;
  const { url, author, app } = of;
  const tokenName = (of.token ?? app?.key)!.env;
  const token = config.secret(tokenName);
  if (!token) {
    const remedy = `put ${app ? 'the private key of the app' : 'a token'} for ${new URL(url).host} into ${tokenName}`;
    return new ForgeError(`the variable ${tokenName} is empty; ${remedy}`, { code: 'configuration' });
  }
  const writer = writerOf(of, of.owner ?? of.repository!);
  const apart = writer && ((signal?: AbortSignal) => pacer.apart(writer, signal));
  const spender = identityOf(accountOf(of, of.owner ?? of.repository!));
  const common = { url, tokenName, http, sleep, now, ca: config.ca, apart, budget, spender };
  const identity = author ?? LOCAL_IDENTITY;
  if (of.forge === 'gitlab') return createGitlabForge({ ...common, token, identity });
  if (of.forge !== 'github') return createGiteaForge({ ...common, token, identity });
  const owner = of.owner ?? of.repository!.split('/')[0]!;
  const credential = app ? { app: app.id, privateKey: token, owner } : { token };
  return createGithubForge({ ...common, credential, identity: author });
}

async function namesOf(of: WebDownstream, forge: WebForge, signal: AbortSignal | undefined) {
  if (of.repository !== undefined) return [of.repository];
  try {
    return await forge.discover({ ...of, owner: of.owner! }, { signal });
  } catch (error) {
    if (!(error instanceof ForgeError) || signal?.aborted) throw error;
    return error;
  }
}
