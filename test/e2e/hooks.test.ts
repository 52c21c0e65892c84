import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { HOOK_DIALECTS } from '../../src/domain/hooks.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import type { ServiceStore } from '../../src/ledger/store.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { RunQueue } from '../../src/queue/run-queue.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { HOOK_FIXTURES, type HookFixture, sent } from '../support/hook-fixtures.ts';
import { pushImage } from '../support/images.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

const SECRET = 'a secret that only the two of us know';
const LIMIT_MS = 1_000;

const pushes = HOOK_FIXTURES.filter(({ image }) => image !== undefined);
const sources = HOOK_FIXTURES.filter(({ source }) => source !== undefined);

let folder: string;
let git: string;
let redis: TestRedis;
let embedded: Embedded;
let http: Http;
let registry: Registry;
let store: ServiceStore;
let runs: RunQueue;
let keys: Redis;
let service: ServiceProcess;
let server: string;
let alive: NodeJS.Timeout;
const took: [string, number][] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-hooks-'));
  redis = await startRedis();
  embedded = await startEmbedded({ dataDirectory: join(folder, 'shared'), needs: { registry: true } });
  http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 30_000 });
  registry = createRegistry({ http });
  const connection = redisOptions({ url: redis.url });
  store = createRedisStore({ connection, prefix: 'ingot-acme', fleet: 'acme', now: Date.now });
  runs = createRunQueue({ redis: { url: redis.url }, prefix: 'ingot-acme', onError: () => {} });
  keys = new Redis(redis.url);
  git = join(folder, 'golden');
  await writeFleet();
  await beat();
  alive = setInterval(() => void beat(), 5_000);
  process.env.HOOK_SECRET = SECRET;
  service = await startService(
    ['serve', '--no-workers', '--listen', '127.0.0.1:0', '--fleet', `git+file://${git}#main`],
    {
      root: join(folder, 'host'),
      data: join(folder, 'data'),
      redis: redis.url,
      ready: /serving acme/,
    },
  );
  server = /listening on (\S+)/.exec(service.output())![1]!;
  await until(async () => (await store.plan())?.entries.length === pushes.length);
});
afterAll(async () => {
  delete process.env.HOOK_SECRET;
  clearInterval(alive);
  const slowest = Math.max(...took.map(([, ms]) => ms));
  console.log(
    `from hook to queued build, at most ${slowest} ms:`,
    took.map(([name, ms]) => `${name} ${ms}`).join(', '),
  );
  await service?.stop();
  keys?.disconnect();
  await Promise.all([store?.close(), runs?.close(), http?.close()]);
  await embedded?.close();
  await redis?.remove();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe.each(pushes.map((fixture) => [fixture.name, fixture] as const))('a push that %s tells of', (name, fixture) => {
  test('is a queued build within a second', async () => {
    const image = imageOf(fixture);
    expect(await waiting(image)).toBe(false);
    await publish(fixture);

    const began = performance.now();
    const answer = await post(fixture);
    await until(() => waiting(image), 5);
    const ms = Math.round(performance.now() - began);

    took.push([name, ms]);
    expect(answer).toMatchObject({ status: 202, body: { accepted: [expect.stringContaining(':1')], unknown: [] } });
    expect(ms).toBeLessThan(LIMIT_MS);
  });
});

describe.each(sources.map((fixture) => [fixture.name, fixture] as const))(
  'a push that %s tells of',
  (name, fixture) => {
    test('is read, and its new image a queued build', async () => {
      const image = `of-${name}`;
      await commit({
        [`images/${image}/image.yaml`]: 'line: "1"\n',
        [`images/${image}/Dockerfile`]: `FROM ${pushes[0]!.image!.repository}:1\n`,
      });

      // Else it would be taken together with the push before
      await until(async () => (await keys.exists('ingot-acme:hooks:window:definitions')) === 0);
      const began = performance.now();
      const answer = await post(fixture, (text) => {
        const after = text.replaceAll('9f'.repeat(20), Buffer.from(name).toString('hex').padEnd(40, '0').slice(0, 40));
        return after.replaceAll('https://git.acme.example/platform/golden.git', `file://${git}`);
      });
      await until(() => waiting(image), 5);

      took.push([name, Math.round(performance.now() - began)]);
      expect(answer.status).toBe(202);
    });
  },
);

test('what came in is counted, and shown by the command line', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, '../../src/cli.ts'), '-C', join(folder, 'host'), 'hooks', '--json'],
    { env: { ...process.env, INGOT_DATA: join(folder, 'data'), REDIS_URL: redis.url } },
  );

  const views = JSON.parse(stdout) as { dialect: string; configured: boolean; counts: { accepted: number } }[];
  expect(views.map(({ dialect }) => dialect)).toEqual([...HOOK_DIALECTS]);
  expect(views.every(({ configured, counts }) => configured && counts.accepted > 0)).toBe(true);
  expect(service.output()).not.toContain(SECRET);
});

