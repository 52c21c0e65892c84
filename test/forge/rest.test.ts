import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { FactoryError } from '../../src/domain/errors.ts';
import { createRest, type Rest } from '../../src/forge/rest.ts';
import type { Budget } from '../../src/lib/budget.ts';
import { createHttp } from '../../src/lib/http.ts';

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A forge that answers as a test says, and the waits that it caused. */
async function restOf(answer: Answer, budget?: Budget): Promise<{ rest: Rest; waits: number[]; count: () => number }> {
  let count = 0;
  const waits: number[] = [];
  const server = createServer((request, response) => answer(request, response, ++count));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 5_000 });
  stops.push(async () => {
    await http.close();
    server.closeAllConnections();
    server.close();
  });
  const rest = createRest({
    http,
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    headers: async () => ({ authorization: 'token secret-of-this-test' }),
    refusal: (status) => `do something about ${status}`,
    sleep: async (ms) => void waits.push(ms),
    now: () => new Date('2026-08-22T02:00:00Z'),
    ...{ budget, spender: 'account-1f0c3a7e' },
  });
  return { rest, waits, count: () => count };
}

const Ok = z.object({ ok: z.boolean() });
const ok = (response: ServerResponse) => response.end('{"ok":true}');

test('too many requests: waits as long as it is told, then asks again, writes as well', async () => {
  const { rest, waits } = await restOf((_, response, count) => {
    if (count === 1) response.writeHead(429, { 'retry-after': '7' }).end();
    else if (count === 2) response.writeHead(429, { 'retry-after': 'Sat, 22 Aug 2026 02:00:03 GMT' }).end();
    else ok(response);
  });

  expect((await rest.send('POST', '/x', { a: 1 }, Ok)).body).toEqual({ ok: true });
  expect(waits).toEqual([7_000, 3_000]);
});

test('who is told to wait for long is told so at once', async () => {
  const { rest, waits } = await restOf((_, response) => response.writeHead(429, { 'retry-after': '3600' }).end());

  const failure = await rest.get('/x', Ok).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'rate-limited', retryable: true, details: { retryAfterMs: 3_600_000 } });
  expect(waits).toEqual([]);
});

test('a forge that is down for a moment is asked again for reads, never for writes', async () => {
  const { rest, waits, count } = await restOf((request, response, count) => {
    if (request.method === 'POST' || count < 3) response.writeHead(503).end('starting');
    else ok(response);
  });

  expect(await rest.get('/x', Ok)).toEqual({ ok: true });
  expect(waits).toEqual([500, 1_000]);
  await expect(rest.send('POST', '/x', {}, Ok)).rejects.toMatchObject({ code: 'unavailable' });
  expect(count()).toBe(4);
});

test('pages are asked for as long as there is a next one', async () => {
  const asked: string[] = [];
  const { rest } = await restOf((request, response, count) => {
    asked.push(request.url!);
    if (count < 3) response.setHeader('link', '<http://elsewhere.example/?page=9>; rel="next"');
    response.end(JSON.stringify([count]));
  });

  const pages: number[] = [];
  for await (const page of rest.pages('/x?page={page}', z.array(z.number()))) pages.push(...page);
  expect(pages).toEqual([1, 2, 3]);
  expect(asked).toEqual(['/api/v1/x?page=1', '/api/v1/x?page=2', '/api/v1/x?page=3']);
});

test('where pages have no numbers, the query of the link to the next one counts, and not its host', async () => {
  const asked: string[] = [];
  const { rest } = await restOf((request, response, count) => {
    asked.push(request.url!);
    const [first, next] = [
      '<http://x.example/x?a=1>; rel="first"',
      '<http://x.example/y/x?a=1&token=b%2Fc>; rel="next"',
    ];
    response.setHeader('link', count < 2 ? `${first}, ${next}` : first).end('[]');
  });

  for await (const page of rest.pages('/x?a=1', z.array(z.number()))) expect(page).toEqual([]);
  expect(asked).toEqual(['/api/v1/x?a=1', '/api/v1/x?a=1&token=b%2Fc']);
});

test.each([
  ['{"message":{"base":["is bad"]}}', 'base'],
  ['{"message":["one","two"]}', 'one'],
  [
    '{"error":"insufficient_scope","error_description":"too little","scope":"api"}',
    'insufficient_scope; too little; scope: api',
  ],
])('what a forge says in another form is said as well: %s', async (body, said) => {
  const { rest } = await restOf((_, response) => response.writeHead(409).end(body));

  await expect(rest.get('/x', Ok)).rejects.toThrow(said);
});

test.each([
  [404, 'not-found', /404 no such thing$/],
  [403, 'unauthorised', /403 no such thing; do something about 403$/],
  [409, 'conflict', /409/],
  [500, 'unavailable', /500/],
  [418, 'protocol', /418/],
])('%s is %s, with what the forge said', async (status, code, message) => {
  const { rest } = await restOf((_, response) => response.writeHead(status).end('{"message":"no such thing"}'));

  await expect(rest.get('/x', Ok)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('an answer that is not what the API promises is said as such, and so is a repository that moved', async () => {
  const { rest } = await restOf((request, response) => {
    if (request.url!.endsWith('moved')) response.writeHead(301, { location: '/api/v1/new' }).end();
    else response.end('{"ok":"yes"}');
  });

  await expect(rest.get('/x', Ok)).rejects.toThrow('the answer to GET /x is not what the API promises');
  await expect(rest.get('/moved', Ok)).rejects.toThrow(/it has moved: name the new address \(\/api\/v1\/new\)/);
});

test('every request is taken from what all processes may ask of the host', async () => {
  const spent: unknown[] = [];
  const budget: Budget = {
    spend: ({ host, counted, identity }, send) => {
      spent.push([host, counted, identity]);
      return send();
    },
  };
  const { rest } = await restOf((_, response) => response.end('{}'), budget);
  await rest.get('/a', z.unknown());
  await rest.send('POST', '/b', {}, z.unknown());

  expect(spent).toEqual([
    [expect.stringMatching(/^127\.0\.0\.1:\d+$/), true, 'account-1f0c3a7e'],
    [expect.stringMatching(/^127\.0\.0\.1:\d+$/), true, 'account-1f0c3a7e'],
  ]);
});

test('a host that lets nobody ask for long is an error of the forge, and nothing is sent', async () => {
  const spend = async () => {
    const details = { retryAfterMs: 3_600_000 };
    throw new FactoryError('log in there', { code: 'rate-limited', retryable: true, details });
  };
  const { rest, waits, count } = await restOf((_, response) => response.end('{}'), { spend });

  await expect(rest.get('/a', z.unknown())).rejects.toMatchObject({ name: 'ForgeError', code: 'rate-limited' });
  expect(waits).toEqual([]);
  expect(count()).toBe(0);
});
