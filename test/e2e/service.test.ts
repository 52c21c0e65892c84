import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { lookAtService } from '../../src/processes/look.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { FactoryService } from '../../src/service/service.ts';
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
    const factory = await scene.factory('moves');
    await factory.publish('first');
    await serve(factory);
    await worker(factory, 'builder', ['--roles', 'build']);
    await worker(factory, 'releaser', ['--roles', 'release,propose']);
    await until(async () => (await versions(factory, 'child')).length === 1, 'child is released');

    await factory.publish('second');
    await ask(factory, (service) => service.look({ by: 'a person' }));

    await until(async () => (await versions(factory, 'child')).length === 2, 'child is released again');
    expect(await versions(factory, 'base')).toEqual(['12.0.0', '12.0.1']);
    expect(await versions(factory, 'child')).toEqual(['3.11.0', '3.11.1']);
    const roles = await ask(factory, async (service) => (await service.workers()).map((each) => each.roles.join(' ')));
    expect(roles.sort()).toEqual(['build', 'release propose']);
  });

  test.each([
    ['killed', 'SIGKILL'],
    ['asleep for more than 30 seconds', 'SIGSTOP'],
  ] as const)('release once when a worker is %s in the middle of a release', async (_, signal) => {
    const factory = await scene.factory(signal.toLowerCase(), { only: 'base', settings: gated('base', 8) });
    await factory.publish('first');
    await serve(factory);
    await worker(factory, 'builder', ['--roles', 'build']);
    const releasers = [
      await worker(factory, 'first', ['--roles', 'release']),
      await worker(factory, 'second', ['--roles', 'release']),
    ];
    const holder = await holderOf(releasers);

    holder.kill(signal);
    const fell = Date.now();
    await until(async () => (await versions(factory, 'base')).length === 1, 'the other worker releases', 60_000);
    await settled(factory, 'base');
    const before = await tags(factory, 'base');
    if (signal === 'SIGSTOP') {
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, fell + 35_000 - Date.now())));
      holder.kill('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, 12_000)); // what it would do it would do now
    }

    expect(await tags(factory, 'base')).toEqual(before);
    expect(await versions(factory, 'base')).toEqual(['12.0.0']);
  });

  test('converge with no second release when Redis loses everything in the middle', async () => {
    const factory = await scene.factory('lost', { settings: gated('base', 8) });
    await factory.publish('first');
    await serve(factory);
    await worker(factory, 'builder', ['--roles', 'build']);
    await holderOf([await worker(factory, 'releaser', ['--roles', 'release,propose'])]);

    await redis.stop();
    await redis.start({ empty: true });

    await until(async () => (await versions(factory, 'child')).length === 1, 'child is released', 90_000);
    await settled(factory, 'child');
    expect(await versions(factory, 'base')).toEqual(['12.0.0']);
    expect(await versions(factory, 'child')).toEqual(['3.11.0']);
  });

  test('cancel a run within five seconds wherever it is, and start it again when somebody asks', async () => {
    const factory = await scene.factory('cancelled', { only: 'base', settings: gated('base', 30) });
    await factory.publish('first');
    await serve(factory);
    await worker(factory, 'all', []);
    await holderOf(processes);
    const [run] = await ask(factory, async (service) => (await service.runs({ state: 'running' })).items);

    const began = Date.now();
    const ended = await ask(factory, (service) => service.cancelRun(run!.id, { by: 'ada', reason: 'not today' }));
    const took = Date.now() - began;
    const held = await ask(factory, async (service) => (await service.plan({ fresh: true })).entries);
    const { runs } = await ask(factory, (service) => service.startRebuild({ images: ['base'], by: 'grace' }));
    const again = await ask(factory, (service) => {
      return service.waitForRun(runs[0]!.id, { timeoutMs: 60_000, signal: new AbortController().signal });
    });

    expect(ended).toMatchObject({
      state: 'ended',
      outcome: 'cancelled',
      cancelled: { by: 'ada', reason: 'not today' },
    });
    expect(took).toBeLessThan(5_000);
    expect(held).toMatchObject([{ image: 'base', state: 'held', holds: [{ kind: 'cancelled', by: 'ada' }] }]);
    expect(again).toMatchObject({ outcome: 'released', request: { by: 'grace' } });
  });

  test('keep the last good definitions when a commit is broken, and say so', async () => {
    const factory = await scene.factory('broken', { only: 'base' });
    await factory.publish('first');
    const service = await serve(factory);
    await worker(factory, 'all', []);
    await until(async () => (await versions(factory, 'base')).length === 1, 'base is released');

    await factory.write({ 'images/base/image.yaml': 'line: "12"\nlinee: 1\n' });
    service.kill('SIGHUP');
    await until(async () => (await ask(factory, (each) => each.fleet())).refused !== undefined, 'it is refused');
    const { refused, images } = await ask(factory, (each) => each.fleet());
    await factory.write({ 'images/base/image.yaml': 'line: "12"\n', 'images/base/context/motd': 'golden again\n' });
    service.kill('SIGHUP');

    await until(async () => (await versions(factory, 'base')).length === 2, 'the mended definition is built');
    expect(images).toBe(1);
    expect(refused?.message).toMatch(/images\/base\/image.yaml:2:1: unknown key "linee"; did you mean "line"/);
    expect((await ask(factory, (each) => each.fleet())).refused).toBeUndefined();
  });
});

