import { readdir } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { proposeImage } from '../../src/flows/propose.ts';
import { withCache } from '../../src/forge/cached.ts';
import type { WebForge } from '../../src/forge/discovery.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createGiteaForge } from '../../src/forge/gitea.ts';
import type { TestRepository } from '../support/git-repository.ts';
import { startGitea, type TestGitea } from '../support/gitea.ts';
import { A, B, branch, C, image, lookup, openWay, second, third } from '../support/proposals.ts';

const signal = new AbortController().signal;

let gitea: TestGitea;
let way: Awaited<ReturnType<typeof openWay>>;
let forge: WebForge;
let person: TestRepository;
let repository: ForgeRepository;
let count = 0;

beforeAll(async () => {
  gitea = await startGitea();
});

afterAll(() => gitea.stop());

beforeEach(async () => {
  way = await openWay();
  forge = forgeWith(gitea.token);
  const name = `service${++count}`;
  person = await gitea.repository(name, {
    Dockerfile: `FROM ${image}:12.0.0@${A}\n`,
    'README.md': `FROM ${image}:12.0.0@${A}\n`,
  });
  repository = withCache(forge.repository(`acme/${name}`), gitea.url, way.store);
});

afterEach(async () => {
  await person.remove();
  await way.close();
});

function forgeWith(token: string) {
  const sleep = (ms: number) => setTimeout(ms);
  const identity = { name: 'ingot', email: 'ingot@localhost' };
  return createGiteaForge({ url: gitea.url, token, tokenName: 'GITEA_TOKEN', identity, http: way.http, sleep, now });
}

const now = () => new Date('2026-08-22T02:00:00Z');
const propose = (what = second, at = repository) => proposeImage({ repository: at, release: what, lookup, signal });

test('a proposal lives: opened, left as it is, updated in place, merged, and its branch goes', async () => {
  expect(await propose()).toMatchObject({ action: 'opened', number: 1 });
  expect(await propose()).toMatchObject({ action: 'unchanged', number: 1 });

  expect(await propose(third)).toMatchObject({ action: 'updated', number: 1, title: 'Bump golden debian to 12.0.2' });
  expect(await person.show(branch, 'Dockerfile')).toBe(`FROM ${image}:12.0.2@${C}`);
  expect(await person.git('rev-list', '--count', `main..${branch}`)).toBe('1');

  await gitea.merge(repository.name, 1);
  expect(await propose(third)).toMatchObject({ action: 'none' });
  expect(await person.show('main', 'Dockerfile')).toBe(`FROM ${image}:12.0.2@${C}`);
  expect(await repository.branch(branch)).toBeUndefined();
  expect((await repository.pulls())[0]).toMatchObject({ number: 1, state: 'merged', branch });
});

test('closed by a person means declined, until there is a newer release', async () => {
  await propose();
  await gitea.api('PATCH', `/repos/${repository.name}/pulls/1`, { state: 'closed' });

  expect(await propose()).toMatchObject({ action: 'declined', number: 1 });
  expect(await propose(third)).toMatchObject({ action: 'opened', number: 2 });
});

test('commits of others are left alone, and a comment says once what would be done', async () => {
  await propose();
  const theirs = await person.push(branch, { note: 'mine' });

  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  expect(await propose(third)).toMatchObject({ action: 'stuck', number: 1 });
  expect((await repository.branch(branch))?.commit).toBe(theirs);
  const comments = await repository.comments(1);
  expect(comments).toHaveLength(1);
  expect(comments[0]).toMatchObject({ author: 'bot' });
  expect(comments[0]?.body).toContain(`| \`Dockerfile:1\` | \`:12.0.2@${C}\` |`);
});

test('a second look at a repository with nothing to do is one request', async () => {
  await person.push('main', { Dockerfile: `FROM ${image}:12.0.1@${B}\n` });
  expect(await propose()).toMatchObject({ action: 'none' });
  way.requests.length = 0;

  expect(await propose()).toMatchObject({ action: 'none' });
  expect(way.requests).toEqual([`POST /${repository.name}.git/git-upload-pack`]);
});

test('what the disk kept wrongly is asked for again', async () => {
  await propose();
  const files = await repository.files((await repository.head()).commit);
  const kept = (await readdir(way.folder)).find((name) => name === `${files[0]!.blob}.blob`)!;
  await way.store.write(kept, 'half');

  expect(Buffer.from(await repository.read(files[0]!)).toString()).toContain(`FROM ${image}:12.0.0`);
});

test('only files that can hold a pin are read', async () => {
  await propose();

  expect(way.requests.filter((request) => request.includes('/git/blobs/'))).toHaveLength(1);
});

test('a token without the scope to open one is told which', async () => {
  const token = await gitea.tokenWith('read:repository');

  await expect(propose(second, forgeWith(token).repository(repository.name))).rejects.toMatchObject({
    code: 'unauthorised',
    message: expect.stringMatching(/GITEA_TOKEN .*write:repository/),
  });
});

test('a wrong token is told as such, and is in no message', async () => {
  const token = '0123456789abcdef0123456789abcdef01234567';
  const wrong = forgeWith(token).repository(repository.name);
  const attempts = [wrong.head(), wrong.pulls(), propose(second, { ...wrong, look: repository.look })];

  for (const outcome of await Promise.allSettled(attempts)) {
    const reason = (outcome as PromiseRejectedResult).reason;
    expect(reason).toMatchObject({ code: 'unauthorised' });
    expect(reason.message).toContain('GITEA_TOKEN');
    expect(`${reason.stack}${JSON.stringify(reason.details)}`).not.toContain(token);
  }
});

test('all repositories that the token can see are found, by owner, name and topic', async () => {
  const shop = await gitea.repository('shop-web');
  const empty = { name: 'nothing-yet', private: true };
  await gitea.api('POST', '/orgs/acme/repos', empty);
  await gitea.api('PUT', '/repos/acme/shop-web/topics', { topics: ['golden'] });
  await shop.remove();

  expect(await forge.discover({ owner: 'acme' })).toEqual(expect.arrayContaining([repository.name, 'acme/shop-web']));
  expect(await forge.discover({ owner: 'acme' })).not.toContain('acme/nothing-yet');
  expect(await forge.discover({ owner: 'acme', names: ['shop-*', '!*-api'] })).toEqual(['acme/shop-web']);
  expect(await forge.discover({ owner: 'acme', topics: ['golden', 'other'] })).toEqual(['acme/shop-web']);
  await gitea.api('PATCH', '/repos/acme/shop-web', { archived: true });
  expect(await forge.discover({ owner: 'acme', topics: ['golden'] })).toEqual([]);
  expect(await forge.discover({ owner: 'acme', topics: ['golden'], archived: true })).toEqual(['acme/shop-web']);
  await expect(forge.discover({ owner: 'nobody-there' })).rejects.toMatchObject({ code: 'not-found' });
});
