import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { isLoopbackHost } from '../../lib/http.ts';
import { createRedactor } from '../../lib/redact.ts';
import { type CommitRequest, ForgeError, type Head } from '../forge.ts';
import { createGit, type Git, type GitDeps, initBare } from './git.ts';
import { writeCommit, writeTree } from './objects.ts';
import type { Remote } from './remote.ts';

export interface PushDeps extends GitDeps {
  /** PEM of certificate authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
}

/**
 * Replaces a branch on a server by one commit, compare and swap: what no forge's API does in one call. Only the trees
 * of the base and the files that change are fetched, into a folder that goes again.
 * @param from what the branch is now; `undefined`: absent
 */
export async function pushCommit(
  remote: Remote,
  request: CommitRequest,
  from: string | undefined,
  deps: PushDeps,
  signal: AbortSignal | undefined,
): Promise<Head> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-push-'));
  const authorization = await remote.authorization();
  try {
    await initBare(folder, deps, request.onto.length === 64 ? 'sha256' : 'sha1');
    const settings = settingsEnvironment(remote, authorization, await trustedFile(folder, deps.ca));
    const git = withEnvironment(createGit(folder, deps), settings);
    return await pushFrom(git, { remote, request, from, signal });
  } catch (error) {
    throw error instanceof ForgeError ? withoutSecret(error, remote, authorization) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Push {
  readonly remote: Remote;
  readonly request: CommitRequest;
  readonly from: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function pushFrom(git: Git, { remote, request, from, signal }: Push): Promise<Head> {
  const { branch, onto, message, files } = request;
  const wanted = [...new Set([onto, ...(from === undefined ? [] : [from])])];
  await git.run(['fetch', '--quiet', '--depth=1', '--no-tags', '--no-write-fetch-head', 'origin', ...wanted], {
    signal,
  });
  const tree = await writeTree(git, onto, files, signal);
  if (from !== undefined && (await isAlready(git, from, { tree, onto }, signal))) return { branch, commit: from };
  const commit = await writeCommit(git, { tree, parents: [onto], message: `${message.trimEnd()}\n` }, signal);
  const lease = `--force-with-lease=refs/heads/${branch}:${from ?? ''}`;
  const args = ['push', '--porcelain', '--quiet', lease, 'origin', `${commit}:refs/heads/${branch}`];
  const { exitCode, stdout, stderr } = await git.run(args, { allow: [0, 1, 128], signal });
  if (exitCode === 0) return { branch, commit };
  throw pushError(remote, branch, `${stdout.toString('utf8')}\n${stderr}`);
}

/** Read raw: where history was cut off, git shows no parents. */
async function isAlready(git: Git, from: string, wanted: { tree: string; onto: string }, signal?: AbortSignal) {
  const header = (await git.text(['cat-file', 'commit', from], { signal })).split('\n\n', 1)[0]!.split('\n');
  const tree = header.find((line) => line.startsWith('tree '));
  const parents = header.filter((line) => line.startsWith('parent '));
  return tree === `tree ${wanted.tree}` && parents.length === 1 && parents[0] === `parent ${wanted.onto}`;
}

function pushError({ url, refusal }: Remote, branch: string, output: string): ForgeError {
  const rejected = /^!\t\S+\t(.+)$/m.exec(output)?.[1] ?? '';
  if (/stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref/.test(rejected))
    return new ForgeError(`${branch} in ${url} was moved by somebody else`, { code: 'conflict', retryable: true });
  const said = /^(?:remote|fatal|error): .+$/gm;
  // git itself says "pre-receive hook declined" alone
  const ruled = /^remote: GitLab: (.+)$/m.exec(output)?.[1]?.trim();
  const why = ruled || rejected || (output.match(said) ?? []).join('; ').slice(0, 300) || 'no reason given';
  if (rejected || ruled)
    return new ForgeError(`${url} does not take ${branch}: ${why}; see its branch protection`, {
      code: 'unauthorised',
    });
  if (/Authentication failed|returned error: 40[13]/.test(output))
    return new ForgeError(`${url}: ${why}; ${refusal(403, why)}`, { code: 'unauthorised' });
  return new ForgeError(`${branch} could not be pushed to ${url}: ${why}`, { code: 'unavailable', retryable: true });
}

/** Settings by environment: an argument is there for all to see, and a file stays. */
function settingsEnvironment({ url }: Remote, authorization: string, trusted: string | undefined) {
  const settings: Record<string, string> = {
    'http.extraHeader': `Authorization: ${authorization}`,
    'http.followRedirects': 'false',
    'credential.helper': '',
    'protocol.version': '2',
    'remote.origin.url': url,
    'remote.origin.promisor': 'true',
    'remote.origin.partialclonefilter': 'blob:none',
    ...(isLoopbackHost(new URL(url).hostname) && { 'http.proxy': '' }),
    ...(trusted !== undefined && { 'http.sslCAInfo': trusted }),
  };
  const entries = Object.entries(settings);
  return {
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(entries.map(([key], index) => [`GIT_CONFIG_KEY_${index}`, key])),
    ...Object.fromEntries(entries.map(([, value], index) => [`GIT_CONFIG_VALUE_${index}`, value])),
  };
}

/** git takes one file in place of its own list. */
async function trustedFile(folder: string, ca: string | undefined): Promise<string | undefined> {
  if (ca === undefined) return undefined;
  const file = join(folder, 'trusted.pem');
  await writeFile(file, [...getCACertificates('default'), ca].join('\n'));
  return file;
}

function withEnvironment(git: Git, settings: Readonly<Record<string, string>>): Git {
  const own: Git = {
    path: git.path,
    run: (args, options = {}) => git.run(args, { ...options, env: { ...settings, ...options.env } }),
    async text(args, options) {
      return (await own.run(args, options)).stdout.toString('utf8').replace(/\n$/, '');
    },
  };
  return own;
}

/** Names the server, not our folder; a token is in no message, whatever a server may say back. */
function withoutSecret(error: ForgeError, { url }: Remote, authorization: string): ForgeError {
  const [, value = ''] = authorization.split(' ');
  const token = Buffer.from(value, 'base64').toString('utf8').split(':').at(-1)!;
  const redact = createRedactor([value, token]);
  const message = redact(error.message).replace(/in \S*ingot-push-\S+/, `with ${url}`);
  const { code, retryable, details } = error;
  return new ForgeError(message, { code, retryable, details });
}
