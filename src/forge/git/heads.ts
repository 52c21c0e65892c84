import type { Http } from '../../lib/http.ts';
import { type ForgeCall, ForgeError, type ForgeRepository, type Head, OUR_BRANCHES } from '../forge.ts';
import { listRefs, type Remote, type RemoteRefs } from './remote.ts';

/** Heads of a repository on a server, in one request of git's own protocol each. @param branch absent: the default one */
export function remoteHeads(
  http: Http,
  remote: Remote,
  name: string,
  branch: string | undefined,
): Pick<ForgeRepository, 'look' | 'head' | 'branch'> {
  const look = async (call: ForgeCall = {}) => {
    const main = branch === undefined ? 'HEAD' : refOf(branch);
    const found = await listRefs(http, remote, [...new Set([main, 'HEAD']), refOf(OUR_BRANCHES)], call);
    const defaultBranch = found.head?.replace(/^refs\/heads\//, '');
    const ours = [...found.refs].filter(([ref]) => ref.startsWith(refOf(OUR_BRANCHES))).map(toHead);
    return { head: headIn(found, name, branch), defaultBranch, ours: new Map(ours.map((head) => [head.branch, head])) };
  };
  return {
    look,
    head: async (call) => (await look(call)).head,
    async branch(wanted, call = {}) {
      const commit = (await listRefs(http, remote, [refOf(wanted)], call)).refs.get(refOf(wanted));
      return commit === undefined ? undefined : { branch: wanted, commit };
    },
  };
}

function headIn(found: RemoteRefs, name: string, branch: string | undefined): Head {
  const ref = branch === undefined ? found.head : refOf(branch);
  // The default branch itself was not asked for, HEAD was
  const isDefault = ref === found.head;
  const commit =
    ref === undefined ? undefined : (found.refs.get(ref) ?? (isDefault ? found.refs.get('HEAD') : undefined));
  if (ref !== undefined && commit !== undefined) return toHead([ref, commit]);
  const why = branch === undefined ? 'has no default branch with a commit' : `has no branch ${branch}`;
  throw new ForgeError(`${name} ${why}; name the right one as "branch" of the downstream`, { code: 'not-found' });
}

function toHead([ref, commit]: readonly [string, string]): Head {
  return { branch: ref.replace(/^refs\/heads\//, ''), commit };
}

function refOf(branch: string): string {
  return `refs/heads/${branch}`;
}

/** What the branch is now. @throws ForgeError `conflict` when it is not what it was when it was looked at */
export async function expectedHead(
  repository: Pick<ForgeRepository, 'branch' | 'name'>,
  { branch, expected }: { readonly branch: string; readonly expected?: { readonly commit?: string | undefined } },
  call: ForgeCall,
): Promise<string | undefined> {
  const from = (await repository.branch(branch, call))?.commit;
  if (expected === undefined || from === expected.commit) return from;
  throw new ForgeError(`${branch} in ${repository.name} was moved by somebody else`, {
    code: 'conflict',
    retryable: true,
  });
}
