import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGithubForge, type GithubOptions } from '../../src/forge/github.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { type FakeGithub, GITHUB_TOKEN, startGithub } from '../support/github.ts';

const bytes = (text: string) => Buffer.from(text);
let github: FakeGithub;
let http: Http;
let slept: number[];

beforeAll(async () => {
  github = await startGithub();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
});

afterAll(async () => {
  await http.close();
  await github.stop();
  expect(github.mistakes).toEqual([]);
});

beforeEach(() => {
  slept = [];
  github.asked.length = 0;
});

function forgeWith(options: Partial<GithubOptions> = {}) {
  return createGithubForge({
    url: github.url,
    credential: { token: GITHUB_TOKEN },
    tokenName: 'GITHUB_TOKEN',
    http,
    now: () => new Date(),
    sleep: async (ms) => void slept.push(ms),
    ...options,
  });
}

describe('commits', () => {
  test('are by the account, and committed by GitHub itself, which signs them', async () => {
    const { person } = await github.repository('acme/signed', { Dockerfile: 'FROM a:1\n', 'run.sh': '#!/bin/sh\n' });
    const repository = forgeWith().repository('acme/signed');
    const { commit: onto } = await repository.head();
    const files = [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }];
    await repository.commit({ branch: 'ingot/image/a', onto, message: 'Bump', files });

    expect(await person.git('show', '-s', '--format=%an|%cn', 'ingot/image/a')).toBe('ingot-bot|GitHub');
  });

  test('are by whom the definitions name, when they do', async () => {
    const { person } = await github.repository('acme/named', { Dockerfile: 'FROM a:1\n' });
    const identity = { name: 'factory', email: 'factory@acme.example' };
    const repository = forgeWith({ identity }).repository('acme/named');
    const { commit: onto } = await repository.head();
    const files = [{ path: 'Dockerfile', content: bytes('FROM a:2\n') }];
    await expect(repository.commit({ branch: 'ingot/image/a', onto, message: 'Bump', files })).rejects.toThrow();
    // The double takes no pushes; that git is what was asked shows that the API was not.
    expect(github.asked.some((name) => name.includes('git/commits'))).toBe(false);
    await person.remove();
  });

  test('keep bytes that are no UTF-8', async () => {
    const odd = Buffer.from([0x46, 0xff, 0x00, 0x0a]);
    const { git } = await github.repository('acme/odd', { odd });
    const repository = forgeWith().repository('acme/odd');
    const { commit: onto } = await repository.head();
    const content = Buffer.concat([odd, odd]);
    const { commit } = await repository.commit({
      branch: 'ingot/x',
      onto,
      message: 'x',
      files: [{ path: 'odd', content }],
    });

    expect(await git(['show', `${commit}:odd`])).toEqual(content);
  });
});

describe('limits', () => {
  test('a secondary limit is waited for, also by writes', async () => {
    await github.repository('acme/limited');
    const repository = forgeWith().repository('acme/limited');
    const { commit: onto } = await repository.head();
    const message = 'You have exceeded a secondary rate limit';
    github.next.push({ status: 403, headers: { 'retry-after': '7' }, message });
    await repository.commit({ branch: 'ingot/x', onto, message: 'x', files: [{ path: 'x', content: bytes('x') }] });

    expect(slept).toEqual([7_000]);
  });

  test('an hour without requests is said, and not waited for', async () => {
    await github.repository('acme/spent');
    const reset = String(Math.floor(Date.now() / 1000) + 1_800);
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    github.next.push({ status: 403, headers, message: 'API rate limit exceeded' });
    const asking = forgeWith().repository('acme/spent').pulls({ branch: 'ingot/x' });

    await expect(asking).rejects.toMatchObject({ code: 'rate-limited', retryable: true });
    expect(slept).toEqual([]);
  });
});

describe('credentials', () => {
  test('one that is not taken is named, with what it needs', async () => {
    await github.repository('acme/closed');
    const asking = forgeWith({ credential: { token: 'wrong' } })
      .repository('acme/closed')
      .pulls();

    await expect(asking).rejects.toMatchObject({
      code: 'unauthorised',
      message: expect.stringContaining('GITHUB_TOKEN'),
    });
    await expect(asking).rejects.not.toThrow('wrong');
  });

  test('an app makes a token of its installation, keeps it, and makes a new one before it ends', async () => {
    await github.repository('acme/app');
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    let time = new Date();
    const credential = { app: 'Iv1.abc', privateKey: pem, owner: 'acme' };
    const repository = forgeWith({ credential, now: () => time }).repository('acme/app');
    await Promise.all([repository.pulls({ branch: 'a' }), repository.pulls({ branch: 'b' })]);
    const made = () => github.asked.filter((name) => name.includes('access_tokens')).length;
    expect(made()).toBe(1);
    const claim = github.claims.at(-1)!;
    expect(decodeProtectedHeader(claim).alg).toBe('RS256');
    const { payload } = await jwtVerify(claim, publicKey, { issuer: 'Iv1.abc' });
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(600);

    time = new Date(time.getTime() + 56 * 60_000);
    await repository.pulls({ branch: 'c' });
    expect(made()).toBe(2);
  });

  test('a key that is none is a clear error', async () => {
    const credential = { app: '1', privateKey: 'no key', owner: 'acme' };
    const asking = forgeWith({ credential }).repository('acme/app').pulls();

    await expect(asking).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('PEM') });
  });
});

describe('discovery', () => {
  test('finds repositories of an organisation by topic, and leaves archived ones out', async () => {
    const one = await github.repository('wide/one');
    const two = await github.repository('wide/two');
    const three = await github.repository('wide/three');
    for (const { settings } of [one, two]) settings.topics.push('golden');
    two.settings.archived = true;
    three.settings.topics.push('other');

    expect(await forgeWith().discover({ owner: 'wide', topics: ['golden'] })).toEqual(['wide/one']);
  });

  test('an owner that is not there is an error', async () => {
    await expect(forgeWith().discover({ owner: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  });
});

test('a tree too long for one answer is read folder by folder', async () => {
  const files = Object.fromEntries(
    [...'abcde'].flatMap((name) => [
      [`${name}/x`, name],
      [`${name}/deep/y`, name],
    ]),
  );
  await github.repository('acme/wide', { top: 'top', ...files });
  github.truncateAbove = 4;
  const repository = forgeWith().repository('acme/wide');
  const found = await repository.files((await repository.head()).commit);
  github.truncateAbove = undefined;

  expect(found.map(({ path }) => path).sort()).toEqual(['top', ...Object.keys(files)].sort());
});
