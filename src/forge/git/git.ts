import { dirname, resolve } from 'node:path';
import { ExecError, type ExecResult, exec } from '../../lib/exec.ts';
import { ForgeError } from '../forge.ts';

export interface Identity {
  readonly name: string;
  readonly email: string;
}

export interface GitOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit codes that are answers. Default: 0 alone. */
  readonly allow?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** Git plumbing on one repository, the same on every machine: no configuration but the repository's, no hooks. */
export interface Git {
  readonly path: string;
  run(args: readonly string[], options?: GitOptions): Promise<ExecResult>;
  /** Standard output without the newline at its end. */
  text(args: readonly string[], options?: GitOptions): Promise<string>;
}

export interface GitDeps {
  /** The program; default `git` on PATH. */
  readonly program?: string;
  readonly identity: Identity;
  readonly now: () => Date;
}

/** @param path a bare repository, or a plain one with a work tree */
export function createGit(path: string, deps: GitDeps): Git {
  const { program = 'git' } = deps;
  let found: Promise<string> | undefined;
  const directory = () => {
    found ??= findDirectory(path, program).catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  const git: Git = {
    path,
    async run(args, { input, env, allow = [0], signal } = {}) {
      const own = { GIT_DIR: await directory(), ...identityEnvironment(deps), ...env };
      const result = await runGit(program, [...SETTINGS, ...args], { input, env: own, signal });
      if (allow.includes(result.exitCode)) return result;
      throw new ForgeError(`git ${args[0]} failed in ${path}: ${reasonOf(result)}`, { code: 'protocol' });
    },
    async text(args, options) {
      const { stdout } = await git.run(args, options);
      return stdout.toString('utf8').replace(/\n$/, '');
    },
  };
  return git;
}

/** An empty bare repository at a folder. */
export async function initBare(
  path: string,
  { program = 'git' }: Pick<GitDeps, 'program'>,
  format: 'sha1' | 'sha256',
): Promise<void> {
  const args = ['init', '--quiet', '--bare', `--object-format=${format}`, '--template=', path];
  const result = await runGit(program, args, { env: { GIT_DIR: undefined } });
  if (result.exitCode !== 0) throw new ForgeError(`git init failed: ${reasonOf(result)}`, { code: 'unavailable' });
}

/** Hooks and clean-up are the owner's business, not ours. */
const SETTINGS = ['-c', 'core.hooksPath=/dev/null', '-c', 'gc.auto=0', '-c', 'maintenance.auto=false'];

/** What would lead git elsewhere (set in hooks, for one) is taken out. */
const HERMETIC = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_COUNT: undefined,
  GIT_CONFIG_PARAMETERS: undefined,
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_WORK_TREE: undefined,
  GIT_INDEX_FILE: undefined,
  GIT_OBJECT_DIRECTORY: undefined,
  GIT_ALTERNATE_OBJECT_DIRECTORIES: undefined,
  GIT_COMMON_DIR: undefined,
  GIT_NAMESPACE: undefined,
  LC_ALL: 'C',
} as const;

async function runGit(
  program: string,
  args: readonly string[],
  options: Pick<GitOptions, 'input' | 'signal'> & { env: Readonly<Record<string, string | undefined>> },
): Promise<ExecResult> {
  try {
    return await exec(program, args, { ...options, env: { ...HERMETIC, ...options.env }, timeout: 120_000 });
  } catch (error) {
    throw error instanceof ExecError ? toForgeError(error) : error;
  }
}

/** Only the path itself counts: git would go on to look in the folders above. */
async function findDirectory(path: string, program: string): Promise<string> {
  const absolute = resolve(path);
  const env = { GIT_DIR: undefined, GIT_CEILING_DIRECTORIES: dirname(absolute) };
  const result = await runGit(program, ['-C', absolute, 'rev-parse', '--absolute-git-dir'], { env });
  if (result.exitCode === 0) return result.stdout.toString('utf8').trim();
  throw new ForgeError(`${path} is no git repository that can be used: ${reasonOf(result)}`, { code: 'not-found' });
}

function identityEnvironment({ identity, now }: GitDeps): Record<string, string> {
  const date = `@${Math.floor(now().getTime() / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: identity.name,
    GIT_AUTHOR_EMAIL: identity.email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
    GIT_COMMITTER_DATE: date,
  };
}

function reasonOf({ stderr, exitCode }: ExecResult): string {
  const line = stderr.split('\n').find((each) => /^(?:fatal|error): /.test(each));
  return line?.replace(/^(?:fatal|error): /, '').slice(0, 500) ?? `exit code ${exitCode}`;
}

function toForgeError(error: ExecError): ForgeError {
  const { message, retryable, code } = error;
  const codes = { cancelled: 'cancelled', 'timed-out': 'timed-out', 'not-found': 'configuration' } as const;
  const mapped = code in codes ? codes[code as keyof typeof codes] : 'unavailable';
  return new ForgeError(message, { code: mapped, retryable, cause: error });
}