/** A gate that takes its time when it is asked for the first time, and says which worker asked. */
function gated(image: string, seconds: number) {
  const marker = join(folder, `${image}.holder`);
  // All that the shell runs below, the worker among them
  const note = `p=$$; while [ $p -gt 1 ]; do echo $p; p=$(cut -d' ' -f4 /proc/$p/stat); done > ${marker}.new; mv ${marker}.new ${marker}`;
  const script = `[ -e ${marker} ] || { ${note}; sleep ${seconds}; }`;
  return { gates: [{ name: 'slow', when: 'before', images: [image], command: ['sh', '-c', script] }] };
}

async function holderOf(candidates: readonly ServiceProcess[]): Promise<ServiceProcess> {
  let holder: ServiceProcess | undefined;
  await until(async () => {
    const pids = (await readFile(join(folder, 'base.holder'), 'utf8').catch(() => '')).split('\n').map(Number);
    holder = candidates.find((each) => pids.includes(each.pid));
    return holder;
  }, 'a worker is at the gate');
  return holder!;
}

/** As the command line and the API ask. */
async function ask<T>(factory: TestFactory, question: (service: FactoryService) => Promise<T>): Promise<T> {
  const env = { ...process.env, REDIS_URL: redis.url };
  const config = await readConfig({ root: factory.root, dataDirectory: join(folder, 'asking'), env });
  return lookAtService(config, { signal: new AbortController().signal, onTrouble: () => {} }, question);
}

/** No run of an image is open. */
async function settled(factory: TestFactory, image: string): Promise<void> {
  await until(async () => {
    const { items } = await ask(factory, (service) => service.runs({ image }));
    return items.length > 0 && items.every(({ state }) => state === 'ended');
  }, `runs of ${image} have ended`);
}

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

async function versions(factory: TestFactory, image: string): Promise<readonly string[]> {
  const all = await scene.registry.tags(factory.repository(image)).catch(() => []);
  return all.filter((tag) => /^\d+\.\d+(\.\d+)?$/.test(tag) && tag.split('.').length === 3).sort();
}

async function tags(factory: TestFactory, image: string): Promise<Readonly<Record<string, string | undefined>>> {
  const repository = factory.repository(image);
  const names = [...(await scene.registry.tags(repository))].sort();
  const heads = await Promise.all(names.map((tag) => scene.registry.head({ ...repository, tag })));
  return Object.fromEntries(names.map((name, index) => [name, heads[index]?.digest]));
}

/** Waits for a condition; what the processes said tells why it did not come. */
async function until(condition: () => Promise<unknown>, what: string, ms = 90_000): Promise<void> {
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
