import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

let scene: FleetScene;
let redis: TestRedis;
let folder: string;
const processes: ServiceProcess[] = [];

beforeAll(async () => {
  scene = await startFleetScene();
});
afterAll(() => scene?.stop());

beforeEach(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'ingot-service-'));
});
afterEach(async () => {
  for (const each of processes.splice(0)) each.kill('SIGKILL');
  await redis.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('a scheduler and workers that share only Redis and registry', () => {
  test('bring a fleet up to date, and again when its upstream moves', async () => {
    const factory = await scene.factory('service');
    await factory.publish('first');

    await serve(factory);
    await worker(factory, 'builder', ['--roles', 'build']);
    await worker(factory, 'releaser', ['--roles', 'release,propose']);

    await until(() => version(factory, 'child'), 'child is released');
    expect(await version(factory, 'base')).toBe('12.0.0');
    expect(await version(factory, 'child')).toBe('3.11.0');
  });
});

async function serve(factory: TestFactory): Promise<ServiceProcess> {
  const data = join(folder, 'scheduler');
  return keep(
    await startService(['serve', '--no-workers'], {
      root: factory.root,
      data,
      redis: redis.url,
      ready: /serving acme/,
    }),
  );
}

/** A host of its own: it has the signing key, and nothing else of the fleet. */
async function worker(factory: TestFactory, name: string, args: readonly string[]): Promise<ServiceProcess> {
  const root = join(folder, name);
  await mkdir(root);
  await copyFile(join(factory.root, 'fleet.key'), join(root, 'fleet.key'));
  const options = { root, data: join(root, 'data'), redis: redis.url, ready: /worker \w+ of acme/ };
  return keep(await startService(['worker', ...args], options));
}

function keep(process: ServiceProcess): ServiceProcess {
  processes.push(process);
  return process;
}

async function version(factory: TestFactory, image: string): Promise<string | undefined> {
  const tags = await scene.registry.tags(factory.repository(image)).catch(() => []);
  return tags.filter((tag) => /^\d+\.\d+\.\d+$/.test(tag)).at(-1);
}

/** Waits for a condition; what the processes said tells why it did not come. */
async function until(condition: () => Promise<unknown>, what: string, ms = 40_000): Promise<void> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never: ${what}\n${await state()}\n${processes.map((each) => each.output()).join('\n---\n')}`);
}

/** What a person would look at. */
async function state(): Promise<string> {
  const connection = redisOptions({ url: redis.url });
  const store = createRedisStore({ connection, prefix: 'ingot-acme', fleet: 'acme', now: Date.now });
  const runs = createRunQueue({ redis: { url: redis.url }, prefix: 'ingot-acme', onError: () => {} });
  try {
    const facts = [await store.plan(), await store.active(), await store.workers()];
    return JSON.stringify([...facts, await runs.counts(['linux/amd64', 'linux/arm64'])], undefined, 1);
  } finally {
    await Promise.all([store.close(), runs.close()]);
  }
}
