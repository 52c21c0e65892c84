import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { createRunQueue } from '../../src/queue/bullmq-runs.ts';
import { queueName } from '../../src/queue/names.ts';
import { BuildPayload, ProposePayload, ReleasePayload, SchedulePayload } from '../../src/queue/payloads.ts';
import type { QueuedRun } from '../../src/queue/run-queue.ts';
import { createWorker, type QueueWorker } from '../../src/queue/worker.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
const closing: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  await Promise.all(closing.splice(0).map((each) => each.close()));
  await redis.remove();
});

const shared = () => ({ redis: { url: redis.url }, prefix: 'ingot-test', onError: () => {} });

function queue() {
  const made = createRunQueue(shared());
  closing.push(made);
  return made;
}

function work<T>(request: Pick<Parameters<typeof createWorker<T>>[0], 'queue' | 'schema' | 'handle' | 'concurrency'>) {
  const made: QueueWorker<T> = createWorker<T>({ ...shared(), ...request });
  closing.push(made);
  return made;
}

function run(index: number, more: Partial<QueuedRun> = {}): QueuedRun {
  const image = `image-${index}`;
  const inputs = { image, recipe: '2', platforms: ['linux/amd64', 'linux/arm64'] as const, inputs: [], definition: {} };
  return {
    ...{ runId: `01RUN${index}`, image, inputs, reasons: [], priority: 'base-change', definitions: digestOf('fleet') },
    ...more,
  };
}

