import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createGiteaForge } from '../../src/forge/gitea.ts';
import { createGithubForge } from '../../src/forge/github.ts';
import { createGitlabForge } from '../../src/forge/gitlab.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';
import { startGitea } from '../support/gitea.ts';
import type { FakeRepository } from '../support/github/repository.ts';
import { GITHUB_TOKEN, startGithub } from '../support/github.ts';
import { type FakeProject, setStatus } from '../support/gitlab/project.ts';
import { GITLAB_TOKEN, startGitlab } from '../support/gitlab.ts';

const branch = 'ingot/image/debian';
const bytes = (text: string) => Buffer.from(text);
type Files = Readonly<Record<string, string>>;

/** A forge with a person beside it. */
interface Scene {
  open(files: Files, now: () => Date): Promise<{ person: TestRepository; forge: ForgeRepository }>;
  /** Says of a commit that a check ended so; absent where nobody can. */
  check?(person: TestRepository, commit: string, name: string, state: 'success' | 'failure' | 'pending'): Promise<void>;
  /** People whom a review can be asked of. */
  readonly people: readonly string[];
  /** Lists of files say nothing of sizes. */
  readonly sizeless?: boolean;
  stop(): Promise<void>;
}

const FORGES: readonly { name: string; start: () => Promise<Scene> }[] = [
  { name: 'local', start: async () => localScene },
  { name: 'gitea', start: giteaScene },
  { name: 'github, by its descriptions', start: githubScene },
  { name: 'gitlab, by published types', start: gitlabScene },
];

const localScene: Scene = {
  async open(files, now) {
    const person = await createTestRepository(files);
    return { person, forge: createLocalForge({ now }).repository(person.path) };
  },
  people: [],
  stop: async () => undefined,
};

async function giteaScene(): Promise<Scene> {
  const gitea = await startGitea();
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  const identity = { name: 'ingot', email: 'ingot@localhost' };
  const names = new Map<TestRepository, string>();
  let count = 0;
  return {
    async open(files, now) {
      const name = `shop${++count}`;
      const person = await gitea.repository(name, files);
      names.set(person, name);
      const sleep = (ms: number) => setTimeout(ms);
      const { url, token } = gitea;
      const forge = createGiteaForge({ url, token, tokenName: 'GITEA_TOKEN', http, sleep, now, identity });
      return { person, forge: forge.repository(`acme/${name}`) };
    },
    async check(person, commit, context, state) {
      await gitea.api('POST', `/repos/acme/${names.get(person)}/statuses/${commit}`, { context, state });
    },
    people: ['ana'],
    async stop() {
      await http.close();
      await gitea.stop();
    },
  };
}

async function githubScene(): Promise<Scene> {
  const github = await startGithub();
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  const repositories = new Map<TestRepository, FakeRepository>();
  const credential = { token: GITHUB_TOKEN };
  return {
    async open(files, now) {
      const name = `acme/shop${repositories.size}`;
      const repository = await github.repository(name, files);
      repositories.set(repository.person, repository);
      const sleep = (ms: number) => setTimeout(ms);
      const forge = createGithubForge({ url: github.url, credential, tokenName: 'GITHUB_TOKEN', http, sleep, now });
      return { person: repository.person, forge: forge.repository(name) };
    },
    async check(person, commit, context, state) {
      const { statuses } = repositories.get(person)!;
      const others = (statuses.get(commit) ?? []).filter((each) => each.context !== context);
      statuses.set(commit, [...others, { context, state }]);
    },
    people: ['ana'],
    async stop() {
      await http.close();
      await github.stop();
      expect(github.mistakes).toEqual([]);
    },
  };
}

async function gitlabScene(): Promise<Scene> {
  const gitlab = await startGitlab();
  const http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  const identity = { name: 'ingot', email: 'ingot@localhost' };
  const projects = new Map<TestRepository, FakeProject>();
  const ended = { success: 'success', failure: 'failed', pending: 'pending' } as const;
  return {
    async open(files, now) {
      const name = `acme/web/shop${projects.size}`;
      const project = await gitlab.project(name, files);
      projects.set(project.person, project);
      const sleep = (ms: number) => setTimeout(ms);
      const [url, token, tokenName] = [gitlab.url, GITLAB_TOKEN, 'GITLAB_TOKEN'];
      const forge = createGitlabForge({ url, token, tokenName, http, sleep, now, identity });
      return { person: project.person, forge: forge.repository(name) };
    },
    check: (person, commit, name, state) => setStatus(projects.get(person)!, commit, name, ended[state]),
    people: ['ana'],
    sizeless: true,
    async stop() {
      await http.close();
      await gitlab.stop();
      expect(gitlab.mistakes).toEqual([]);
    },
  };
}

