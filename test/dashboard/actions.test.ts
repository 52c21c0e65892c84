import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDashboard } from '../../src/dashboard/create-dashboard.ts';
import type { AccessRole } from '../../src/domain/access/principal.ts';
import { ServiceError } from '../../src/service/service.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { changedDiff } from '../support/changed-diff.ts';
import { RUN, runOf } from '../support/fake-service.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await startApiScene({ access: {}, pages: createDashboard });
});
afterEach(() => scene.stop());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Signs in by the form, as a browser does, and reads what forms of the pages carry. */
async function browser(role: AccessRole, images?: readonly string[]) {
  const token = await scene.token(role, images);
  const answer = await scene.ask('/login', { method: 'POST', headers: FORM, body: `token=${token}&to=%2Fruns` });
  const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
  const { body } = await scene.ask('/', { headers: { cookie } });
  const csrf = /name="_csrf" value="([0-9a-f]+)"/.exec(body)![1]!;
  const post = (path: string, fields: Record<string, string>, proof = csrf) =>
    scene.ask(path, {
      method: 'POST',
      headers: { ...FORM, cookie },
      body: new URLSearchParams({ ...fields, _csrf: proof }).toString(),
    });
  return {
    cookie,
    post,
    landed: answer.headers.get('location'),
    get: (path: string, more = '') => scene.ask(path, { headers: { cookie: cookie + more } }),
  };
}

