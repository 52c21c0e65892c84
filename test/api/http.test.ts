import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FactoryError } from '../../src/domain/errors.ts';
import { ServiceError } from '../../src/service/service.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { DIGEST, RUN, runOf } from '../support/fake-service.ts';

let scene: ApiScene;
let token: string;

beforeEach(async () => {
  scene = await startApiScene();
  token = await scene.token('admin');
});
afterEach(() => scene.stop());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  scene.ask(path, { method: 'POST', token, body, headers });

describe('a problem', () => {
  test('names every mistake of a body with a pointer', async () => {
    const answer = await post('/v1/rebuilds', { images: ['python', 'no name'], priority: 'soon', extra: 1 });

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body).toMatchObject({ type: 'urn:ingot:problem:invalid', status: 400 });
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.sort()).toEqual(['#', '#/images/1', '#/priority']);
  });

  test.each<[string, () => Promise<{ status: number; body: { type: string } }>, number]>([
    ['of a parameter', () => scene.ask('/v1/runs?limit=0', { token }), 400],
    ['of a body that is no JSON', () => post('/v1/rebuilds', '{'), 400],
    ['of a body of another kind', () => post('/v1/rebuilds', 'a=b', { 'content-type': 'text/plain' }), 415],
    ['of an unknown path', () => scene.ask('/v1/nothing', { token }), 404],
    ['of an unknown image', () => scene.ask('/v1/images/nobody', { token }), 404],
    ['of a body that is too large', () => post('/v1/rebuilds', { reason: 'x'.repeat(300_000) }), 413],
  ])('%s has its status', async (_, ask, status) => {
    const answer = await ask();

    expect(answer.status).toBe(status);
    expect(answer.body.type).toMatch(/^urn:ingot:problem:/);
  });

  test('of a method tells those that are known', async () => {
    const answer = await scene.ask('/v1/images', { method: 'DELETE', token });

    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  test.each([
    [new ServiceError('Redis does not answer', { code: 'unavailable' }), 503],
    [new FactoryError('slow down', { code: 'rate-limited', details: { retryAfterMs: 61_000 } }), 503],
    [new FactoryError('too slow', { code: 'timed-out' }), 504],
    [new ServiceError('not now', { code: 'conflict' }), 409],
  ])('of the service is told: %s', async (error, status) => {
    scene.service.failWith(error);

    const answer = await scene.ask('/v1/images/base', { token });

    expect(answer.status).toBe(status);
    expect(answer.body.detail).toBe(error.message);
    if (status === 503) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('of ingot itself tells nothing but the id of the request, which the log has', async () => {
    scene.service.failWith(new Error('password=hunter2 in /srv/secret'));

    const answer = await scene.ask('/v1/images/base', { token, headers: { 'x-request-id': 'abc-123' } });

    expect(answer.status).toBe(500);
    expect(answer.headers.get('x-request-id')).toBe('abc-123');
    expect(JSON.stringify(answer.body)).not.toMatch(/hunter2|srv/);
    expect(scene.troubles.join()).toContain('request abc-123 failed');
  });
});

describe('an answer', () => {
  test('has no field that is not promised: no paths of the machine', async () => {
    const { body } = await scene.ask('/v1/images/base', { token });

    expect(body.definition).toMatchObject({ line: '12', recipe: { kind: 'own' } });
    expect(JSON.stringify(body)).not.toContain('/srv/golden');
  });

  test('is not sent again to who has it', async () => {
    const first = await scene.ask('/v1/images', { token });
    const second = await scene.ask('/v1/images', { token, headers: { 'if-none-match': first.headers.get('etag')! } });

    expect(first.status).toBe(200);
    expect(second.status).toBe(304);
    expect(second.body).toBe('');
  });

  test('says what browsers may do with it, and how much is left', async () => {
    const { headers } = await scene.ask('/v1/images', { token });

    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(Number(headers.get('ratelimit-remaining'))).toBeLessThan(600);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a rebuild', () => {
  test('is started once under a key', async () => {
    const headers = { 'idempotency-key': 'build-7' };
    const first = await post('/v1/rebuilds', { images: ['base'] }, headers);
    const again = await post('/v1/rebuilds', { images: ['base'] }, headers);
    const other = await post('/v1/rebuilds', { images: ['child'] }, headers);

    expect(first.status).toBe(202);
    expect(again.body).toEqual(first.body);
    expect(other.status).toBe(422);
    expect(other.body.type).toBe('urn:ingot:problem:key-used');
  });

  test('under a key of somebody else is another one', async () => {
    const headers = { 'idempotency-key': 'build-7' };
    const mine = await post('/v1/rebuilds', { images: ['base'] }, headers);
    const other = await scene.token('operator');
    const theirs = await scene.ask('/v1/rebuilds', { token: other, body: { images: ['base'] }, headers });

    expect(theirs.status).toBe(202);
    expect(theirs.body.runs[0].id).not.toBe(mine.body.runs[0].id);
  });

  test('is in the audit log: who, what, why, from where, and what came of it', async () => {
    await post('/v1/rebuilds', { images: ['base'], reason: `pasted ${token} \u001b[2J` }, { 'x-request-id': 'r1' });
    const viewer = await scene.token('viewer');
    await scene.ask('/v1/rebuilds', { token: viewer, body: { images: ['base'] } });

    const entries = await scene.audit();

    expect(entries.map(({ who, what, outcome }) => [who, what, outcome])).toEqual([
      ['token admin', 'rebuild.start', 'begun'],
      ['token admin', 'rebuild.start', 'done'],
      ['token viewer', 'rebuild.start', 'begun'],
      ['token viewer', 'rebuild.start', 'refused'],
    ]);
    expect(entries[1]).toMatchObject({ from: '127.0.0.1', on: ['base'], request: 'r1', role: 'admin' });
    const said = JSON.stringify(entries) + scene.printed.join() + scene.troubles.join();
    expect(said).not.toContain(token.slice(-64));
    expect(said).not.toContain('\\u001b');
    expect(scene.printed.filter((line) => line.startsWith('audit '))).toHaveLength(4);
  });
});

describe('a list of runs', () => {
  test('goes on page by page', async () => {
    for (const image of ['base', 'child', 'base']) await post('/v1/rebuilds', { images: [image] });

    const first = await scene.ask('/v1/runs?limit=3', { token });
    const second = await scene.ask(`/v1/runs?limit=3&cursor=${first.body.next}`, { token });

    expect(first.body.items).toHaveLength(3);
    expect(second.body.items.map(({ id }: { id: string }) => id)).toEqual([RUN]);
    expect(second.body.next).toBeUndefined();
  });
});

describe('a long poll', () => {
  test('answers as soon as the run has ended', async () => {
    const polled = scene.ask(`/v1/runs/${RUN}?wait=60`, { token });
    const ended = { ...runOf(RUN, 'base'), state: 'ended', outcome: 'released', digest: DIGEST } as const;
    scene.service.stored.set(RUN, ended);

    expect((await polled).body).toMatchObject({ state: 'ended', outcome: 'released', digest: DIGEST });
  });

  test('answers with what there is when the time is over, and when the server stops', async () => {
    const short = await scene.ask(`/v1/runs/${RUN}?wait=1`, { token });
    const polled = scene.ask(`/v1/runs/${RUN}?wait=100`, { token });
    await scene.ask('/v1/session', { token }); // the poll is under way by now

    await scene.stop();

    expect(short.body.state).toBe('running');
    expect((await polled).body.state).toBe('running');
    scene = await startApiScene();
  });
});

describe('limits', () => {
  test('hold for each credential alone', async () => {
    await scene.stop();
    scene = await startApiScene({ access: { requestsPerMinute: 10 } });
    const [busy, quiet] = [await scene.token('viewer'), await scene.token('viewer', ['base'])];

    const answers = [];
    for (let count = 0; count < 12; count++) answers.push(await scene.ask('/v1/session', { token: busy }));
    const other = await scene.ask('/v1/session', { token: quiet });

    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(200), 429, 429]);
    expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(other.status).toBe(200);
  });

  test('slow down those who guess', async () => {
    await scene.stop();
    scene = await startApiScene({ access: { requestsPerMinute: 20 } });

    const statuses = [];
    for (let count = 0; count < 4; count++) {
      const guess = `ingot_${'0'.repeat(12)}_${String(count).repeat(64)}`;
      statuses.push((await scene.ask('/v1/session', { token: guess })).status);
    }

    expect(statuses).toEqual([401, 401, 429, 429]);
  });
});

describe('the reference', () => {
  test('is one page that needs nothing from elsewhere', async () => {
    const page = await scene.ask('/reference');

    expect(page.status).toBe(200);
    expect(page.body).toContain('/v1/rebuilds');
    expect(page.body).not.toContain('<script');
    expect([...page.body.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, target]) => target)).toEqual([
      '/assets/api.css',
      '/openapi.json',
    ]);
    expect((await scene.ask('/assets/api.css')).headers.get('content-type')).toContain('text/css');
  });
});
