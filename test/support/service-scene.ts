import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { createRedisStore } from '../../src/ledger/redis-store.ts';
import { lookAtService } from '../../src/processes/look.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { FactoryService } from '../../src/service/service.ts';
import type { FleetScene, TestFactory } from './fleet-scene.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { type ServiceProcess, startService } from './service-process.ts';

/** Processes of the service that share only a Redis and a registry; all end with the scene. */
export interface ServiceScene {
  readonly redis: TestRedis;
  readonly folder: string;
  readonly processes: readonly ServiceProcess[];
  /** A gate that takes its time when it is asked for the first time, and says which worker asked. */
  gated(image: string, seconds: number): Readonly<Record<string, unknown>>;
  /** Who is at the gate of base. */
  holderOf(candidates: readonly ServiceProcess[]): Promise<ServiceProcess>;
  /** As the command line and the API ask. */
  ask<T>(factory: TestFactory, question: (service: FactoryService) => Promise<T>): Promise<T>;
  /** No run of an image is open. */
  settled(factory: TestFactory, image: string): Promise<void>;
  /** Plans only. */
  serve(factory: TestFactory, args?: readonly string[]): Promise<ServiceProcess>;
  /** A host of its own: it has the signing key, and nothing else of the fleet. */
  worker(factory: TestFactory, name: string, args: readonly string[]): Promise<ServiceProcess>;
  versions(factory: TestFactory, image: string): Promise<readonly string[]>;
  tags(factory: TestFactory, image: string): Promise<Readonly<Record<string, string | undefined>>>;
  /** Waits for a condition; what the processes said tells why it did not come. */
  until(condition: () => Promise<unknown>, what: string, ms?: number): Promise<void>;
  stop(): Promise<void>;
}

/** @param env of every process, beside that of the test */
export async function startServiceScene(
  scene: FleetScene,
  { env }: { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<ServiceScene> {
  const redis = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), 'ingot-service-'));
  const processes: ServiceProcess[] = [];

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

  async function ask<T>(factory: TestFactory, question: (service: FactoryService) => Promise<T>): Promise<T> {
    const asking = { ...process.env, REDIS_URL: redis.url };
    const config = await readConfig({ root: factory.root, dataDirectory: join(folder, 'asking'), env: asking });
    return lookAtService(config, { signal: new AbortController().signal, onTrouble: () => {} }, question);
  }

  async function settled(factory: TestFactory, image: string): Promise<void> {
    await until(async () => {
      const { items } = await ask(factory, (service) => service.runs({ image }));
      return items.length > 0 && items.every(({ state }) => state === 'ended');
    }, `runs of ${image} have ended`);
  }

  async function serve(factory: TestFactory, args: readonly string[] = []): Promise<ServiceProcess> {
    const data = join(folder, 'scheduler');
    return keep(
      await startService(['serve', '--no-workers', ...args], {
        root: factory.root,
        data,
        redis: redis.url,
        env,
        ready: /serving acme/,
      }),
    );
  }

  async function worker(factory: TestFactory, name: string, args: readonly string[]): Promise<ServiceProcess> {
    const root = join(folder, name);
    await mkdir(root);
    await copyFile(join(factory.root, 'fleet.key'), join(root, 'fleet.key'));
    const options = { root, data: join(root, 'data'), redis: redis.url, env, ready: /worker \w+ of acme/ };
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

  return {
    ...{ redis, folder, processes, gated, holderOf, ask, settled, serve, worker, versions, tags, until },
    async stop() {
      for (const each of processes.splice(0)) each.kill('SIGKILL');
      await redis.remove();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
