import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import type { Budget, Spending } from '../../src/lib/budget.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import type { Credential } from '../../src/registry/credentials.ts';
import { createRegistry, type RegistryOptions } from '../../src/registry/oci.ts';
import type { RequestEvent } from '../../src/registry/transport.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { pushImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';
import { IDENTITY_TOKEN, startTokenServer, type TokenServer, USER } from '../support/token-server.ts';

/** Alice with her password, by bcrypt. */
const HTPASSWD = 'alice:$2b$04$cxcKtb8t2CsAts698sKqzOto6EV8EpzM3MW3ohSelXi0BoyE8MhL6\n';

let http: Http;
beforeAll(() => {
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 10_000 });
});
afterAll(() => http.close());

const as = (credential?: Credential): Pick<RegistryOptions, 'http' | 'credentials'> => ({
  http,
  ...(credential && { credentials: { find: async () => credential } }),
});

describe('a registry with a token server', () => {
  let tokens: TokenServer;
  let server: TestRegistry;
  beforeAll(async () => {
    tokens = await startTokenServer();
    server = await startDistribution({ auth: tokens.auth });
    const alice = createRegistry(as(USER));
    for (const name of ['public/a', 'public/b', 'private']) await pushImage(alice, at(name));
  });
  afterAll(async () => {
    await Promise.all([tokens?.stop(), server?.stop()]);
  });
  beforeEach(() => {
    tokens.asked.length = 0;
    tokens.expiresIn = 300;
    tokens.field = 'token';
  });
  const at = (repository: string): Reference => ({ registry: server.address, repository, tag: '1.0' });
  const counted = () => {
    const events: RequestEvent[] = [];
    return { events, onRequest: (event: RequestEvent) => events.push(event) };
  };

  test('is asked anonymously for what is public', async () => {
    const registry = createRegistry(as());

    expect(await registry.head(at('public/a'))).toBeDefined();

    expect(tokens.asked).toEqual([{ scopes: ['repository:public/a:pull'], grant: 'password' }]);
  });

  test('is taken from the budget of who asks, under a name that tells nobody who that is', async () => {
    const spent: Spending[] = [];
    const budget: Budget = {
      spend(use, send) {
        spent.push(use);
        return send();
      },
    };
    await createRegistry({ ...as(), budget }).manifest(at('public/a'));
    const anonymous = spent.splice(0);
    await createRegistry({ ...as(USER), budget }).manifest(at('private'));
    const known = spent.splice(0);
    await createRegistry({ ...as(USER), budget, free: [`${server.address}/public`] }).manifest(at('public/a'));
    await createRegistry({ ...as(USER), budget, free: [`${server.address}/priv`] }).manifest(at('private'));

    expect(anonymous.map(({ identity }) => identity)).toEqual([undefined, undefined, undefined]);
    expect(known.map(({ identity }) => identity)).toEqual([
      undefined, // before anybody asked who
      expect.stringMatching(/^account-[0-9a-f]{8}$/),
      expect.stringMatching(/^account-[0-9a-f]{8}$/),
    ]);
    expect(JSON.stringify(known)).not.toMatch(/alice/);
    expect(spent.map(({ counted }) => counted)).toEqual([false, false, false, true, false, true]);
  });

  test('is challenged once: then requests bring their token along', async () => {
    const { events, onRequest } = counted();
    const registry = createRegistry({ ...as(), onRequest });
    await registry.head(at('public/a'));
    events.length = 0;

    await registry.head(at('public/a'));
    await registry.head(at('public/b'));

    expect(events.map(({ method, kind, status }) => `${method} ${kind} ${status}`)).toEqual([
      'HEAD manifest 200',
      'GET token 200',
      'HEAD manifest 200',
    ]);
  });

  test('gives one token to many requests at once', async () => {
    const registry = createRegistry(as());
    await registry.head(at('public/b'));
    tokens.asked.length = 0;

    await Promise.all(Array.from({ length: 20 }, () => registry.head(at('public/a'))));

    expect(tokens.asked).toHaveLength(1);
  });

  test('renews a token before it runs out', async () => {
    let now = Date.now();
    const registry = createRegistry({ ...as(), now: () => now });
    tokens.expiresIn = 100;
    await registry.head(at('public/a'));

    now += 74_000;
    await registry.head(at('public/a'));
    expect(tokens.asked).toHaveLength(1);
    now += 2_000;
    await registry.head(at('public/a'));
    expect(tokens.asked).toHaveLength(2);
  });

  test('takes access_token, and 60 seconds when no lifetime is named', async () => {
    let now = Date.now();
    const registry = createRegistry({ ...as(), now: () => now });
    tokens.field = 'access_token';
    tokens.expiresIn = undefined;

    await registry.head(at('public/a'));
    now += 46_000;
    await registry.head(at('public/a'));

    expect(tokens.asked).toHaveLength(2);
  });

  test.each([
    ['a name and password', USER, 'password'],
    ['an identity token', { identityToken: IDENTITY_TOKEN }, 'refresh'],
  ])('accepts %s', async (_, credential, grant) => {
    const registry = createRegistry(as(credential));

    expect(await registry.head(at('private'))).toBeDefined();

    expect(tokens.asked).toEqual([{ scopes: ['repository:private:pull'], user: USER.username, grant }]);
  });

  test('mounts blobs with a token for both repositories', async () => {
    const { events, onRequest } = counted();
    const registry = createRegistry({ ...as(USER), onRequest });

    await registry.copy(at('private'), { ...at('public/copied'), tag: 'new' });

    expect(tokens.asked.map(({ scopes }) => scopes)).toContainEqual([
      'repository:public/copied:pull,push',
      'repository:private:pull',
    ]);
    expect(events.filter(({ method, kind }) => method === 'PUT' && kind === 'upload')).toEqual([]);
  });

  test('deletes with a token for deleting', async () => {
    const registry = createRegistry(as(USER));
    const { digest } = await pushImage(registry, at('public/gone'));

    expect(await registry.remove(atDigest(at('public/gone'), digest))).toBe(true);
  });

  test.each([
    ['without credentials', undefined, 'private'],
    ['with less than was asked for', USER, 'others/repository'],
    ['with a wrong password', { username: 'alice', password: 'wrong-password' }, 'private'],
  ])('refuses %s, and no secret is told', async (_, credential, name) => {
    const registry = createRegistry(as(credential));

    const error = await registry.head(at(name)).catch((caught: Error) => caught);

    expect(error).toMatchObject({ code: 'unauthorised', retryable: false });
    expect(JSON.stringify([error, (error as Error).message])).not.toMatch(/wrong-password|correct horse|Bearer|Basic/);
  });
});