/** One image for each fixture, from the upstream that it is about; none of these is there yet. */
async function writeFleet(): Promise<void> {
  const host = embedded.registry!;
  const settings = {
    fleet: 'acme',
    registry: `${host}/acme`,
    platforms: ['linux/amd64'],
    signing: { key: { file: 'fleet.key' } },
    upstreams: Object.fromEntries(hosts().map((each) => [each, `${host}/upstream/${each.replace(/[:.]/g, '-')}`])),
    hooks: Object.fromEntries(HOOK_DIALECTS.map((dialect) => [dialect, { secret: { env: 'HOOK_SECRET' } }])),
  };
  await mkdir(join(folder, 'host'), { recursive: true });
  await writeFile(join(folder, 'host', 'fleet.key'), generateKeyPair().privateKey);
  await mkdir(git, { recursive: true });
  await run('init', '--quiet', '--initial-branch', 'main');
  const images = pushes.flatMap((fixture) => [
    [`images/${imageOf(fixture)}/image.yaml`, 'line: "1"\n'],
    [`images/${imageOf(fixture)}/Dockerfile`, `FROM ${fixture.image!.repository}:1\n`],
  ]);
  await commit({ 'ingot.yaml': stringify(settings), ...Object.fromEntries(images) });
}

function hosts(): readonly string[] {
  return [...new Set(pushes.map(({ image }) => image!.repository.split('/')[0]!))];
}

async function commit(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(git, path)), { recursive: true });
    await writeFile(join(git, path), text);
  }
  await run('add', '-A');
  await run('-c', 'user.name=Ada', '-c', 'user.email=ada@acme.example', 'commit', '--quiet', '-m', 'Change the fleet');
}

async function run(...args: string[]): Promise<void> {
  await promisify(execFile)('git', args, { cwd: git });
}

async function publish({ image, name }: HookFixture): Promise<void> {
  const [host = '', ...path] = image!.repository.split('/');
  const place = `${embedded.registry}/upstream/${host.replace(/[:.]/g, '-')}/${path.join('/')}:${image!.tag}`;
  await pushImage(registry, parseReference(place), {
    platforms: ['linux/amd64'],
    files: { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n', 'etc/edition': `${name}\n` },
    created: '2026-11-01T00:00:00Z',
  });
}

function imageOf({ name }: HookFixture): string {
  return `for-${name}`;
}

/** Its jobs are in the queues. */
async function waiting(image: string): Promise<boolean> {
  const active = (await store.active()).find((each) => each.image === image);
  return active !== undefined && (await runs.has(active));
}

/** Somebody who could build, so that builds are queued; takes nothing. */
async function beat(): Promise<void> {
  const at = new Date().toISOString();
  await store.beat({
    ...{ id: 'idle', host: 'test', pid: 1, version: '0', roles: ['build'], concurrency: 1 },
    platforms: [{ platform: 'linux/amd64', how: 'native' }],
    ...{ startedAt: at, seenAt: at, stopping: false, jobs: [] },
  });
}

async function post(fixture: HookFixture, edit?: (text: string) => string) {
  const { path, headers, text } = sent(fixture, SECRET, edit);
  const answer = await fetch(server + path, { method: 'POST', headers, body: text });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
}

async function until(condition: () => Promise<boolean>, everyMs = 100): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) {
      throw new Error(`never:\n${service.output()}\n${JSON.stringify(await store.plan(), undefined, 1)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
