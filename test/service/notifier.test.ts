import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { Run } from '../../src/domain/run.ts';
import { createRedisNotifications } from '../../src/ledger/redis-notifications.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createWebhook } from '../../src/notify/webhook.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { createNotifierRounds, type NotifierDeps, type NotifierRounds } from '../../src/service/notifier.ts';
import { bareRun } from '../support/bare-run.ts';
import { type ChannelServer, startChannelServer } from '../support/channel-server.ts';
import { fleetFiles } from '../support/fleet-files.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let http: Http;
let servers: { readonly ops: ChannelServer; readonly dead: ChannelServer };
let clock: number;
let runs: Map<string, Run[]>;
let troubles: string[];
const opened: { close(): Promise<void> }[] = [];

const names = Array.from({ length: 30 }, (_, index) => `image-${index}`);

beforeEach(async () => {
  redis = await startRedis();
  http = createHttp({ connectionsPerHost: 2, userAgent: 'ingot-test', timeoutMs: 30_000 });
  servers = { ops: await startChannelServer(), dead: await startChannelServer() };
  [clock, runs, troubles] = [Date.parse('2026-11-23T02:00:00Z'), new Map(), []];
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await http.close();
  await Promise.all([servers.ops.stop(), servers.dead.stop()]);
  await redis.remove();
});

/** One process of several. */
function start(more: Partial<NotifierDeps> = {}, channels: readonly ('ops' | 'dead')[] = ['ops']): NotifierRounds {
  const notifications = createRedisNotifications({ connection: redisOptions({ url: redis.url }), prefix: 'test' });
  opened.push(notifications);
  const text = channels.map(
    (name) => `    ${name}: { webhook: { url: "${servers[name].url}", secret: { env: S } } }\n`,
  );
  const images = names.flatMap((name) => [
    [`images/${name}/image.yaml`, 'line: "1"\n'],
    [`images/${name}/Dockerfile`, 'FROM debian:12-slim\n'],
  ]);
  const fleet = parseFleet(
    fleetFiles({
      'ingot.yaml': `fleet: acme\nnotify:\n  settle: 0s\n  channels:\n${text.join('')}`,
      ...Object.fromEntries(images),
    }),
  );
  return createNotifierRounds({
    notifications,
    store: { plan: async () => undefined, definitions: async () => undefined },
    ledger: { runs: async ({ image } = {}) => runs.get(image!) ?? [] },
    withFleet: (use) => use(fleet),
    notifierOf: async (channel) =>
      createWebhook({ url: channel.kind === 'webhook' ? channel.url : '', secret: 'x' }, { http, now: () => clock }),
    now: () => clock,
    onTrouble: (message) => void troubles.push(message),
    ...more,
  });
}

describe('notifications', () => {
  test('of a wave are one, once, whatever number of processes there is; then that it is over', async () => {
    const processes = [start(), start(), start()];
    for (const name of names) runs.set(name, [runOf(name, 'blocked')]);

    for (let turn = 0; turn < 3; turn++) await roundOf(...processes);
    for (const name of names) runs.set(name, [runOf(name, 'released')]);
    for (let turn = 0; turn < 3; turn++) await roundOf(...processes);

    expect(titles('ops')).toEqual(['30 images are blocked', 'over: 30 images are blocked']);
  });

  test('reach the others while one channel hangs', async () => {
    servers.dead.hang = true;
    const process = start({}, ['dead', 'ops']);
    runs.set('image-1', [runOf('image-1', 'blocked')]);

    await process.round();
    await until(() => servers.ops.taken.length === 1 && servers.dead.taken.length === 1);
    runs.set('image-2', [{ ...runOf('image-2', 'blocked'), summary: 'for another reason' }]);
    await process.round();
    await until(() => servers.ops.taken.length === 2);

    expect(titles('ops')).toEqual(['image-1 is blocked', 'image-2 is blocked']);
    expect(servers.dead.taken).toHaveLength(1);
    await process.stop();
  });

  test('wait as long as the other side says, and go in their order', async () => {
    const process = start();
    servers.ops.answers.push({ status: 429, headers: { 'retry-after': '120' } });
    runs.set('image-1', [runOf('image-1', 'blocked')]);
    await roundOf(process);
    runs.set('image-2', [{ ...runOf('image-2', 'blocked'), summary: 'for another reason' }]);
    clock += 119_000;
    await roundOf(process);
    const early = servers.ops.taken.length;

    clock += 2_000;
    await roundOf(process);

    expect(early).toBe(1);
    expect(titles('ops')).toEqual(['image-1 is blocked', 'image-1 is blocked', 'image-2 is blocked']);
    expect(idOf(0)).toBe(idOf(1));
    expect(troubles).toEqual([expect.stringMatching(/"image-1 is blocked" did not reach ops: it answered 429/)]);
  });

  test('that are refused are given up, and hold up nothing', async () => {
    const process = start();
    servers.ops.answers.push({ status: 410, body: 'gone' });
    runs.set('image-1', [runOf('image-1', 'blocked')]);
    runs.set('image-2', [{ ...runOf('image-2', 'blocked'), summary: 'for another reason' }]);

    await roundOf(process);

    const store = createRedisNotifications({ connection: redisOptions({ url: redis.url }), prefix: 'test' });
    opened.push(store);
    expect(servers.ops.taken).toHaveLength(2);
    expect(await store.pending()).toEqual([]);
    expect((await store.counts()).get('ops')).toMatchObject({ sent: 1, failed: 1, lastError: 'it answered 410: gone' });
  });

  test('are sent again, with the same id, when the process died between sending and noting it', async () => {
    const notifications = createRedisNotifications({ connection: redisOptions({ url: redis.url }), prefix: 'test' });
    opened.push(notifications);
    const died = start({
      notifications: {
        ...notifications,
        // What a killed process leaves: nothing noted, and its lock until that runs out
        sent: () => Promise.reject(new Error('killed')),
        failed: async () => {},
        lock: async (what, ms) => {
          if (what === 'decide') return notifications.lock(what, ms);
          return (await notifications.lock(what, 50)) && (async () => {});
        },
      },
    });
    runs.set('image-1', [runOf('image-1', 'blocked')]);
    await died.round();
    await died.idle();
    await wait(60);
    const next = start();
    await roundOf(next);
    await roundOf(next);

    expect(titles('ops')).toEqual(['image-1 is blocked', 'image-1 is blocked']);
    expect(idOf(0)).toBe(idOf(1));
    expect(await notifications.pending()).toEqual([]);
  });
});

async function roundOf(...processes: readonly NotifierRounds[]): Promise<void> {
  await Promise.all(processes.map((each) => each.round()));
  await Promise.all(processes.map((each) => each.idle()));
}

function titles(name: 'ops' | 'dead'): readonly string[] {
  return servers[name].taken.map(({ body }) => JSON.parse(body).data.title);
}

function idOf(index: number) {
  return servers.ops.taken[index]!.headers['webhook-id'];
}

function runOf(image: string, outcome: 'blocked' | 'released'): Run {
  return bareRun(image, { id: '01KB0000000000000000000001', outcome, summary: `${image} is not good` });
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('never');
    await wait(20);
  }
}
