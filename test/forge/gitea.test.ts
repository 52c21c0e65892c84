import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createDownstreams } from '../../src/compose/forges.ts';
import { readConfig } from '../../src/config.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createGiteaForge } from '../../src/forge/gitea.ts';
import { withPullOptions } from '../../src/forge/pull-options.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import type { TestRepository } from '../support/git-repository.ts';
import { startGitea, type TestGitea } from '../support/gitea.ts';

const branch = 'ingot/image/debian';
let gitea: TestGitea;
let http: Http;
let person: TestRepository;
let repository: ForgeRepository;
let count = 0;

beforeAll(async () => {
  gitea = await startGitea();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
});

afterAll(async () => {
  await http.close();
  await gitea.stop();
});

beforeEach(async () => {
  const name = `life${++count}`;
  person = await gitea.repository(name, { Dockerfile: 'FROM a:1\n' });
  repository = openAnew(`acme/${name}`);
  return () => person.remove();
});

/** As another process would: it remembers nothing of the first. */
function openAnew(name: string): ForgeRepository {
  const sleep = (ms: number) => setTimeout(ms);
  const [now, identity] = [() => new Date('2026-08-22T02:00:00Z'), { name: 'ingot', email: 'ingot@localhost' }];
  const { url, token } = gitea;
  return createGiteaForge({ url, token, tokenName: 'T', identity, http, sleep, now }).repository(name);
}

async function commit(content = 'FROM a:2\n') {
  const { commit: onto } = await repository.head();
  const files = [{ path: 'Dockerfile', content: Buffer.from(content) }];
  return repository.commit({ branch, onto, message: 'Bump', files });
}

const pull = { branch, base: 'main', title: 'Bump', body: '' };
const protect = (rule: object) => gitea.api('POST', `/repos/${repository.name}/branch_protections`, rule);

test('where checks are required, it is merged by the forge once they pass', async () => {
  await protect({ rule_name: 'main', enable_status_check: true, status_check_contexts: ['build'] });
  const head = await commit();
  const opened = await withPullOptions(repository, { autoMerge: true }).openPull(pull);

  expect(opened.troubles).toBeUndefined();
  expect((await repository.pulls())[0]?.state).toBe('open');
  await gitea.api('POST', `/repos/${repository.name}/statuses/${head.commit}`, { context: 'build', state: 'success' });
  await vi.waitFor(async () => expect((await repository.pulls())[0]?.state).toBe('merged'), { timeout: 30_000 });
});

test('where none are, that it is not merged by itself is said', async () => {
  await commit();
  const opened = await withPullOptions(repository, { autoMerge: true }).openPull(pull);

  expect(opened).toMatchObject({ state: 'open', troubles: [expect.stringContaining('requires no checks')] });
});

test('a branch that the repository protects is not forced, and the reason is said', async () => {
  await protect({ rule_name: 'ingot/**', enable_push: false });

  await expect(commit()).rejects.toMatchObject({
    code: 'unauthorised',
    message: expect.stringMatching(/does not take ingot\/image\/debian: .*; see its branch protection$/),
  });
});

test('of two processes that open at once, the lower number stays', async () => {
  await commit();
  const both = await Promise.all([repository.openPull(pull), openAnew(repository.name).openPull(pull)]);

  const open = await openAnew(repository.name).pulls({ state: 'open' });
  expect(open.map(({ number }) => number)).toEqual([1]);
  expect(both.some(({ number }) => number === 1)).toBe(true);
});

test('a list of files that comes in pages is whole', async () => {
  const many = Object.fromEntries(Array.from({ length: 1_050 }, (_, index) => [`d${index % 7}/f${index}`, `${index}`]));
  await person.push('main', many);

  expect(await repository.files((await repository.head()).commit)).toHaveLength(1_051);
});

test('a repository that is not there, and one without the branch, are not found', async () => {
  await expect(openAnew('acme/nowhere').head()).rejects.toMatchObject({ code: 'not-found' });
  await expect(openAnew('acme/nowhere').pulls()).rejects.toMatchObject({ code: 'not-found' });
});

const IMAGE = { 'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n' };

async function downstreamsOf(entries: readonly object[], env: NodeJS.ProcessEnv) {
  const text = `fleet: acme\nchannels: [{ name: stable }]\ndownstreams: ${JSON.stringify(entries)}\n`;
  const { settings } = parseFleet(fleetFiles({ ...IMAGE, 'ingot.yaml': text }));
  return createDownstreams(await readConfig({ root: '/nowhere', env }), settings, http);
}

test('the downstreams of ingot.yaml are those named and those found, each once, with their channel', async () => {
  const common = { forge: 'gitea', url: gitea.url, token: { env: 'T' } };
  const entries = [
    { ...common, repository: repository.name, channel: 'stable' },
    { ...common, owner: 'acme', names: ['life*'] },
  ];
  const downstreams = await downstreamsOf(entries.toReversed(), { T: gitea.token });

  const names = (await downstreams.list()).map(({ name }) => name);
  expect(names.toSorted()).toEqual(Array.from({ length: count }, (_, index) => `acme/life${index + 1}`).toSorted());
  const again = await downstreams.list();
  expect(again).toEqual(await downstreams.list());
  expect(downstreams.follows(again.find(({ name }) => name === repository.name)!)).toBe('stable');
});

test('without a token, or with an owner that is not there, it is said of the entry', async () => {
  const common = { forge: 'gitea', url: gitea.url };
  const entries = [
    { ...common, owner: 'acme', token: { env: 'NONE' } },
    { ...common, owner: 'nobody-there', token: { env: 'T' } },
  ];
  const [first, second] = await (await downstreamsOf(entries, { T: gitea.token })).list();

  await expect(first?.head()).rejects.toThrow(/the variable NONE is empty; put a token for 127\.0\.0\.1:\d+ into NONE/);
  expect(second?.name).toMatch(/^nobody-there at 127/);
  await expect(second?.pulls()).rejects.toMatchObject({ code: 'not-found' });
});
