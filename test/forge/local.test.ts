import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLocalForge } from '../../src/forge/local.ts';
import { exec } from '../../src/lib/exec.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';

const now = () => new Date('2026-08-22T02:00:00Z');
const branch = 'ingot/image/debian';
let person: TestRepository;

beforeEach(async () => {
  person = await createTestRepository({ Dockerfile: 'FROM a:1\n' });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await person.remove();
});

async function propose(path = person.path) {
  const forge = createLocalForge({ now }).repository(path);
  const { commit: onto, branch: base } = await forge.head();
  await forge.commit({
    branch,
    onto,
    message: 'Bump',
    files: [{ path: 'Dockerfile', content: Buffer.from('FROM a:2\n') }],
  });
  return { forge, pull: await forge.openPull({ branch, base, title: 'Bump', body: '' }) };
}

test('a pull request is a commit under refs/ingot/pulls, and its changes are the history of the ref', async () => {
  const { forge, pull } = await propose();
  await forge.updatePull(pull.number, { title: 'Better' });
  await forge.merge(pull.number);

  expect(await person.git('log', '--format=%an %s', 'refs/ingot/pulls/1')).toBe(
    ['ingot Pull request 1: merged', 'ingot Pull request 1: changed', 'ingot Pull request 1: opened'].join('\n'),
  );
  expect(JSON.parse(await person.show('refs/ingot/pulls/1', 'pull.json'))).toMatchObject({
    title: 'Better',
    state: 'merged',
  });
});

test('git settings and hooks of others change nothing', async () => {
  const hook = join(person.path, 'hooks', 'reference-transaction');
  await mkdir(join(person.path, 'hooks'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  vi.stubEnv('GIT_DIR', '/nowhere');
  vi.stubEnv('GIT_INDEX_FILE', '/nowhere/index');
  vi.stubEnv('GIT_AUTHOR_NAME', 'Somebody');

  const { forge } = await propose();
  vi.unstubAllEnvs();

  expect(await forge.isOurs(branch, 'main')).toBe(true);
  expect(await person.git('log', '-1', '--format=%an <%ae> %cn %cI', branch)).toBe(
    'ingot <ingot@localhost> ingot 2026-08-22T02:00:00+00:00',
  );
});

test('the configured branch is the base', async () => {
  const commit = await person.push('release-1', { a: 'b' });
  const forge = createLocalForge({ now }).repository(person.path, { branch: 'release-1' });

  expect(await forge.head()).toEqual({ branch: 'release-1', commit });
});

test('a repository that is not there, no repository, or without the branch, is not found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-none-'));
  const inside = join(person.path, 'objects');
  const forge = createLocalForge({ now });

  for (const repository of [forge.repository(join(folder, 'none')), forge.repository(folder), forge.repository(inside)])
    await expect(repository.head()).rejects.toMatchObject({ code: 'not-found' });
  await expect(forge.repository(person.path, { branch: 'none' }).head()).rejects.toThrow(
    `${person.path} has no branch none; name the right one as "branch" of the downstream`,
  );
  await rm(folder, { recursive: true });
});

test('a git program that is missing is a matter of configuration', async () => {
  const forge = createLocalForge({ now, git: '/nowhere/git' }).repository(person.path);

  await expect(forge.head()).rejects.toMatchObject({ code: 'configuration' });
});

test('a plain repository works, but its checked-out branch is not moved under its work tree', async () => {
  const work = join(person.path, '..', 'plain');
  await exec('git', ['clone', '--quiet', person.path, work]);
  const { forge, pull } = await propose(work);

  await expect(forge.merge(pull.number)).rejects.toThrow(`main is checked out in the work tree of ${work}`);
  await exec('git', ['checkout', '--quiet', '--detach'], { cwd: work });
  expect((await forge.merge(pull.number)).state).toBe('merged');
});

test('no index is left behind in the repository', async () => {
  await propose();

  await expect(stat(join(person.path, 'index'))).rejects.toThrow();
});

test('a merge that was killed before the pull request knew is finished', async () => {
  const { forge, pull } = await propose();
  await person.move('main', branch);

  expect((await forge.merge(pull.number)).state).toBe('merged');
  expect(await person.git('rev-parse', 'main')).toBe(await person.git('rev-parse', branch));
});

test('a conflict is said with the files', async () => {
  const { forge, pull } = await propose();
  await person.push('main', { Dockerfile: 'FROM b:1\n' });

  await expect(forge.merge(pull.number)).rejects.toMatchObject({
    code: 'conflict',
    details: { files: ['Dockerfile'] },
  });
});
