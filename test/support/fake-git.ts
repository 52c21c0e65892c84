import { exec } from '../../src/lib/exec.ts';

/** The git repository of a forge that a test plays. */
export interface FakeGit {
  git(args: readonly string[], options?: GitOptions): Promise<Buffer>;
}

interface GitOptions {
  readonly input?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** @param env of each command */
export function gitIn(cwd: string, env: GitOptions['env'] = {}): FakeGit['git'] {
  return async (args, { input, env: more } = {}) => {
    const { exitCode, stdout, stderr } = await exec('git', args, { cwd, input, env: { ...env, ...more } });
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
}

export async function text({ git }: FakeGit, ...args: string[]): Promise<string> {
  return (await git(args)).toString('utf8').trim();
}

/** The branch's commit. */
export async function headOf(repository: FakeGit, branch: string): Promise<string | undefined> {
  return text(repository, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`).catch(() => undefined);
}