describe('a registry with passwords', () => {
  let folder: string;
  let server: TestRegistry;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-htpasswd-'));
    const file = join(folder, 'htpasswd');
    await writeFile(file, HTPASSWD);
    server = await startDistribution({ auth: { htpasswd: { realm: 'test', path: file } } });
  });
  afterAll(async () => {
    await Promise.all([server?.stop(), rm(folder, { recursive: true })]);
  });
  const at = (address: string): Reference => ({ registry: address, repository: 'image', tag: '1.0' });

  test('gets them with each request, once it asked', async () => {
    const events: RequestEvent[] = [];
    const registry = createRegistry({ ...as(USER), onRequest: (event) => events.push(event) });
    await pushImage(registry, at(server.address));

    await registry.head(at(server.address));

    expect(events.filter(({ status }) => status === 401)).toHaveLength(1);
    await expect(createRegistry(as()).head(at(server.address))).rejects.toMatchObject({ code: 'unauthorised' });
  });

  test('is the only host that gets them, also when it redirects', async () => {
    const registry = createRegistry(as(USER));
    await registry.head(at(server.address));
    const blob = await registry.putBlob(at(server.address), Buffer.from('somewhere else'));
    const storage = await startFaultyProxy(server.address);
    storage.inject({ answer: { status: 200, body: 'somewhere else' } });
    const location = `http://${storage.address}/bucket/blob?signature=secret-signature`;
    const front = await startFaultyProxy(server.address);
    const viaFront = at(front.address);
    await registry.head(viaFront);
    front.inject({ answer: { status: 307, headers: { location } } });

    const bytes = await registry.blob(viaFront, blob);

    expect(Buffer.from(bytes).toString()).toBe('somewhere else');
    expect(front.headers.at(-1)!.authorization).toMatch(/^Basic /);
    expect(storage.headers.map(({ authorization }) => authorization)).toEqual([undefined]);
    storage.inject({ answer: { status: 403 } });
    const error = await registry.blob(viaFront, blob).catch((caught: Error) => caught);
    expect((error as Error).message).not.toContain('secret-signature');
    await Promise.all([storage.stop(), front.stop()]);
  });
});
