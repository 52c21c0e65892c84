import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readPinRepository } from '../../src/commands/pin-repository.ts';
import { proposeImage } from '../../src/flows/propose.ts';
import { withCache } from '../../src/forge/cached.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createGitlabForge } from '../../src/forge/gitlab.ts';
import type { TestRepository } from '../support/git-repository.ts';
import { type FakeGitlab, GITLAB_TOKEN, startGitlab } from '../support/gitlab.ts';
import { A, B, branch, C, image, lookup, openWay, second, third } from '../support/proposals.ts';

const signal = new AbortController().signal;

let gitlab: FakeGitlab;
let way: Awaited<ReturnType<typeof openWay>>;
let person: TestRepository;
let repository: ForgeRepository;
let count = 0;

beforeAll(async () => {
  gitlab = await startGitlab();
});

afterAll(async () => {
  await gitlab.stop();
  expect(gitlab.mistakes).toEqual([]);
});

beforeEach(async () => {
  way = await openWay();
  const name = `acme/web/service${++count}`;
  ({ person } = await gitlab.project(name, { Dockerfile: `FROM ${image}:12.0.0@${A}\n` }));
  const options = { url: gitlab.url, token: GITLAB_TOKEN, tokenName: 'GITLAB_TOKEN', http: way.http };
  const identity = { name: 'ingot', email: 'ingot@localhost' };
  const sleep = (ms: number) => setTimeout(ms);
  const forge = createGitlabForge({ ...options, identity, sleep, now: () => new Date('2026-08-22T02:00:00Z') });
  repository = withCache(forge.repository(name), gitlab.url, way.store);
});

afterEach(() => way.close());

const propose = (what = second) => proposeImage({ repository, release: what, lookup, signal });

test('a proposal lives: opened, left as it is, updated in place, merged, and its branch goes', async () => {
  expect(await propose()).toMatchObject({ action: 'opened', number: 1 });
  expect(await propose()).toMatchObject({ action: 'unchanged', number: 1 });

  expect(await propose(third)).toMatchObject({ action: 'updated', number: 1, title: 'Bump golden debian to 12.0.2' });
  expect(await person.git('rev-list', '--count', `main..${branch}`)).toBe('1');

  await repository.merge(1);
  expect(await propose(third)).toMatchObject({ action: 'none' });
  expect(await person.show('main', 'Dockerfile')).toBe(`FROM ${image}:12.0.2@${C}`);
  expect((await repository.pulls())[0]).toMatchObject({ number: 1, state: 'merged', branch });
});

test('closed by a person means declined, until there is a newer release', async () => {
  await propose();
  await repository.updatePull(1, { state: 'closed' });

  expect(await propose()).toMatchObject({ action: 'declined', number: 1 });
  expect(await propose(third)).toMatchObject({ action: 'opened', number: 2 });
});

test('commits of others are left alone, and a comment says once what would be done', async () => {
  await propose();
  const theirs = await person.push(branch, { note: 'mine' });

  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  expect((await repository.branch(branch))?.commit).toBe(theirs);
  expect(await repository.comments(1)).toHaveLength(1);
});

test('one whose branch is gone, and whose pins have moved, is closed', async () => {
  await propose();
  await repository.removeBranch(branch);
  await person.push('main', { Dockerfile: `FROM ${image}:12.0.1@${B}\n` });

  expect(await propose()).toMatchObject({ action: 'closed', number: 1 });
  expect((await repository.pulls())[0]?.state).toBe('closed');
});

test('a second look at a project with nothing to do is two requests: branches, and merge requests', async () => {
  await person.push('main', { Dockerfile: `FROM ${image}:12.0.1@${B}\n` });
  expect(await propose()).toMatchObject({ action: 'none' });
  way.requests.length = 0;

  expect(await propose()).toMatchObject({ action: 'none' });
  expect(way.requests.map((request) => request.replace(/\/api.*%2F/, ''))).toEqual([
    `POST /${repository.name}.git/git-upload-pack`,
    `GET service${count}/merge_requests`,
  ]);
});

test('a file that turns out to be too large is left alone, with a word', async () => {
  const large = `FROM ${image}:12.0.0@${A}\n${'#'.repeat(5 * 1024 * 1024)}\n`;
  await person.push('main', { 'big/Dockerfile': large });

  const { left } = await propose();
  expect(left).toMatchObject([{ path: 'big/Dockerfile', message: expect.stringMatching(/\d+ bytes are too many/) }]);
  expect(await person.show(branch, 'big/Dockerfile')).toBe(large.trimEnd());
  expect(await readPinRepository(repository, [], signal)).toMatchObject({
    files: [{ path: 'Dockerfile' }],
    skipped: [{ path: 'big/Dockerfile', why: expect.stringMatching(/^\d+ bytes are too many/) }],
  });
});
