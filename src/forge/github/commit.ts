import { z } from 'zod';
import { type CommitRequest, type ForgeCall, ForgeError, type Head, type RepositoryFile } from '../forge.ts';
import { statusOf } from '../rest.ts';
import { toFiles } from '../web-answers.ts';
import { Blob, Commit, Sha, Tree } from './answers.ts';
import { refusalsOf } from './graphql.ts';
import type { GithubPlace } from './place.ts';

const NOBODY = '0'.repeat(40);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Files of a commit or tree, folder by folder where the list is too long for one answer. */
export async function filesOf(
  place: GithubPlace,
  tree: string,
  call: ForgeCall,
  folder = '',
): Promise<RepositoryFile[]> {
  const { rest, path } = place;
  const whole = await rest.get(`${path}/git/trees/${tree}?recursive=1`, Tree, call);
  if (!whole.truncated) return toFiles(whole.tree, folder);
  const { tree: entries } = await rest.get(`${path}/git/trees/${tree}`, Tree, call);
  const folders = entries.filter(({ type }) => type === 'tree');
  const below = folders.map(({ sha, path: name }) => filesOf(place, sha, call, `${folder}${name}/`));
  return [...toFiles(entries, folder), ...(await Promise.all(below)).flat()];
}

export async function readBlob({ rest, path }: GithubPlace, blob: string, call?: ForgeCall): Promise<Uint8Array> {
  const { content, encoding } = await rest.get(`${path}/git/blobs/${blob}`, Blob, call);
  return Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8');
}

/**
 * Tree, commit and branch by the API, so that GitHub signs the commit for whom the token is of ("Verified"); the
 * branch is moved by the mutation `updateRefs`, which compares before it sets.
 */
export async function commitByApi(
  place: GithubPlace,
  request: CommitRequest,
  from: string | undefined,
  call: ForgeCall,
): Promise<Head> {
  const { rest, path } = place;
  const { branch, onto, message } = request;
  const tree = await writeTree(place, request, call);
  if (from !== undefined && (await isAlready(place, from, { tree, onto }, call))) return { branch, commit: from };
  const body = { message: message.trimEnd(), tree, parents: [onto] };
  const { sha } = (await rest.send('POST', `${path}/git/commits`, body, Commit, call)).body;
  await moveBranch(place, branch, { from, to: sha }, call);
  return { branch, commit: sha };
}

async function writeTree(place: GithubPlace, { onto, files }: CommitRequest, call: ForgeCall): Promise<string> {
  const { rest, path } = place;
  const modes = new Map((await place.filesOf(onto, call)).map((file) => [file.path, file.mode]));
  const entries = files.map(async (file) => {
    const entry = { path: file.path, mode: modes.get(file.path) ?? '100644', type: 'blob' as const };
    const content = textOf(file.content);
    if (content !== undefined) return { ...entry, content };
    const blob = { content: Buffer.from(file.content).toString('base64'), encoding: 'base64' };
    return { ...entry, sha: (await rest.send('POST', `${path}/git/blobs`, blob, Sha, call)).body.sha };
  });
  const request = { base_tree: onto, tree: await Promise.all(entries) };
  return (await rest.send('POST', `${path}/git/trees`, request, Sha, call)).body.sha;
}

function textOf(content: Uint8Array): string | undefined {
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

async function isAlready(
  { rest, path }: GithubPlace,
  from: string,
  wanted: { readonly tree: string; readonly onto: string },
  call: ForgeCall,
): Promise<boolean> {
  const { tree, parents } = await rest.get(`${path}/git/commits/${from}`, Commit, call);
  return tree.sha === wanted.tree && parents.length === 1 && parents[0]!.sha === wanted.onto;
}

const UPDATE_REFS = `mutation ($repository: ID!, $update: RefUpdate!) {
  updateRefs(input: { repositoryId: $repository, refUpdates: [$update] }) { clientMutationId }
}`;

/** Compare and set; refused when somebody else was there in between. */
async function moveBranch(
  place: GithubPlace,
  branch: string,
  { from, to }: { readonly from: string | undefined; readonly to: string },
  call: ForgeCall,
): Promise<void> {
  const update = { name: `refs/heads/${branch}`, beforeOid: from ?? NOBODY, afterOid: to, force: true };
  const variables = { repository: (await place.facts(call)).node_id, update };
  try {
    await place.graphql.ask(UPDATE_REFS, variables, z.unknown(), call);
  } catch (error) {
    if (refusalsOf(error).length === 0 || (error as ForgeError).code !== 'conflict') throw error;
    const now = await headOf(place, branch, call);
    if (now === to) return;
    if (now !== from)
      throw new ForgeError(`${branch} in ${place.name} was moved by somebody else`, {
        code: 'conflict',
        retryable: true,
      });
    throw new ForgeError(`${place.name} does not take ${branch}: ${(error as Error).message}; see its rulesets`, {
      code: 'unauthorised',
    });
  }
}

const GitRef = z.object({ object: z.object({ sha: z.string() }) });

export async function headOf(
  { rest, path }: GithubPlace,
  branch: string,
  call: ForgeCall,
): Promise<string | undefined> {
  return (await rest.find(`${path}/git/ref/heads/${escaped(branch)}`, GitRef, call))?.object.sha;
}

/** 422 when it is not there (`Reference does not exist`). */
export async function removeBranch({ rest, path }: GithubPlace, branch: string, call?: ForgeCall): Promise<void> {
  const target = `${path}/git/refs/heads/${escaped(branch)}`;
  await rest.send('DELETE', target, undefined, z.unknown(), call).catch((error) => {
    if (statusOf(error) !== 404 && statusOf(error) !== 422) throw error;
  });
}

/** Names of refs keep their slashes in paths. */
function escaped(branch: string): string {
  return branch.split('/').map(encodeURIComponent).join('/');
}
