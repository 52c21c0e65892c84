import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { ROLES } from '../../src/domain/service/workers.ts';
import { createHost } from '../../src/processes/host.ts';
import { startScheduler } from '../../src/processes/scheduler.ts';
import { startWorkers } from '../../src/processes/workers.ts';
import { startRedis } from '../support/redis.ts';

const GRACE_MS = 1_000;
/** What lets go of connections that nobody answers. */
const LET_GO_MS = 20_000;

test('a process that is told to stop while Redis is gone ends soon after its grace', { timeout: 60_000 }, async () => {
  const [redis, folder] = await Promise.all([startRedis(), mkdtemp(join(tmpdir(), 'ingot-workers-'))]);
  const config = await readConfig({ root: folder, env: { REDIS_URL: redis.url } });
  const onTrouble = () => {};
  const host = createHost(config, {
    ...{ signal: new AbortController().signal, onTrouble, fleet: 'acme', base: '127.0.0.1:1/golden', unsigned: true },
    embedded: { owner: false },
  });
  const scheduler = await startScheduler(host, { onTrouble });
  const workers = await startWorkers(host, {
    ...{ id: 'test', roles: ROLES, concurrency: 1, onTrouble },
    platforms: [{ platform: 'linux/amd64', how: 'native' }],
    disk: async () => ({ freeBytes: 1, neededBytes: 1 }),
  });
  await host.runs.propose('base', digestOf('fleet'));
  await redis.kill();

  const begun = performance.now();
  const stop = async () => {
    await Promise.all([scheduler.stop(GRACE_MS), workers.stop(GRACE_MS)]);
    await host.close();
    return performance.now() - begun;
  };
  const took = await Promise.race([stop(), wait(45_000, Number.POSITIVE_INFINITY, { ref: false })]);

  expect(took).toBeLessThan(GRACE_MS + LET_GO_MS);
  await redis.remove();
  await rm(folder, { recursive: true, force: true });
});
