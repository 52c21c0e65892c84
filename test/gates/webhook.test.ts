import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWebhookGate } from '../../src/gates/webhook.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { DIGEST, gate, SUBJECT } from './support.ts';

let http: Http;
let server: Server;
let answer: { status: number; body: string };
let seen: { request: IncomingMessage; body: string } | undefined;

beforeAll(async () => {
  http = createHttp({ connectionsPerHost: 2, userAgent: 'test', timeoutMs: 5_000 });
  server = createServer(async (request, response) => {
    seen = { request, body: await text(request) };
    if (answer.status !== 0) response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(() => {
  seen = undefined;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await http.close();
});

const secrets: Record<string, string> = { GATE_SECRET: 'hush' };

function ask(given: { status: number; body?: string }, secretVariable?: string, timeoutSeconds = 5) {
  answer = { body: '', ...given };
  const { port } = server.address() as AddressInfo;
  const test = {
    kind: 'webhook' as const,
    url: `http://127.0.0.1:${port}/ingot`,
    ...(secretVariable && { secretVariable }),
  };
  const runner = createWebhookGate({ http, fleet: 'acme', secret: (name) => secrets[name] });
  return runner.ask(gate(test, { timeoutSeconds }), SUBJECT, {});
}

describe('a webhook as gate', () => {
  test('is told what it is about, in JSON', async () => {
    await ask({ status: 204 });

    expect(seen?.request.method).toBe('POST');
    expect(seen?.request.headers).toMatchObject({ 'content-type': 'application/json' });
    expect(JSON.parse(seen!.body)).toEqual({
      ...{ fleet: 'acme', gate: 'contract', when: 'before', image: 'python', version: '3.11.4', digest: DIGEST },
      ...{
        reference: `127.0.0.1:5000/staging/python@${DIGEST}`,
        platforms: SUBJECT.platforms,
        reasons: SUBJECT.reasons,
      },
    });
  });

  test('can check who asks', async () => {
    await ask({ status: 200 }, 'GATE_SECRET');

    const expected = createHmac('sha256', 'hush').update(seen!.body).digest('hex');
    expect(seen?.request.headers['x-hub-signature-256']).toBe(`sha256=${expected}`);
  });

  test.each([
    [200, 'fine', { passed: true, message: 'fine' }],
    [204, '', { passed: true, message: '' }],
    [409, 'the canary died', { passed: false, message: 'answered 409: the canary died' }],
    [302, '', { passed: false, message: 'answered 302' }],
  ])('that answers %i judges', async (status, body, expected) => {
    expect(await ask({ status, body })).toEqual(expected);
  });

  test.each([429, 500, 503])('that answers %i was not asked: unknown is no refusal', async (status) => {
    await expect(ask({ status })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  test('that never answers was not asked', async () => {
    await expect(ask({ status: 0 }, undefined, 1)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  test('is not asked without the secret that it expects', async () => {
    await expect(ask({ status: 200 }, 'NO_SUCH')).rejects.toMatchObject({ code: 'configuration' });
    expect(seen).toBeUndefined();
  });
});
