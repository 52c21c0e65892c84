import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebForgeName } from '../../src/domain/forge-address.ts';
import type { Message } from '../../src/domain/notifications.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createStatus } from '../../src/notify/status.ts';
import { type ChannelServer, startChannelServer } from '../support/channel-server.ts';
import { startGitea, type TestGitea } from '../support/gitea.ts';

const COMMIT = 'f00dfacef00dfacef00dfacef00dfacef00dface';
const MESSAGE: Message = {
  ...{ id: 'ingot-1', channel: 'fleet', state: 'problem', kind: 'blocked', severity: 'warning', commit: COMMIT },
  ...{ title: '2 images are blocked', more: 0, fleet: 'acme', at: '2026-11-23T02:00:00.000Z' },
  lines: [
    { image: 'base', reason: `CVE-2026-1 ${'x'.repeat(200)}`, link: 'https://ingot.acme.example/runs/1' },
    { image: 'python', reason: 'a test failed' },
  ],
};
const signal = new AbortController().signal;

let gitea: TestGitea;
let server: ChannelServer;
let http: Http;

beforeAll(async () => {
  [gitea, server] = await Promise.all([startGitea(), startChannelServer()]);
  http = createHttp({ connectionsPerHost: 2, userAgent: 'ingot-test', timeoutMs: 10_000 });
});
afterAll(async () => {
  await http.close();
  await Promise.all([gitea.stop(), server.stop()]);
});

function statusOn(forge: WebForgeName, url: string, token = 'the-token') {
  return createStatus({ forge, url, repository: 'acme/images', token }, { http, now: () => 0 });
}

test('a Gitea shows what is wrong with each image on the commit, and that it is over', async () => {
  const person = await gitea.repository('images', { 'ingot.yaml': 'fleet: acme\n' });
  const { sha } = (await gitea.api('GET', '/repos/acme/images/git/commits/main')) as { sha: string };
  const status = statusOn('gitea', gitea.url, gitea.token);
  const combined = async () => {
    const path = `/repos/acme/images/commits/${sha}/status`;
    const { state, statuses } = (await gitea.api('GET', path)) as {
      state: string;
      statuses: { context: string; status: string; target_url: string; description: string }[];
    };
    return { state, statuses: statuses.toSorted((a, b) => a.context.localeCompare(b.context)) };
  };

  expect(await status.send({ ...MESSAGE, commit: sha }, { signal })).toBe(`2 on ${sha.slice(0, 12)} of acme/images`);
  await status.send({ ...MESSAGE, commit: sha }, { signal });
  const wrong = await combined();
  await status.send({ ...MESSAGE, commit: sha, state: 'recovered', title: 'over: 2 images are blocked' }, { signal });
  const over = await combined();
  await person.remove();

  expect(wrong.state).toBe('failure');
  expect(wrong.statuses).toMatchObject([
    { context: 'ingot/blocked/base', status: 'failure', target_url: 'https://ingot.acme.example/runs/1' },
    { context: 'ingot/blocked/python', status: 'failure', description: 'a test failed' },
  ]);
  expect([over.state, over.statuses.length]).toEqual(['success', 2]);
});

test.each([
  ['github', '/hook/s3cret/api/v3/repos/acme/images/statuses/', { state: 'failure', context: 'ingot/blocked/python' }],
  ['gitlab', '/hook/s3cret/api/v4/projects/acme%2Fimages/statuses/', { state: 'failed', name: 'ingot/blocked/python' }],
] as const)('%s is told in its own words', async (forge, path, body) => {
  server.taken.length = 0;

  await statusOn(forge, server.url).send(MESSAGE, { signal });

  const [long, short] = server.taken.map((each) => JSON.parse(each.body));
  expect(server.taken.map((each) => each.path)).toEqual([path + COMMIT, path + COMMIT]);
  expect(server.taken[0]!.headers.authorization).toBe('Bearer the-token');
  expect(long.description).toHaveLength(140);
  expect(short).toEqual({ ...body, description: 'a test failed' });
});

test('what has no place of its own is said together', async () => {
  server.taken.length = 0;

  await statusOn('github', server.url).send({ ...MESSAGE, lines: MESSAGE.lines.slice(1), more: 9 }, { signal });

  const contexts = server.taken.map((each) => JSON.parse(each.body).context);
  expect(contexts).toEqual(['ingot/blocked/python', 'ingot/blocked']);
});

test('without a commit there is nothing to mark', async () => {
  const { commit: _, ...message } = MESSAGE;

  await expect(statusOn('github', server.url).send(message, { signal })).rejects.toMatchObject({ code: 'refused' });
});
