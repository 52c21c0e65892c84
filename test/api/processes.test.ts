import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';

let [a, b]: ApiScene[] = [];
beforeEach(async () => {
  a = await startApiScene();
  b = await startApiScene({ redisUrl: a.redis!.url });
});
afterEach(async () => {
  await b!.stop();
  await a!.stop();
});

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (scene: ApiScene, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  scene.ask(path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { ...FORM, ...headers },
  });
const codeOf = (scene: ApiScene) => /\/login\?code=(\S+)$/.exec(scene.printed.find((line) => /code=/.test(line))!)![1]!;
const cookieOf = ({ headers }: { headers: Headers }) => ({ cookie: headers.get('set-cookie')!.split(';')[0]! });
const statusOf = async (scene: ApiScene, headers: Record<string, string>) =>
  (await scene.ask('/v1/session', { headers })).status;

describe('two processes of one service', () => {
  test('take the link that the other one printed, one of them once', async () => {
    const answers = await Promise.all([a!, b!, a!, b!].map((scene) => post(scene, '/login', { code: codeOf(a!) })));

    expect(answers.map(({ status }) => status).sort()).toEqual([303, 401, 401, 401]);
  });

  test('know the sessions of each other, and which were ended', async () => {
    const cookie = cookieOf(await post(a!, '/login', { code: codeOf(a!) }));
    const { csrf } = (await b!.ask('/v1/session', { headers: cookie })).body;
    const before = await statusOf(b!, cookie);
    await post(b!, '/logout', { _csrf: csrf }, cookie);

    expect([before, await statusOf(a!, cookie), await statusOf(b!, cookie)]).toEqual([200, 401, 401]);
  });

  test('count wrong credentials of one address together', async () => {
    await Promise.all([a!, b!].map((scene) => scene.update({ requestsPerMinute: 40 })));
    const wrong = { authorization: 'Bearer nothing' };

    const statuses = [];
    for (const scene of [a!, b!, a!, b!, a!, b!]) statuses.push(await statusOf(scene, wrong));

    expect(statuses).toEqual([401, 401, 401, 401, 429, 429]);
  });
});

describe('a Redis that lost everything', () => {
  test('costs a new login, and nobody who signed out is signed in again', async () => {
    const cookie = cookieOf(await post(a!, '/login', { code: codeOf(a!) }));
    await a!.redis!.kill();
    await a!.redis!.start({ empty: true });
    const token = await a!.token('viewer');

    await expect.poll(() => statusOf(a!, cookie)).toBe(401);
    const anew = cookieOf(await post(a!, '/login', { token }));
    expect(await statusOf(a!, anew)).toBe(200);
  });

  test('that does not answer is told to browsers, and tokens go on within limits of the process', async () => {
    const cookie = cookieOf(await post(a!, '/login', { code: codeOf(a!) }));
    await a!.update({ requestsPerMinute: 10 });
    const token = await a!.token('viewer');
    await a!.redis!.kill();

    const session = await a!.ask('/v1/session', { headers: cookie });
    const statuses = await Promise.all(
      Array.from({ length: 11 }, async () => (await a!.ask('/v1/session', { token })).status),
    );

    expect(session).toMatchObject({ status: 503, body: { detail: expect.stringContaining('does not answer') } });
    expect(statuses.toSorted()).toEqual([...Array(10).fill(200), 429]);
    expect(JSON.stringify([session.body, a!.troubles, a!.printed])).not.toMatch(/session-key/);
    await a!.redis!.start();
  });
});

describe('settings that change while it serves', () => {
  test('count from the next request on, and leave sessions alone', async () => {
    const cookie = cookieOf(await post(a!, '/login', { code: codeOf(a!) }));
    await a!.update({ requestsPerMinute: 77 });

    const { status, headers } = await a!.ask('/v1/session', { headers: cookie });

    expect([status, headers.get('ratelimit-limit')]).toEqual([200, '77']);
  });

  test('end what the printed link is worth, when somebody has said who may do what', async () => {
    await a!.update({});

    expect((await post(a!, '/login', { code: codeOf(a!) })).status).toBe(401);
  });
});

describe('an address that changes while it serves', () => {
  let scene: ApiScene;
  beforeEach(async () => {
    scene = await startApiScene({ access: { listen: '127.0.0.1:0' }, listen: undefined });
  });
  afterEach(() => scene.stop());
  const isOpen = (address: string) =>
    fetch(address).then(
      () => true,
      () => false,
    );

  test('is moved to, and what was there is closed', async () => {
    const before = scene.server;
    await scene.update({ listen: 'localhost:0' });

    expect(scene.server).toMatch(/^http:\/\/localhost:\d+$/);
    expect([await isOpen(scene.server), await isOpen(before)]).toEqual([true, false]);
  });

  test('narrows to loopback on the same port', async () => {
    const { port } = new URL(scene.server);
    await scene.update({ listen: `0.0.0.0:${port}`, url: 'https://ingot.acme.example' });
    await scene.update({ listen: `127.0.0.1:${port}` });

    expect(scene.server).toBe(`http://127.0.0.1:${port}`);
    expect(await isOpen(scene.server)).toBe(true);
    expect(scene.troubles).toEqual([]);
  });

  test('that is taken is said, tried again, and not waited for', async () => {
    const other = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const wanted = { listen: `127.0.0.1:${port}` };

    await scene.update(wanted);
    const [stayed, troubles] = [await isOpen(scene.server), scene.troubles.length];
    await new Promise((resolve) => other.close(resolve));
    await scene.update(wanted);

    expect([stayed, troubles]).toEqual([true, 1]);
    expect(scene.server).toBe(`http://127.0.0.1:${port}`);
  });
});
