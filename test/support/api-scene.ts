import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessPaths } from '../../src/access/paths.ts';
import { createTokenStore, type TokenStore } from '../../src/access/tokens.ts';
import { type ApiOptions, startApi } from '../../src/api/server.ts';
import type { AccessRole } from '../../src/domain/access/principal.ts';
import { Access } from '../../src/domain/fleet/settings-access.ts';
import { createRedisAccess } from '../../src/ledger/redis-access.ts';
import { createHttp } from '../../src/lib/http.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createFakeService, type FakeService } from './fake-service.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** The API as it is served, over real HTTP, on a factory that only remembers. */
export interface ApiScene {
  readonly server: string;
  /** Its own; absent where it was given one. */
  readonly redis: TestRedis | undefined;
  readonly service: FakeService;
  readonly tokens: TokenStore;
  /** Lines of stdout, and of troubles. */
  readonly printed: string[];
  readonly troubles: string[];
  token(role: AccessRole, images?: readonly string[]): Promise<string>;
  /** Its body is read: as JSON where it is JSON. */
  ask(path: string, options?: Ask): Promise<Answer>;
  audit(): Promise<readonly Record<string, unknown>[]>;
  /** As when other settings were read. */
  update(access: object | undefined): Promise<void>;
  stop(): Promise<void>;
}

export interface Ask {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it with matchers
  readonly body: any;
}

interface SceneOptions extends Pick<ApiOptions, 'pages' | 'hooks' | 'listen' | 'heartbeatMs'> {
  readonly access?: unknown;
  /** Of another scene's, as another process of the same service has it. */
  readonly redisUrl?: string;
}

export async function startApiScene(options: SceneOptions = {}): Promise<ApiScene> {
  const { access, hooks, pages, redisUrl, listen } = { listen: '127.0.0.1:0', ...options };
  const dataDirectory = await mkdtemp(join(tmpdir(), 'ingot-api-'));
  const redis = redisUrl === undefined ? await startRedis() : undefined;
  const connection = redisOptions({ url: redisUrl ?? redis!.url });
  const store = createRedisAccess({ connection, prefix: 'test', now: Date.now });
  const service = createFakeService();
  const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 10_000 });
  const [printed, troubles]: [string[], string[]] = [[], []];
  const api = await startApi(service, {
    ...{ root: dataDirectory, dataDirectory, store, http, hooks, pages, listen },
    ...(options.heartbeatMs !== undefined && { heartbeatMs: options.heartbeatMs }),
    ...(access !== undefined && { access: Access.parse(access) }),
    print: (line) => void printed.push(line),
    onTrouble: (message) => void troubles.push(message),
  });
  const paths = accessPaths(dataDirectory);
  const tokens = createTokenStore({ directory: paths.tokens });
  const expiresAt = new Date(Date.now() + 3600_000).toISOString();
  return {
    ...{ service, tokens, printed, troubles, redis, update: (to) => api.update(to && Access.parse(to)) },
    get server() {
      return api.address;
    },
    async token(role, images = ['*']) {
      const name = images.includes('*') ? role : `${role} of ${images.join(' ')}`;
      const made = await tokens.create({ name, role, images: [...images], expiresAt, createdBy: 'test' });
      return made.token;
    },
    ask: (path, options) => ask(api.address + path, options),
    async audit() {
      const text = await readFile(paths.audit, 'utf8').catch(() => '');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    },
    async stop() {
      await api.close();
      await Promise.all([http.close(), store.close()]);
      await redis?.remove();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

async function ask(url: string, { method, token, body, headers }: Ask = {}): Promise<Answer> {
  const isText = typeof body === 'string';
  const answer = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: isJson && text !== '' ? JSON.parse(text) : text };
}