describe('the queues', () => {
  test('a look at downstreams that waits for its time holds up none that is asked for now', async () => {
    const runs = queue();
    const definitions = digestOf('fleet');
    await runs.propose('debian', definitions, { delayMs: 1_000 });
    await runs.propose('debian', definitions, { delayMs: 1_000 });
    await runs.propose('python', definitions);
    await runs.propose('node', definitions, { urgent: true });
    const looked: string[] = [];
    work({
      ...{ queue: queueName.propose, schema: ProposePayload, concurrency: 1 },
      async handle({ image, definitions: of }) {
        looked.push(image);
        // By the definitions of its time
        expect(of).toBe(image === 'debian' ? undefined : definitions);
        // One that runs may put off the rest once more
        if (image === 'debian' && looked.length === 3) await runs.propose('debian', definitions, { delayMs: 61_000 });
      },
    });
    await expect.poll(() => looked.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(3);

    expect(looked.slice(0, 3)).toEqual(['node', 'python', 'debian']);
    const waiting = async () => (await runs.counts([])).find(({ role }) => role === 'propose');
    await expect.poll(waiting).toMatchObject({ delayed: 1 });
  });

  test('keep 1,000 runs when everything is restarted, and each runs once', async () => {
    const before = createRunQueue(shared());
    for (let index = 0; index < 1000; index++) await before.start(run(index));
    await before.close();
    await redis.stop();
    await redis.start();

    const built = new Map<string, number>();
    const released: string[] = [];
    for (const platform of ['linux/amd64', 'linux/arm64'] as const) {
      work({
        ...{ queue: queueName.build(platform), schema: BuildPayload, concurrency: 20 },
        handle: async ({ runId }) =>
          void built.set(`${runId} ${platform}`, (built.get(`${runId} ${platform}`) ?? 0) + 1),
      });
    }
    work({
      ...{ queue: queueName.release, schema: ReleasePayload, concurrency: 20 },
      handle: async ({ runId }) => void released.push(runId),
    });
    await expect.poll(() => released.length, { timeout: 60_000 }).toBe(1000);

    expect(new Set(released).size).toBe(1000);
    expect([...built.values()].filter((count) => count !== 1)).toEqual([]);
    expect(built.size).toBe(2000);
  });

  test('do not keep a process for a job that does not let go', async () => {
    await queue().start(run(1));
    const { promise, resolve } = Promise.withResolvers<void>();
    const worker = createWorker({
      ...{ ...shared(), queue: queueName.build('linux/amd64'), schema: BuildPayload, concurrency: 1 },
      handle: () => new Promise<void>(() => resolve()), // for ever
    });
    await promise;

    const closed = await Promise.race([worker.close(50).then(() => true), once(AbortSignal.timeout(8_000), 'abort')]);

    expect(closed).toBe(true);
  }, 15_000);

  test('give the most urgent first, and take the same run once', async () => {
    const runs = queue();
    await runs.start(run(1, { priority: 'nightly' }));
    await runs.start(run(2, { priority: 'requested' }));
    await runs.start(run(3, { priority: 'critical' }));
    await runs.start(run(1, { priority: 'nightly' }));
    const order: string[] = [];
    work({
      ...{ queue: queueName.build('linux/amd64'), schema: BuildPayload, concurrency: 1 },
      handle: async ({ image }) => void order.push(image),
    });

    await expect.poll(() => order.length).toBe(3);

    expect(order).toEqual(['image-3', 'image-2', 'image-1']);
  });

  test('let a run that nobody has begun be taken out, and leave one that somebody has', async () => {
    const runs = queue();
    await runs.start(run(1));
    await runs.start(run(2));
    const gate = Promise.withResolvers<void>();
    const begun: string[] = [];
    work({
      ...{ queue: queueName.build('linux/amd64'), schema: BuildPayload, concurrency: 1 },
      async handle({ image }) {
        begun.push(image);
        await gate.promise;
      },
    });
    await expect.poll(() => begun).toEqual(['image-1']);

    expect(await runs.remove(run(2))).toBe(true);
    expect(await runs.remove(run(1))).toBe(false);
    expect([await runs.has(run(2)), await runs.has(run(1))]).toEqual([false, true]);

    gate.resolve();
  });

  test('understand jobs of the version before', () => {
    const { runId, image, inputs } = run(1);

    expect(BuildPayload.safeParse({ v: 1, runId, image, inputs, platform: 'linux/amd64' }).success).toBe(true);
    expect(ReleasePayload.safeParse({ v: 1, runId, image, inputs, reasons: [] }).success).toBe(true);
    expect(BuildPayload.safeParse({ v: 3, runId, image, inputs, platform: 'linux/amd64' }).success).toBe(false);
  });
});

describe('a job', () => {
  test('that is handed back by a worker that stops goes to another one, and counts as no attempt', async () => {
    const runs = queue();
    await runs.start(run(1));
    const seen: boolean[] = [];
    const begun = Promise.withResolvers<void>();
    const build = { queue: queueName.build('linux/amd64'), schema: BuildPayload, concurrency: 1 };
    const first = work({
      ...build,
      handle: (_, { signal, lastAttempt }) => {
        seen.push(lastAttempt);
        begun.resolve();
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    await begun.promise;

    await first.stop(50);
    work({ ...build, handle: async (_, { lastAttempt }) => void seen.push(lastAttempt) });
    await expect.poll(() => seen.length).toBe(2);

    expect(seen).toEqual([false, false]);
  });
});

describe('a schedule', () => {
  test('that was missed while nobody was there fires once, and that of several processes is one', async () => {
    const schedules = [{ name: 'watch', everySeconds: 1 }];
    await Promise.all([queue().setSchedules(schedules), queue().setSchedules(schedules)]);
    await new Promise((resolve) => setTimeout(resolve, 4_500)); // the time that is missed

    const fired: number[] = [];
    const start = Date.now();
    work({
      ...{ queue: queueName.schedules, schema: SchedulePayload, concurrency: 1 },
      handle: async () => void fired.push(Date.now() - start),
    });
    await expect.poll(() => fired.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(2);

    expect(fired.filter((ms) => ms < 400)).toHaveLength(1);
  });

  test('goes with the settings that it came from, and keeps its turn when they stay', async () => {
    const runs = queue();
    await runs.setSchedules([
      { name: 'watch', everySeconds: 600 },
      { name: 'nightly', cron: '0 2 * * *', timezone: 'Europe/Berlin' },
    ]);
    const before = await runs.nextTimes();

    await runs.setSchedules([{ name: 'nightly', cron: '0 2 * * *', timezone: 'Europe/Berlin' }]);

    expect([...before.keys()].sort()).toEqual(['nightly', 'watch']);
    expect([...(await runs.nextTimes())]).toEqual([['nightly', before.get('nightly')]]);
  });
});
