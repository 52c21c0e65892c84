import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** A real bare repository with `main`, and a person who works on it; of a remote one, `path` is a mirror. */
export interface TestRepository {
  readonly path: string;
  /** Runs git in the bare repository, for reading; standard output without the last newline. */
  git(...args: string[]): Promise<string>;
  /** A commit by a person on a branch (made from `from` when new); `undefined` removes a file, `#!` makes it executable. */
  push(
    branch: string,
    files: Readonly<Record<string, string | Uint8Array | undefined>>,
    from?: string,
  ): Promise<string>;
  /** Writes a commit object as it is; its id. */
  writeCommit(content: string): Promise<string>;
  /** Moves a branch, or makes it. */
  move(branch: string, to: string): Promise<void>;
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

type Files = Readonly<Record<string, string | Uint8Array | undefined>>;
type Run = (cwd: string, args: readonly string[], input?: string) => Promise<string>;

const run: Run = async (cwd, args, input) => {
  const { exitCode, stdout, stderr } = await exec('git', args, { cwd, env: PERSON, input });
  if (exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout.toString('utf8').replace(/\n$/, '');
};

const README = { 'README.md': 'hello\n' };

export async function createTestRepository(files: Files = README): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-git-'));
  const path = join(root, 'shop.git');
  await run(root, ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  return personWith({ root, path, remote: path, look: async () => undefined }, files);
}

/** An empty repository on a server. @param remote with user and password, where they are needed */
export async function createRemoteRepository(remote: string, files: Files = README): Promise<TestRepository> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-git-'));
  const path = join(root, 'shop.git');
  await run(root, ['init', '--quiet', '--bare', '--initial-branch=main', path]);
  const fetch = ['fetch', '--quiet', '--prune', '--force', remote, '+refs/heads/*:refs/heads/*'];
  return personWith({ root, path, remote, look: async () => void (await run(path, fetch)) }, files);
}

interface Place {
  readonly root: string;
  readonly path: string;
  readonly remote: string;
  /** Brings `path` up to date. */
  readonly look: () => Promise<void>;
}

async function personWith({ root, path, remote, look }: Place, files: Files): Promise<TestRepository> {
  const work = join(root, 'work');
  await run(root, ['clone', '--quiet', remote, work]);
  const repository: TestRepository = {
    path,
    async git(...args) {
      await look();
      return run(path, args);
    },
    async push(branch, changes, from = 'main') {
      await run(work, ['fetch', '--quiet', '--prune', 'origin']);
      const known = (await run(work, ['for-each-ref', '--format=%(refname:lstrip=3)', 'refs/remotes/origin'])).split(
        '\n',
      );
      const start = known.includes(branch) ? branch : known.includes(from) ? from : undefined;
      if (start === undefined) await run(work, ['checkout', '--quiet', '--orphan', branch]);
      else await run(work, ['checkout', '--quiet', '--force', '-B', branch, `origin/${start}`]);
      await writeFiles(work, changes);
      await run(work, ['add', '--all', '.']);
      await run(work, ['commit', '--quiet', '--allow-empty', '-m', 'work of a person']);
      await run(work, ['push', '--quiet', '--force', 'origin', `HEAD:${branch}`]);
      return run(work, ['rev-parse', 'HEAD']);
    },
    writeCommit: (content) => run(path, ['hash-object', '-w', '-t', 'commit', '--stdin'], content),
    async move(branch, to) {
      await look();
      await run(path, ['push', '--quiet', '--force', remote, `${to}^{commit}:refs/heads/${branch}`]);
    },
    async show(branch, file) {
      await look();
      return run(path, ['show', `${branch}:${file}`]);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
  await repository.push('main', files);
  return repository;
}

async function writeFiles(work: string, changes: Files): Promise<void> {
  for (const [name, content] of Object.entries(changes)) {
    await mkdir(dirname(join(work, name)), { recursive: true });
    if (content === undefined) await rm(join(work, name));
    else await writeFile(join(work, name), content);
    if (content?.toString().startsWith('#!')) await chmod(join(work, name), 0o755);
  }
}
