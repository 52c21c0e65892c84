import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownPath } from '../../src/api/own-path.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';

let scene: ApiScene;
beforeEach(async () => {
  scene = await startApiScene({ heartbeatMs: 50 });
});
afterEach(() => scene.stop());

test.each([
  ['/images/base?tab=runs', '/images/base?tab=runs'],
  ['//evil.example', '/'],
  ['/\\evil.example', '/'],
  ['/\t/evil.example', '/'],
  ['/\r\nset-cookie: a=b', '/'],
  ['https://evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['', '/'],
  [undefined, '/'],
])('a way back to %j leads to %s, on this host', (given, path) => {
  expect(ownPath(given)).toBe(path);
  expect(new URL(ownPath(given), 'http://ours.example').host).toBe('ours.example');
});

describe('a stream of somebody whose credential is taken back', () => {
  const read = async (headers: Record<string, string>, path: string) => {
    const answer = await fetch(scene.server + path, { headers, signal: AbortSignal.timeout(10_000) });
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    await reader.read();
    return async () => {
      for (let text = ''; ; ) {
        const { done, value } = await reader.read();
        if (done) return text;
        text += value;
      }
    };
  };

  test('ends when the token is revoked, and says nothing more', async () => {
    const rest = await read({ authorization: `Bearer ${await scene.token('viewer')}` }, '/v1/events');
    await scene.tokens.revoke('viewer');

    expect(await rest()).toMatch(/^[:\s]*$/);
    await expect.poll(() => scene.service.followers()).toBe(0);
  });

  test('ends when the session is over', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `token=${await scene.token('viewer')}`;
    const signedIn = await scene.ask('/login', { method: 'POST', body, headers });
    const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
    const { csrf } = (await scene.ask('/v1/session', { headers: { cookie } })).body;
    const rest = await read({ cookie }, '/v1/events');
    await scene.ask('/logout', { method: 'POST', body: `_csrf=${csrf}`, headers: { ...headers, cookie } });

    expect(await rest()).toMatch(/^[:\s]*$/);
  });
});

describe('--listen', () => {
  test.each([
    ['0.0.0.0:0', {}, /is open to others; write "access: \{ url:/],
    ['0.0.0.0:0', undefined, /is open to others/],
    ['8080', undefined, /must be address:port/],
    ['127.0.0.1.evil.example:0', undefined, /must be address:port/],
  ])('%s with access %j is refused, as the file would be', async (listen, access, message) => {
    await expect(startApiScene({ listen, access, redisUrl: scene.redis!.url })).rejects.toThrow(message);
  });

  test('that is open to others keeps its settings when the file has none for it any more', async () => {
    const access = { url: 'https://ingot.acme.example' };
    const open = await startApiScene({ listen: '0.0.0.0:0', access, redisUrl: scene.redis!.url });
    await open.update(undefined);
    await open.stop();

    expect(open.troubles).toEqual([
      expect.stringMatching(/^"access" is not taken over: --listen .* is open to others/),
    ]);
    expect(open.printed.join()).not.toContain('code=');
  });
});

test('a request id of somebody else brings no header of its own', async () => {
  const { headers } = await scene.ask('/healthz', { headers: { 'x-request-id': 'a b; c=<script>' } });

  expect(headers.get('x-request-id')).toMatch(/^[\w-]+$/);
});

test.each([
  '/assets/../package.json',
  '/assets/%2e%2e%2fpackage.json',
  '/assets/..%5c..%5cpackage.json',
  '/assets//etc/passwd',
])('%s is no file', async (path) => {
  const { status, body } = await scene.ask(path);

  expect(status).toBe(404);
  expect(JSON.stringify(body)).not.toContain('dependencies');
});