/** Every forge passes these. The person's side is git. */
describe.each(FORGES)('$name', ({ start }) => {
  let scene: Scene;
  let person: TestRepository;
  let forge: ForgeRepository;
  let time: Date;

  beforeAll(async () => {
    scene = await start();
  });

  afterAll(() => scene.stop());

  beforeEach(async () => {
    time = new Date('2026-08-22T02:00:00Z');
    ({ person, forge } = await scene.open({ Dockerfile: 'FROM a:1\n', 'run.sh': '#!/bin/sh\n' }, () => time));
  });

  afterEach(() => person.remove());

  async function propose(content = 'FROM a:2\n') {
    const { commit: onto, branch: base } = await forge.head();
    await forge.commit({ branch, onto, message: 'Bump a', files: [{ path: 'Dockerfile', content: bytes(content) }] });
    return forge.openPull({ branch, base, title: 'Bump a', body: 'Because.\n' });
  }

  test('the head is that of the default branch', async () => {
    expect(await forge.head()).toEqual({ branch: 'main', commit: await person.git('rev-parse', 'main') });
  });

  test('a look gives the head and the branches of ingot alone', async () => {
    await propose();
    await person.push('other', { a: 'b' });

    expect(await forge.look()).toEqual({
      head: await forge.head(),
      defaultBranch: 'main',
      ours: new Map([[branch, await forge.branch(branch)]]),
    });
  });

  test('files are listed with mode and size and read byte by byte', async () => {
    const strange = 'söme dir/a\tb "c"';
    await person.push('main', { [strange]: Buffer.from([0, 255, 13, 10]), 'deep/er/x': '' });
    const files = await forge.files((await forge.head()).commit);

    expect(files.map(({ path, mode }) => [path, mode])).toEqual([
      ['Dockerfile', '100644'],
      ['deep/er/x', '100644'],
      ['run.sh', '100755'],
      [strange, '100644'],
    ]);
    const none = [undefined, undefined, undefined, undefined];
    expect(files.map(({ size }) => size)).toEqual(scene.sizeless ? none : [9, 0, 10, 4]);
    expect(Buffer.from(await forge.read(files[3]!))).toEqual(Buffer.from([0, 255, 13, 10]));
  });

  test('a branch that is not there is undefined', async () => {
    expect(await forge.branch(branch)).toBeUndefined();
  });

  test('a commit makes the branch with one commit on top, and nothing else changes', async () => {
    const { commit: onto } = await forge.head();
    const head = await forge.commit({
      branch,
      onto,
      message: 'Bump',
      files: [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }],
    });

    expect(await forge.branch(branch)).toEqual(head);
    expect(await person.git('rev-parse', `${branch}^`)).toBe(onto);
    expect(await person.git('diff', '--name-only', 'main', branch)).toBe('Dockerfile');
    expect(await person.show(branch, 'Dockerfile')).toBe('FROM a:2');
    expect(await person.git('log', '-1', '--format=%s', branch)).toBe('Bump');
  });

  test('the mode of a file is kept', async () => {
    const { commit: onto } = await forge.head();
    await forge.commit({ branch, onto, message: 'x', files: [{ path: 'run.sh', content: bytes('#!/bin/bash\n') }] });

    expect(await person.git('ls-tree', '--format=%(objectmode)', branch, 'run.sh')).toBe('100755');
  });

  test('the same commit again changes nothing, at any time', async () => {
    const { commit: onto } = await forge.head();
    const request = { branch, onto, message: 'Bump', files: [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }] };
    const first = await forge.commit(request);
    time = new Date('2026-08-23T02:00:00Z');

    expect(await forge.commit(request)).toEqual(first);
  });

  test('another commit replaces the branch: still one on top of the base', async () => {
    await propose();
    const onto = await person.push('main', { other: 'x' });
    await forge.commit({
      branch,
      onto,
      message: 'Bump',
      files: [{ path: 'Dockerfile', content: bytes('FROM a:3\n') }],
    });

    expect(await person.git('rev-list', '--count', `main..${branch}`)).toBe('1');
    expect(await person.show(branch, 'other')).toBe('x');
  });

  test('a branch that moved since it was looked at is not overwritten', async () => {
    await propose();
    const expected = { commit: (await forge.branch(branch))!.commit };
    const theirs = await person.push(branch, { note: 'mine' });
    const { commit: onto } = await forge.head();
    const request = { branch, onto, message: 'x', files: [{ path: 'Dockerfile', content: bytes('FROM a:3\n') }] };

    await expect(forge.commit({ ...request, expected })).rejects.toMatchObject({ code: 'conflict', retryable: true });
    await expect(forge.commit({ ...request, expected: {} })).rejects.toMatchObject({ code: 'conflict' });
    expect((await forge.branch(branch))?.commit).toBe(theirs);
  });

  test('a branch with our commits alone is ours; one commit or amendment by a person makes it theirs', async () => {
    await propose();
    expect(await forge.isOurs(branch, 'main')).toBe(true);

    const ours = await person.git('rev-parse', branch);
    const amended = (await person.git('cat-file', 'commit', ours)).replace(/^committer .*? </m, 'committer Ana <');
    await person.push(branch, { note: 'mine' });

    expect(await forge.isOurs(branch, 'main')).toBe(false);
    await person.move(branch, await person.writeCommit(`${amended}\n`));
    expect(await forge.isOurs(branch, 'main')).toBe(false);
  });

  test('commits of the base do not count as foreign', async () => {
    await person.push('main', { other: 'x' });
    await propose();

    expect(await forge.isOurs(branch, 'main')).toBe(true);
  });

  test('a removed branch is gone, and removing it again is fine', async () => {
    await propose();
    await forge.removeBranch(branch);
    await forge.removeBranch(branch);

    expect(await forge.branch(branch)).toBeUndefined();
  });

  test('an opened pull request is found by branch and state', async () => {
    const pull = await propose();

    expect(pull).toMatchObject({ number: 1, branch, base: 'main', title: 'Bump a', body: 'Because.\n', state: 'open' });
    expect(await forge.pulls({ branch, state: 'open' })).toEqual([pull]);
    expect(await forge.pulls({ branch: 'other' })).toEqual([]);
    expect(await forge.pulls({ state: 'merged' })).toEqual([]);
  });

  test('opening again gives the open one', async () => {
    expect(await propose()).toEqual(await propose());
    expect(await forge.pulls()).toHaveLength(1);
  });

  test('many that open at once get one pull request', async () => {
    await propose();
    await forge.updatePull(1, { state: 'closed' });
    const opened = await Promise.all(
      Array.from({ length: 6 }, () => forge.openPull({ branch, base: 'main', title: 't', body: 'b' })),
    );

    expect(new Set(opened.map(({ number }) => number))).toEqual(new Set([2]));
  });

  test('pull requests of several branches opened at once get numbers of their own', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await person.push(name, { [name]: name });
    const opened = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => forge.openPull({ branch: name, base: 'main', title: name, body: '' })),
    );

    expect(opened.map(({ number }) => number).sort()).toEqual([1, 2, 3, 4]);
  });

  test('opening one for a branch that is not there is refused', async () => {
    const opening = forge.openPull({ branch: 'nowhere', base: 'main', title: 't', body: '' });

    await expect(opening).rejects.toMatchObject({ code: 'not-found' });
  });

  test('title, body and state change alone, and the time of the change is kept', async () => {
    const { number, createdAt } = await propose();
    time = new Date('2026-08-23T02:00:00Z');
    await forge.updatePull(number, { title: 'New' });
    const closed = await forge.updatePull(number, { state: 'closed' });

    expect(closed).toMatchObject({ title: 'New', body: 'Because.\n', state: 'closed', createdAt });
    expect(closed.updatedAt >= createdAt).toBe(true);
    expect(await forge.pulls()).toEqual([closed]);
  });

  test('a change that changes nothing leaves the time alone', async () => {
    const pull = await propose();
    time = new Date('2026-08-23T02:00:00Z');

    expect(await forge.updatePull(pull.number, { title: pull.title, state: 'open' })).toEqual(pull);
  });

  test('a pull request that is not there is not found', async () => {
    await expect(forge.updatePull(7, { title: 'x' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(forge.merge(7)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('merging puts the change onto a base that moved on, by a merge commit', async () => {
    const { number } = await propose();
    await person.push('main', { other: 'x' });
    const merged = await forge.merge(number);

    expect(merged.state).toBe('merged');
    expect(await person.show('main', 'Dockerfile')).toBe('FROM a:2');
    expect(await person.show('main', 'other')).toBe('x');
    expect((await person.git('log', '-1', '--format=%P', 'main')).split(' ')).toHaveLength(2);
  });

  test('merging again is fine, reopening what is merged is not', async () => {
    const { number } = await propose();
    const merged = await forge.merge(number);
    const main = await person.git('rev-parse', 'main');

    expect(await forge.merge(number)).toEqual(merged);
    expect(await person.git('rev-parse', 'main')).toBe(main);
    await expect(forge.updatePull(number, { state: 'open' })).rejects.toMatchObject({ code: 'conflict' });
  });

  test('what is in conflict is not merged, and nothing moves', async () => {
    const { number } = await propose();
    const main = await person.push('main', { Dockerfile: 'FROM b:1\n' });

    await expect(forge.merge(number)).rejects.toMatchObject({ code: 'conflict' });
    expect(await person.git('rev-parse', 'main')).toBe(main);
    expect((await forge.pulls())[0]?.state).toBe('open');
  });

  test('what is closed cannot be merged', async () => {
    const { number } = await propose();
    await forge.updatePull(number, { state: 'closed' });

    await expect(forge.merge(number)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('a draft has its own title, and is not merged before it is ready', async () => {
    const { commit: onto } = await forge.head();
    await forge.commit({ branch, onto, message: 'x', files: [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }] });
    const { number } = await forge.openPull({ branch, base: 'main', title: 'Bump a', body: '', draft: true });

    expect((await forge.pulls())[0]).toMatchObject({ title: 'Bump a', draft: true });
    await expect(forge.merge(number)).rejects.toMatchObject({ code: 'conflict' });
    expect(await forge.updatePull(number, { title: 'Bump b' })).toMatchObject({ title: 'Bump b', draft: true });
    expect((await forge.updatePull(number, { draft: false })).draft ?? false).toBe(false);
    expect((await forge.merge(number)).state).toBe('merged');
  });

  test('labels, reviewers and assignees are set as it is opened; what cannot be had is said, and it is open', async () => {
    const { commit: onto } = await forge.head();
    await forge.commit({ branch, onto, message: 'x', files: [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }] });
    const people = { reviewers: scene.people, assignees: scene.people };
    const wanted = { branch, base: 'main', title: 'Bump a', body: '', labels: ['golden', 'bump'], ...people };
    const opened = await forge.openPull(wanted);

    expect(opened.troubles).toBeUndefined();
    expect((await forge.pulls())[0]?.labels?.toSorted()).toEqual(['bump', 'golden']);
    if (scene.people.length === 0) return;
    await forge.updatePull(opened.number, { state: 'closed' });
    const again = await forge.openPull({ ...wanted, reviewers: ['nobody-of-that-name'] });
    expect(again.troubles?.join()).toContain('nobody-of-that-name');
    expect(again.state).toBe('open');
  });

  test('comments are kept in their order', async () => {
    const { number } = await propose();
    await forge.comment(number, 'One.');
    await forge.comment(number, 'Two.');

    expect((await forge.comments(number)).map(({ body }) => body)).toEqual(['One.', 'Two.']);
    expect((await forge.pulls())[0]).toMatchObject({ number, title: 'Bump a', state: 'open' });
  });

  test('checks that failed are named', async ({ skip }) => {
    await propose();
    const { commit } = (await forge.branch(branch))!;
    expect(await forge.checks(commit)).toEqual({ state: 'none', failing: [] });

    if (scene.check === undefined) skip('nobody checks there');
    await scene.check!(person, commit, 'build', 'success');
    expect(await forge.checks(commit)).toEqual({ state: 'passing', failing: [] });
    await scene.check!(person, commit, 'test', 'pending');
    expect(await forge.checks(commit)).toEqual({ state: 'pending', failing: [] });
    await scene.check!(person, commit, 'test', 'failure');
    expect(await forge.checks(commit)).toEqual({ state: 'failing', failing: ['test'] });
  });

  test('where nothing has to pass, nothing is merged by itself', async () => {
    const { number } = await propose();

    expect(await forge.mergeWhenReady(number)).toBe(false);
    expect((await forge.pulls())[0]?.state).toBe('open');
  });

  test('an aborted call is cancelled', async () => {
    await expect(forge.head({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