describe('a form without a script', () => {
  test.each([
    ['operator', '/images/base/rebuild', { priority: 'critical', reason: 'now' }, 'startRebuild', /^\/runs\/01KB/],
    ['operator', '/images/base/pause', { reason: 'a freeze', until: '4h' }, 'pause', /^\/images\/base$/],
    ['operator', '/images/base/resume', {}, 'resume', /^\/images\/base$/],
    ['admin', '/images/base/rollback', { to: '12.0.0', reason: 'broken' }, 'rollback', /^\/images\/base$/],
    ['admin', '/images/base/quarantine', { what: '12.0.0', reason: 'broken' }, 'quarantine', /^\/images\/base$/],
    ['admin', '/images/base/unquarantine', { what: '12.0.0' }, 'unquarantine', /^\/images\/base$/],
    ['operator', `/runs/${RUN}/cancel`, { reason: '' }, 'cancelRun', /^\/runs\//],
    ['operator', `/runs/${RUN}/retry`, {}, 'retryRun', /^\/runs\//],
    ['operator', '/fleet/look', {}, 'look', /^\/$/],
    ['admin', '/fleet/pause', { reason: 'a freeze' }, 'pause', /^\/$/],
    ['admin', '/fleet/resume', {}, 'resume', /^\/$/],
  ] as const)(
    'of an %s at %s does what the API does, and is in the audit log',
    async (role, path, fields, method, to) => {
      const { post, get } = await browser(role);
      const shown = await get(path);

      const answer = await post(path, fields);

      expect(shown.status).toBe(200);
      expect(shown.body).toContain(`method="post" action="${path}"`);
      expect(answer.status, answer.body).toBe(303);
      expect(answer.headers.get('location')).toMatch(to);
      expect(scene.service.changes.map((change) => change.method)).toEqual([method]);
      expect(JSON.stringify(scene.service.changes)).toContain(`"by":"token ${role}"`);
      expect((await scene.audit()).at(-1)).toMatchObject({ who: `token ${role}`, outcome: 'done' });
    },
  );

  test('says on the next page how it went, once', async () => {
    const { post, get } = await browser('admin');
    const answer = await post('/images/base/pause', { reason: 'a freeze' });
    const flash = answer.headers
      .getSetCookie()
      .find((each) => each.startsWith('ingot_flash'))!
      .split(';')[0]!;

    const next = await get('/images/base', `; ${flash}`);

    expect(next.body).toMatch(/role="status">base is paused\./);
    expect(next.headers.getSetCookie().join()).toMatch(/ingot_flash=; Max-Age=0/);
  });

  test('that lacks a reason is shown again with what it had', async () => {
    const { post } = await browser('admin');

    const answer = await post('/images/base/rollback', { to: '12.0.0', reason: '  ' });

    expect(answer.status).toBe(400);
    expect(answer.body).toContain('Say a reason.');
    expect(answer.body).toContain('<option value="12.0.0" selected');
    expect(scene.service.changes).toEqual([]);
  });

  test('that comes too late says why', async () => {
    const { post } = await browser('operator');
    scene.service.stored.set(RUN, { ...runOf(RUN, 'base'), state: 'ended', outcome: 'released' });

    const answer = await post(`/runs/${RUN}/cancel`, {});

    expect(answer.status).toBe(409);
    expect(answer.body).toContain('has ended');
  });
});

describe('what does not come from our own page', () => {
  test.each([
    ['without the proof', '', {}],
    ['with a wrong one', 'f'.repeat(32), {}],
  ])('%s does nothing', async (_, proof) => {
    const { post } = await browser('admin');

    const answer = await post('/images/base/rollback', { reason: 'x' }, proof);

    expect(answer.status).toBe(403);
    expect(scene.service.changes).toEqual([]);
  });

  test('from the page of somebody else does nothing, whatever it knows', async () => {
    const { cookie } = await browser('admin');
    const { body } = await scene.ask('/', { headers: { cookie } });
    const csrf = /name="_csrf" value="([0-9a-f]+)"/.exec(body)![1]!;

    const headers = { ...FORM, cookie, origin: 'https://evil.example' };
    const answer = await scene.ask('/fleet/look', { method: 'POST', headers, body: `_csrf=${csrf}` });

    expect(answer.status).toBe(403);
    expect(scene.service.changes).toEqual([]);
  });
});

describe('a comparison', () => {
  test.each([
    [{ state: 'running' } as const, 'Comparing'],
    [{ state: 'failed', why: 'the registry is away' } as const, 'the registry is away'],
  ])('that is %o says so', async (view, text) => {
    scene.service.diff = async () => view;
    const { get } = await browser('viewer');

    const { status, body } = await get('/images/base/diff?before=12.0.0&after=12.0.1');

    expect(status).toBe(200);
    expect(body).toContain(text);
    expect(body.includes('data-every="1500"')).toBe(view.state === 'running');
  });

  test('of nothing that is a version is refused', async () => {
    const { get } = await browser('viewer');

    expect((await get('/images/base/diff?before=1&after=../x')).status).toBe(400);
  });
});

describe('who may less', () => {
  test.each([
    ['viewer', '/images/base/rebuild'],
    ['operator', '/images/base/rollback'],
    ['operator', '/fleet/pause'],
  ] as const)('as a %s gets neither the form nor the deed of %s', async (role, path) => {
    const { post, get } = await browser(role);

    const [shown, done] = [await get(path), await post(path, { reason: 'x' })];

    expect([shown.status, done.status]).toEqual([403, 403]);
    expect(scene.service.changes).toEqual([]);
  });

  test('of other images is refused this one', async () => {
    const { post } = await browser('admin', ['chi*']);

    const answer = await post('/images/base/rebuild', {});

    expect(answer.status).toBe(403);
    expect(scene.service.changes).toEqual([]);
  });
});

describe('signing in', () => {
  test('leads back to the page that was asked for, and never elsewhere', async () => {
    const token = await scene.token('viewer');
    const landing = async (to: string) => {
      const body = new URLSearchParams({ token, to }).toString();
      return (await scene.ask('/login', { method: 'POST', headers: FORM, body })).headers.get('location');
    };

    expect((await browser('viewer')).landed).toBe('/runs');
    expect(await Promise.all(['//evil.example', '/\\evil.example', 'https://evil.example', ''].map(landing))).toEqual([
      '/',
      '/',
      '/',
      '/',
    ]);
  });

  test('ends by a form', async () => {
    const { post, get } = await browser('viewer');

    const answer = await post('/logout', {});

    expect(answer.headers.get('location')).toBe('/login');
    expect((await get('/')).headers.get('location')).toBe('/login');
  });

  test('keeps the colours that were chosen', async () => {
    const { post, get } = await browser('viewer');

    const answer = await post('/theme', { theme: 'dark', back: '//evil.example' });

    expect(answer.headers.get('location')).toBe('/');
    const cookie = answer.headers.get('set-cookie')!.split(';')[0]!;
    expect((await get('/', `; ${cookie}`)).body).toContain('<html lang="en" data-theme="dark">');
  });
});

describe('names and words of others', () => {
  const HOSTILE = '"><script>alert(1)<img src=x onerror=alert(1)>';

  test('stand in pages as they are written', async () => {
    scene.service.stored.set(RUN, {
      ...runOf(RUN, HOSTILE),
      summary: HOSTILE,
      steps: [{ name: HOSTILE, state: 'failed', startedAt: 1, endedAt: 2, external: true, error: HOSTILE }],
      request: { by: HOSTILE, reason: HOSTILE, at: HOSTILE },
    });
    scene.service.runLogs = async () => [{ platform: HOSTILE, lines: [`${HOSTILE} \u001b[31mred\u001b[0m`] }];
    scene.service.pulls = async () => ({ pulls: [], unknown: [{ repository: HOSTILE, why: HOSTILE }] });
    scene.service.upstreams = async () => [
      { name: 'docker.io/library/debian:12', source: HOSTILE, platforms: {}, images: [HOSTILE], unknown: HOSTILE },
    ];
    const { get } = await browser('admin');

    for (const path of ['/runs', `/runs/${RUN}`, `/runs/${RUN}?q=%3Cscript%3E`, '/downstreams', '/upstreams']) {
      const { status, body } = await get(path);
      expect(status, path).toBe(200);
      expect(body, path).toContain('&lt;script&gt;');
      expect(body, path).not.toMatch(/<script>|<img/);
      expect(body, path).not.toContain('\u001b');
    }
  });

  test('stand in a comparison of two releases', async () => {
    scene.service.diff = async () => ({ state: 'done', diff: changedDiff(HOSTILE) });
    const { get } = await browser('viewer');

    const { status, body } = await get('/images/base/diff?before=12.0.0&after=12.0.1');

    expect(status).toBe(200);
    expect(body.match(/&lt;script&gt;/g)!.length).toBeGreaterThan(8);
    expect(body).not.toMatch(/<script>|<img/);
    expect(body).toContain('28.6 MiB → 30.5 MiB (+1.9 MiB)');
  });

  test('are in errors as well', async () => {
    const { get } = await browser('admin');
    scene.service.failWith(new ServiceError(HOSTILE, { code: 'unavailable' }));

    const { status, body } = await get(`/images/${encodeURIComponent('<script>')}`);

    expect(status).toBe(503);
    expect(body).not.toContain('<script>');
  });

  test('are led to only by addresses of the web', async () => {
    const marker = `<!-- ingot: ${JSON.stringify({ image: 'base', version: '12.0.0', digest: `sha256:${'a'.repeat(64)}`, files: `sha256:${'a'.repeat(64)}` })} -->`;
    const pull = { repository: 'shop', number: 1, title: 'Move', state: 'open', body: marker };
    scene.service.pulls = async () => ({ pulls: [{ ...pull, url: 'javascript:alert(1)' }], unknown: [] });
    const { get } = await browser('viewer');

    const { body } = await get('/downstreams');

    expect(body).toContain('#1 Move');
    expect(body).not.toContain('javascript:');
  });
});
