import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readPinRepository } from '../../src/commands/pin-repository.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { proposeImage, type ReleaseLookup, type ReleaseToPropose } from '../../src/flows/propose.ts';
import { withCache } from '../../src/forge/cached.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createGitlabForge } from '../../src/forge/gitlab.ts';
import { createFileStore } from '../../src/lib/file-store.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import type { TestRepository } from '../support/git-repository.ts';
import { type FakeGitlab, GITLAB_TOKEN, startGitlab } from '../support/gitlab.ts';

const image = 'registry.example.org/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const [A, B, C] = [digest('a'), digest('b'), digest('c')];
const branch = 'ingot/image/debian';
const signal = new AbortController().signal;

const release = (version: string, of: Digest): ReleaseToPropose => ({
  image: 'debian',
  repository: image,
  line: '12',
  version,
  digest: of,
  reasons: ['its base debian:12 moved'],
});
const [second, third] = [release('12.0.1', B), release('12.0.2', C)];
const lookup: ReleaseLookup = {
  identify: async (of) => ({ [A]: { version: '12.0.0' }, [B]: { version: '12.0.1' } })[of],
  content: async () => undefined,
};

let gitlab: FakeGitlab;
let http: Http;
let requests: string[];
let folder: string;
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
  folder = await mkdtemp(join(tmpdir(), 'ingot-forges-'));
  requests = [];
  const real = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  http = {
    ...real,
    request(url, request) {
      requests.push(`${request.method} ${new URL(url).pathname.replace(/.*%2F/, '')}`);
      return real.request(url, request);
    },
  };
  const name = `acme/web/service${++count}`;
  ({ person } = await gitlab.project(name, { Dockerfile: `FROM ${image}:12.0.0@${A}\n` }));
  const options = { url: gitlab.url, token: GITLAB_TOKEN, tokenName: 'GITLAB_TOKEN', http };
  const identity = { name: 'ingot', email: 'ingot@localhost' };
  const sleep = (ms: number) => setTimeout(ms);
  const forge = createGitlabForge({ ...options, identity, sleep, now: () => new Date('2026-08-22T02:00:00Z') });
  const store = createFileStore({ directory: folder, maxBytes: 1_000_000 });
  repository = withCache(forge.repository(name), gitlab.url, store);
});

afterEach(async () => {
  await http.close();
  await rm(folder, { recursive: true });
});

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
  requests.length = 0;

  expect(await propose()).toMatchObject({ action: 'none' });
  expect(requests).toEqual([`POST /${repository.name}.git/git-upload-pack`, `GET service${count}/merge_requests`]);
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
