import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { exec } from '../../src/lib/exec.ts';
import { createHttp, type Http, type HttpError, type HttpOptions, isLoopbackHost } from '../../src/lib/http.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const serve = (listener: RequestListener) => listen(createServer(listener));
function open(options: Partial<HttpOptions> = {}): Http {
  const http = createHttp({ connectionsPerHost: 2, userAgent: 'ingot-test/1', timeoutMs: 5_000, ...options });
  closers.push(() => http.close());
  return http;
}

test('gives status, headers and body of any answer, redirects too', async () => {
  const agents: unknown[] = [];
  const address = await serve((request, response) => {
    agents.push(request.headers['user-agent']);
    response.writeHead(307, { location: '/elsewhere' }).end('moved');
  });

  const response = await open().request(`http://${address}/`, { method: 'GET' });

  expect([response.status, response.headers.location, await response.text()]).toEqual([307, '/elsewhere', 'moved']);
  expect(agents).toEqual(['ingot-test/1']);
});

test('uses connections again, no more at once than allowed', async () => {
  const sockets = new Set<unknown>();
  const address = await serve(({ socket }, response) => {
    sockets.add(socket);
    response.end('x');
  });
  const http = open();

  const ask = async () => (await http.request(`http://${address}/`, { method: 'GET' })).discard();
  await Promise.all(Array.from({ length: 20 }, ask));

  expect(sockets.size).toBe(2);
});

test('a HEAD leaves the connection to the next request', async () => {
  const sockets = new Set<unknown>();
  const address = await serve(({ socket }, response) => {
    sockets.add(socket);
    response.writeHead(200, { 'content-length': '5' }).end('right');
  });
  const http = open({ connectionsPerHost: 1 });

  for (const method of ['HEAD', 'HEAD', 'GET']) await (await http.request(`http://${address}/`, { method })).discard();

  expect(sockets.size).toBe(1);
});

test('a server that answers HEAD with a body gives no wrong answer to what is asked next', async () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
  const server = createTcpServer((socket) => {
    socket.on('data', (asked) => socket.write(`${answer}${asked.toString().startsWith('HEAD') ? 'wrong' : 'right'}`));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const http = open({ connectionsPerHost: 1 });

  for (let turn = 0; turn < 5; turn++) {
    await (await http.request(url, { method: 'HEAD' })).discard();
    const asking = http.request(url, { method: 'GET' }).then((response) => response.text());
    const end = await asking.catch((error: HttpError) => [error.code, error.retryable]);
    expect(['right', ['unavailable', true]]).toContainEqual(end);
  }
});

test('sends bytes, text and streams', async () => {
  const address = await serve((request, response) => void request.pipe(response));
  const http = open();
  async function* chunks() {
    yield Buffer.from('a');
    yield Buffer.from('b');
  }

  const echo = async (body: string | Uint8Array | AsyncIterable<Uint8Array>) =>
    (await http.request(`http://${address}/`, { method: 'PUT', body })).text();

  expect(await echo('text')).toBe('text');
  expect(await echo(Buffer.from('bytes'))).toBe('bytes');
  expect(await echo(chunks())).toBe('ab');
});

test('ends a body that is too large', async () => {
  const address = await serve((_, response) => void response.end('x'.repeat(1000)));
  const http = open();

  const read = async (maxBytes: number | undefined, limit: number) =>
    (await http.request(`http://${address}/`, { method: 'GET', maxBytes })).bytes(limit);

  await expect(read(undefined, 999)).rejects.toMatchObject({ code: 'too-large', retryable: false });
  await expect(read(999, 2000)).rejects.toMatchObject({ code: 'too-large' });
  expect(await read(1000, 1000)).toHaveLength(1000);
});

test('gives up on an answer that does not come, or does not end', async () => {
  const address = await serve((request, response) => {
    if (request.url === '/body') response.write('x');
  });

  const head = open({ timeoutMs: 50 }).request(`http://${address}/head`, { method: 'GET' });
  await expect(head).rejects.toMatchObject({ code: 'timed-out' });
  // Long enough for the headers on a busy machine, since only the body is not to come.
  const response = await open({ timeoutMs: 1_000 }).request(`http://${address}/body`, { method: 'GET' });
  await expect(response.text()).rejects.toMatchObject({ code: 'timed-out', retryable: true });
});

test('ends when it is cancelled, before and during the body', async () => {
  const address = await serve((_, response) => void response.write('x'));
  const http = open();
  const controller = new AbortController();

  const response = await http.request(`http://${address}/`, { method: 'GET', signal: controller.signal });
  controller.abort();

  await expect(response.text()).rejects.toMatchObject({ code: 'cancelled', retryable: false });
  const again = http.request(`http://${address}/`, { method: 'GET', signal: controller.signal });
  await expect(again).rejects.toMatchObject({ code: 'cancelled' });
});

test('tells of a failure without the secrets of the address', async () => {
  const request = open().request('http://user:hunter22@127.0.0.1:1/path?signature=s3cret', { method: 'GET' });

  const error = await request.catch((caught: Error) => caught);

  expect(error).toMatchObject({ code: 'unavailable', retryable: true });
  expect((error as Error).message).toMatch(/^GET http:\/\/127\.0\.0\.1:1\/path failed: /);
  expect((error as Error).message).not.toMatch(/hunter22|s3cret/);
});

test('asks the proxy for the world, not for this machine nor for what is exempt', async () => {
  const proxied: string[] = [];
  const listener = (request: IncomingMessage) => proxied.push(`${request.method} ${request.url}`);
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    listener(request);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const proxyAddress = await listen(proxy);
  const here = await serve((_, response) => void response.end('here'));
  const http = open({
    timeoutMs: 2_000,
    proxy: { http: `http://${proxyAddress}`, https: `http://${proxyAddress}`, no: 'exempt.invalid' },
  });

  await http.request('https://registry.invalid/v2/', { method: 'GET' }).catch(() => undefined);
  await http.request('https://exempt.invalid/v2/', { method: 'GET' }).catch(() => undefined);
  const response = await http.request(`http://${here}/`, { method: 'GET' });

  expect(await response.text()).toBe('here');
  expect(proxied).toEqual(['CONNECT registry.invalid:443']);
});

test('trusts a certificate authority that it is given, and no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-ca-'));
  closers.push(() => rm(folder, { recursive: true }));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const files = ['-keyout', key, '-out', certificate];
  await exec('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...name, ...files]);
  const ca = await readFile(certificate, 'utf8');
  const server = createSecureServer(
    { key: await readFile(key), cert: ca },
    (_, response) => void response.end('secure'),
  );
  const url = `https://${await listen(server)}/`;

  expect(await (await open({ ca }).request(url, { method: 'GET' })).text()).toBe('secure');
  await expect(open().request(url, { method: 'GET' })).rejects.toMatchObject({ code: 'unavailable' });
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['[::1]', true],
  ['127.example.com', false],
  ['localhost.example.com', false],
  ['10.0.0.1', false],
])('%s is this machine: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});
