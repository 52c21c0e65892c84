import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { Run } from '../../src/domain/run.ts';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { redisOptions } from '../../src/queue/connection.ts';

let folder: string;
let embedded: Embedded;
let ledger: ReturnType<typeof createRedisLedger>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-ledger-'));
  embedded = await startEmbedded({ dataDirectory: folder, needs: { redis: true } });
  ledger = createRedisLedger({ connection: redisOptions({ path: embedded.redis! }), prefix: 'test' });
});
afterAll(async () => {
  await ledger?.close();
  await embedded?.close();
  await rm(folder, { recursive: true, force: true });
});

function run(id: string, image = 'debian', startedAt = '2026-11-01T00:00:00.000Z'): Run {
  const platforms = ['linux/amd64'] as const;
  return {
    id,
    image,
    inputs: digestOf(id),
    reasons: [{ kind: 'never-released' }],
    holds: [],
    platforms,
    startedAt,
    steps: [],
  };
}

test('a run comes back with its steps in the order in which they began, and how it ended', async () => {
  await ledger.startRun(run('a'));
  await ledger.recordStep('a', { name: 'scan', state: 'running', startedAt: 20, external: true });
  await ledger.recordStep('a', {
    name: 'build',
    platform: 'linux/amd64',
    state: 'done',
    startedAt: 10,
    endedAt: 15,
    external: true,
  });
  await ledger.recordStep('a', { name: 'scan', state: 'done', startedAt: 20, endedAt: 30, external: true });
  await ledger.finishRun('a', { outcome: 'released', version: '12.0.0', endedAt: '2026-11-01T00:01:00.000Z' });

  const found = await ledger.run('a');

  expect(found).toMatchObject({ id: 'a', outcome: 'released', version: '12.0.0' });
  expect(found?.steps.map(({ name, state }) => [name, state])).toEqual([
    ['build', 'done'],
    ['scan', 'done'],
  ]);
});

test('runs are listed newest first, of all images or of one', async () => {
  await ledger.startRun(run('b', 'python', '2026-11-02T00:00:00.000Z'));
  await ledger.startRun(run('c', 'debian', '2026-11-03T00:00:00.000Z'));

  const ids = async (filter?: Parameters<typeof ledger.runs>[0]) => (await ledger.runs(filter)).map(({ id }) => id);

  expect(await ids()).toEqual(['c', 'b', 'a']);
  expect(await ids({ image: 'debian', limit: 1 })).toEqual(['c']);
});

test('what is not there is undefined, no error', async () => {
  expect(await ledger.run('none')).toBeUndefined();
  expect(await ledger.observation('docker.io/library/none:1')).toBeUndefined();
});

test('of a log the tail is kept, its lines cut', async () => {
  await ledger.appendLog(
    'a',
    'linux/amd64',
    Array.from({ length: 700 }, (_, line) => `line ${line}`),
  );
  await ledger.appendLog('a', 'linux/amd64', ['x'.repeat(5_000)]);

  const lines = await ledger.log('a', 'linux/amd64');

  expect(lines).toHaveLength(500);
  expect(lines.at(-1)).toHaveLength(2_000);
  expect(lines.at(-2)).toBe('line 699');
});

test('the last answer about an upstream is remembered', async () => {
  const at = '2026-11-01T00:00:00.000Z';
  const observation = {
    digest: digestOf('x'),
    platforms: { 'linux/amd64': digestOf('y') },
    firstSeenAt: at,
    checkedAt: at,
  } as const;

  await ledger.observe('docker.io/library/debian:12', observation);

  expect(await ledger.observation('docker.io/library/debian:12')).toEqual(observation);
});
