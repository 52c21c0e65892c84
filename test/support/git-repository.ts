import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** A real bare repository with `main`, and a person who works on it. */
export interface TestRepository {
  readonly path: string;
  /** Runs git in the bare repository; standard output without the last newline. */
  git(...args: string[]): Promise<string>;
  /** A commit by a person on a branch (made from `from` when new); `undefined` removes a file, `#!` makes it executable. */
  push(
    branch: string,
    files: Readonly<Record<string, string | Uint8Array | undefined>>,
    from?: string,
  ): Promise<string>;
  /** Writes a commit object as it is; its id. */
  writeCommit(content: string): Promise<string>;
  /** A file at a branch. */
  show(branch: string, path: string): Promise<string>;
  remove(): Promise<void>;
}

const PERSON = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ana',
  GIT_AUTHOR_EMAIL: 'ana@example.org',
  GIT_COMMITTER_NAME: 'Ana',
  GIT_COMMITTER_EMAIL: 'ana@example.org',
};

export async function createTestRepository(
  files: Readonly<Record<string, string | Uint8Array>> = { 'README.md': 'hello\n' },
): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-git-'));
  const path = join(root, 'shop.git');
  const work = join(root, 'work');
  const run = async (cwd: string, args: readonly string[]) => {
    const { exitCode, stdout, stderr } = await exec('git', args, { cwd, env: PERSON });
    if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
    return stdout.toString('utf8').replace(/\n$/, '');
  };
  await run(root, ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  await run(root, ['clone', '--quiet', path, work]);
  const repository: TestRepository = {
    path,
    git: (...args) => run(path, args),
    async push(branch, changes, from = 'main') {
      await run(work, ['fetch', '--quiet', '--prune', 'origin']);
      const known = (await repository.git('for-each-ref', '--format=%(refname:short)', 'refs/heads')).split('\n');
      const start = known.includes(branch) ? branch : known.includes(from) ? from : undefined;
      if (start === undefined) await run(work, ['checkout', '--quiet', '--orphan', branch]);
      else await run(work, ['checkout', '--quiet', '--force', '-B', branch, `origin/${start}`]);
      for (const [name, content] of Object.entries(changes)) {
        await mkdir(dirname(join(work, name)), { recursive: true });
        if (content === undefined) await rm(join(work, name));
        else await writeFile(join(work, name), content);
        if (content?.toString().startsWith('#!')) await chmod(join(work, name), 0o755);
      }
      await run(work, ['add', '--all', '.']);
      await run(work, ['commit', '--quiet', '--allow-empty', '-m', 'work of a person']);
      await run(work, ['push', '--quiet', '--force', 'origin', `HEAD:${branch}`]);
      return run(work, ['rev-parse', 'HEAD']);
    },
    async writeCommit(content) {
      const args = ['hash-object', '-w', '-t', 'commit', '--stdin'];
      const { stdout } = await exec('git', args, { cwd: path, env: PERSON, input: content });
      return stdout.toString('utf8').trim();
    },
    show: (branch, file) => run(path, ['show', `${branch}:${file}`]),
    remove: () => rm(root, { recursive: true, force: true }),
  };
  await repository.push('main', files);
  return repository;
}
