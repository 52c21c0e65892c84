import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FactoryError } from '../domain/errors.ts';
import { exec } from '../lib/exec.ts';

/** Where the definitions of a fleet come from. */
export interface FleetSource {
  /** As people may read it: without user and password. */
  readonly name: string;
  /** Brings it up to date. @returns the folder of ingot.yaml, and the commit when it is in git */
  update(signal?: AbortSignal): Promise<{ readonly root: string; readonly commit?: string }>;
}

const GIT_TIMEOUT_MS = 120_000;

/** @param text `git+https://…#branch`, `git+ssh://…`, `git+file://…`, or a folder */
export function createFleetSource(text: string, options: { root: string; dataDirectory: string }): FleetSource {
  if (!text.startsWith('git+')) return folderSource(resolve(options.root, text));
  const [address = '', branch = 'main'] = text.slice('git+'.length).split('#');
  if (!URL.canParse(address)) {
    throw new FactoryError(`"${text}" is no git repository; write it as in git+https://git.acme.example/fleet#main`, {
      code: 'usage',
    });
  }
  return gitSource(address, branch, join(options.dataDirectory, 'fleet'));
}

function folderSource(root: string): FleetSource {
  return {
    name: root,
    async update() {
      const commit = await headOf(root);
      return { root, ...(commit && { commit }) };
    },
  };
}

function gitSource(address: string, branch: string, folder: string): FleetSource {
  const git = async (args: readonly string[], cwd: string, signal?: AbortSignal) => {
    const env = { GIT_TERMINAL_PROMPT: '0' };
    const { exitCode, stderr } = await exec('git', args, { cwd, env, timeout: GIT_TIMEOUT_MS, signal });
    if (exitCode !== 0) throw gitFailed(address, branch, stderr);
  };
  return {
    name: `git+${withoutUser(address)}#${branch}`,
    async update(signal) {
      if ((await stat(join(folder, '.git')).catch(() => undefined)) === undefined) {
        await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
        await git(['init', '--quiet', folder], dirname(folder), signal);
      }
      // Whole history of the branch: the last commit that touched an image is said in its labels
      await git(['fetch', '--quiet', '--no-tags', address, `refs/heads/${branch}`], folder, signal);
      await git(['reset', '--quiet', '--hard', 'FETCH_HEAD'], folder, signal);
      await git(['clean', '--quiet', '-ffdx'], folder, signal);
      const commit = await headOf(folder);
      return { root: folder, ...(commit && { commit }) };
    },
  };
}

export async function headOf(root: string): Promise<string | undefined> {
  const result = await exec('git', ['rev-parse', 'HEAD'], { cwd: root, timeout: 10_000 }).catch(() => undefined);
  return result?.exitCode === 0 ? result.stdout.toString('utf8').trim() : undefined;
}

function withoutUser(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

function gitFailed(address: string, branch: string, stderr: string): FactoryError<'unavailable'> {
  const why = stderr.trim().split('\n').at(-1)?.replaceAll(address, withoutUser(address)) ?? 'git failed';
  return new FactoryError(`branch ${branch} of ${withoutUser(address)} cannot be fetched: ${why}`, {
    code: 'unavailable',
    retryable: true,
  });
}
