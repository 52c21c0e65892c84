import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';

const branch = 'ingot/image/debian';
const bytes = (text: string) => Buffer.from(text);

/** Every forge passes these. The person's side is a plain git repository. */
const FORGES: readonly { name: string; open: (repository: TestRepository, now: () => Date) => ForgeRepository }[] = [
  { name: 'local', open: ({ path }, now) => createLocalForge({ now }).repository(path) },
];

describe.each(FORGES)('$name', ({ open }) => {
  let person: TestRepository;
  let forge: ForgeRepository;
  let time: Date;

  beforeEach(async () => {
    time = new Date('2026-08-22T02:00:00Z');
    person = await createTestRepository({ Dockerfile: 'FROM a:1\n', 'run.sh': '#!/bin/sh\n' });
    forge = open(person, () => time);
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

  test('files are listed with mode and size and read byte by byte', async () => {
    const strange = 'söme dir/a\tb "c"';
    await person.push('main', { [strange]: Buffer.from([0, 255, 13, 10]), 'deep/er/x': '' });
    const files = await forge.files((await forge.head()).commit);

    expect(files.map(({ path, mode, size }) => [path, mode, size])).toEqual([
      ['Dockerfile', '100644', 9],
      ['deep/er/x', '100644', 0],
      ['run.sh', '100755', 10],
      [strange, '100644', 4],
    ]);
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
    await person.git('update-ref', `refs/heads/${branch}`, await person.writeCommit(`${amended}\n`));
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
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => person.git('branch', name, 'main')));
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
    expect(closed.updatedAt).not.toBe(createdAt);
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

  test('a merge that was killed before the pull request knew is finished', async () => {
    const { number } = await propose();
    await person.git('update-ref', 'refs/heads/main', branch);

    expect((await forge.merge(number)).state).toBe('merged');
    expect(await person.git('rev-parse', 'main')).toBe(await person.git('rev-parse', branch));
  });

  test('a conflict is said with the files, and nothing moves', async () => {
    const { number } = await propose();
    const main = await person.push('main', { Dockerfile: 'FROM b:1\n' });

    await expect(forge.merge(number)).rejects.toMatchObject({ code: 'conflict', details: { files: ['Dockerfile'] } });
    expect(await person.git('rev-parse', 'main')).toBe(main);
    expect((await forge.pulls())[0]?.state).toBe('open');
  });

  test('what is closed cannot be merged', async () => {
    const { number } = await propose();
    await forge.updatePull(number, { state: 'closed' });

    await expect(forge.merge(number)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('an aborted call is cancelled', async () => {
    await expect(forge.head({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
