import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';

let scene: ApiScene;

beforeEach(async () => {
  scene = await startApiScene();
});
afterEach(() => scene.stop());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const login = (field: string, value: string, headers: Record<string, string> = {}) =>
  scene.ask('/login', {
    method: 'POST',
    body: `${field}=${encodeURIComponent(value)}`,
    headers: { ...FORM, ...headers },
  });
const cookieOf = ({ headers }: { headers: Headers }) => headers.get('set-cookie')!.split(';')[0]!;
const code = () => /\/login\?code=(\S+)$/.exec(scene.printed.find((line) => line.includes('code='))!)![1]!;

/** @returns headers of the session, with and without what only our own pages know */
async function signIn(token: string) {
  const cookie = cookieOf(await login('token', token));
  const { body } = await scene.ask('/v1/session', { headers: { cookie } });
  return { cookie: { cookie }, own: { cookie, 'x-csrf-token': body.csrf as string }, self: body };
}

describe('the link of a service that nobody configured', () => {
  test('signs in an admin, once, by the press of a button', async () => {
    const page = await scene.ask(`/login?code=${code()}`);
    const first = await login('code', code());
    const second = await login('code', code());

    expect(page.body).toContain('Sign in as admin');
    expect(first.status).toBe(303);
    expect(first.headers.get('set-cookie')).toMatch(/^ingot_session=.*HttpOnly.*SameSite=Lax/);
    const self = await scene.ask('/v1/session', { headers: { cookie: cookieOf(first) } });
    expect(self.body).toMatchObject({ name: 'admin link', role: 'admin', images: ['*'] });
    expect(second.status).toBe(401);
    expect(second.headers.get('set-cookie')).toBeNull();
  });

  test('is not printed where access is configured', async () => {
    const configured = await startApiScene({ access: {} });
    await configured.stop();

    expect(configured.printed.join()).not.toContain('code=');
  });

  test('is in the audit log when it was used, and when it was tried again', async () => {
    const used = code();
    await login('code', used);
    await login('code', used);

    const entries = await scene.audit();

    expect(entries.map(({ who, what, outcome }) => [who, what, outcome])).toEqual([
      ['admin link', 'session.start', 'done'],
      ['unknown', 'session.start', 'refused'],
    ]);
    expect(JSON.stringify(entries)).not.toContain(used);
  });
});

describe('a session', () => {
  test('may what its token may', async () => {
    const { own, self } = await signIn(await scene.token('operator', ['base']));

    const base = await scene.ask('/v1/rebuilds', { body: { images: ['base'] }, headers: own });
    const child = await scene.ask('/v1/rebuilds', { body: { images: ['child'] }, headers: own });

    expect(self).toMatchObject({ name: 'token operator of base', role: 'operator', images: ['base'] });
    expect([base.status, child.status]).toEqual([202, 403]);
  });

  test('ends with its token', async () => {
    const { cookie } = await signIn(await scene.token('viewer'));
    await scene.tokens.revoke('viewer');

    expect((await scene.ask('/v1/session', { headers: cookie })).status).toBe(401);
  });

  test('is over once it was ended, also for who has kept its cookie', async () => {
    const { cookie } = await signIn(await scene.token('viewer'));
    const out = await scene.ask('/logout', {
      method: 'POST',
      body: '',
      headers: { ...cookie, ...FORM, origin: scene.server },
    });
    const csrf = (await scene.ask('/v1/session', { headers: cookie })).body.csrf;
    const proper = await scene.ask('/logout', {
      method: 'POST',
      body: '',
      headers: { ...cookie, ...FORM, 'x-csrf-token': csrf },
    });

    expect(out.status).toBe(403);
    expect(proper.status).toBe(303);
    expect((await scene.ask('/v1/session', { headers: cookie })).status).toBe(401);
  });

  test.each([
    ['the word of the session', (csrf: string) => csrf, 303],
    ['another word', () => '0'.repeat(32), 403],
  ])('is ended by a plain form with %s in a field', async (_, field, status) => {
    const { cookie, own } = await signIn(await scene.token('viewer'));
    const body = `_csrf=${field(own['x-csrf-token'])}`;

    const out = await scene.ask('/logout', { method: 'POST', body, headers: { ...cookie, ...FORM } });

    expect(out.status).toBe(status);
  });

  test.each([
    ['forged', (cookie: string) => `${cookie.slice(0, -6)}AAAAAA`],
    ['signed with nothing', () => `ingot_session=${btoa('{"alg":"none"}')}.${btoa('{"role":"admin"}')}.`],
    ['empty', () => 'ingot_session='],
  ])('that is %s is none', async (_, change) => {
    const { cookie } = await signIn(await scene.token('viewer'));

    const answer = await scene.ask('/v1/session', { headers: { cookie: change(cookie.cookie) } });

    expect(answer.status).toBe(401);
  });
});

describe('a page of somebody else', () => {
  test.each<[string, (own: Record<string, string>, cookie: Record<string, string>) => Record<string, string>]>([
    ['that knows the cookie alone', (_, cookie) => cookie],
    ['with a wrong word', (own) => ({ ...own, 'x-csrf-token': '0'.repeat(32) })],
    ['that says where it is from', (own) => ({ ...own, origin: 'https://evil.example' })],
    ['in a frame without an origin', (own) => ({ ...own, origin: 'null' })],
    ['whose browser says so', (own) => ({ ...own, 'sec-fetch-site': 'cross-site' })],
  ])('%s changes nothing', async (_, headersOf) => {
    const { own, cookie } = await signIn(await scene.token('admin'));

    const headers = headersOf(own, cookie);
    const answer = await scene.ask('/v1/rebuilds', { body: { images: ['base'] }, headers });

    expect(answer.status).toBe(403);
    expect(scene.service.changes).toEqual([]);
  });

  test('does not sign anybody in', async () => {
    const answer = await login('token', await scene.token('admin'), { origin: 'https://evil.example' });

    expect(answer.status).toBe(403);
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  test('is told apart from our own, which changes things', async () => {
    const { own } = await signIn(await scene.token('admin'));

    const headers = { ...own, origin: scene.server, 'sec-fetch-site': 'same-origin' };
    const answer = await scene.ask('/v1/rebuilds', { body: { images: ['base'] }, headers });

    expect(answer.status).toBe(202);
  });
});

describe('behind a proxy that ends TLS', () => {
  test('the cookie is for TLS alone, origins are those of the public address, and addresses those that it tells', async () => {
    await scene.stop();
    scene = await startApiScene({ access: { url: 'https://ingot.acme.example', proxies: ['127.0.0.0/8'] } });
    const origin = 'https://ingot.acme.example';
    const token = await scene.token('operator');

    const answer = await login('token', token, { origin, 'x-forwarded-for': '203.0.113.9, 127.0.0.2' });
    const own = await login('token', token, { origin: scene.server });

    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-ingot_session=.*Secure/);
    expect(own.status).toBe(403);
    expect(await scene.audit()).toMatchObject([{ what: 'session.start', from: '203.0.113.9' }]);
  });
});
