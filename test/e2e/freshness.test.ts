import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import type { FreshnessSample } from '../../src/domain/freshness.ts';
import type { FreshnessView } from '../../src/domain/service/views.ts';
import { type ChannelServer, startChannelServer } from '../support/channel-server.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { type ServiceScene, startServiceScene } from '../support/service-scene.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

let scene: FleetScene;
let service: ServiceScene;
let channel: ChannelServer;

beforeAll(async () => {
  scene = await startFleetScene();
  service = await startServiceScene(scene);
  channel = await startChannelServer();
  process.env.SLACK_URL = channel.url;
});
afterAll(async () => {
  delete process.env.SLACK_URL;
  await service?.stop();
  await channel?.stop();
  await scene?.stop();
});

test('a change is followed from its detection to its pull request through a kill, and told while a goal is not kept', async () => {
  const { serve, worker, ask, until, versions } = service;
  const notify = { settle: '0s', channels: { ops: { slack: { url: { env: 'SLACK_URL' } } } } };
  const goals = { release: '5s' };
  const factory = await scene.factory('fresh', { settings: { freshness: goals, notify } });
  await factory.publish('first');
  const scheduler = await serve(factory);
  await worker(factory, 'all', []);
  await until(async () => (await versions(factory, 'child')).length === 1, 'child is released');
  await rm(factory.downstream, { recursive: true });
  await makeDownstream(factory.downstream, { Dockerfile: `FROM ${factory.base}/child:3.11.0\n` });
  await ask(factory, (each) => each.pause('base', { by: 'ada', reason: 'a demo' }));

  await factory.publish('second');
  await ask(factory, (each) => each.look({ by: 'a person' }));
  await until(async () => (await freshness(factory)).samples.length === 2, 'both images lack it');
  const [before] = (await freshness(factory)).samples;
  scheduler.kill('SIGKILL');
  await serve(factory);
  await until(async () => channel.taken.length > 0, 'the breach is told');
  const late = await ingot(factory, 'freshness', '--json').catch((error) => error);
  await ask(factory, (each) => each.resume('base', { by: 'ada' }));
  await until(async () => (await versions(factory, 'child')).length === 2, 'child is released again');
  await until(async () => (await freshness(factory)).samples.every(isProposed), 'a pull request proposes it');
  await until(async () => channel.taken.some(({ body }) => body.includes('over')), 'the end of the breach is told');
  const done = await ingot(factory, 'freshness');
  const { samples, breaches } = await freshness(factory);

  expect(late.code).toBe(1);
  expect(JSON.parse(late.stdout).breaches).toMatchObject([
    { image: expect.any(String), goal: 'release', running: true },
    { image: expect.any(String), goal: 'release', running: true },
  ]);
  expect(JSON.stringify(JSON.parse(late.stdout).breaches)).toContain('paused by ada');
  expect(channel.taken.map(({ body }) => body).join('\n')).toContain('paused by ada');
  const [base, child] = ['base', 'child'].map((name) => samples.find(({ image }) => image === name)!);
  for (const sample of [base!, child!]) {
    expect(sample).toMatchObject({ outcome: 'released', changedAt: before!.changedAt, detectedAt: before!.detectedAt });
    expect(Object.keys(sample.platforms!).sort()).toEqual(['linux/amd64', 'linux/arm64']);
    const times = [sample.changedAt, sample.detectedAt, sample.platforms!['linux/arm64']!.builtAt!, sample.releasedAt!];
    expect(times.toSorted()).toEqual(times);
  }
  expect(child!.releasedAt! > base!.releasedAt!).toBe(true);
  expect(breaches.map(({ running }) => running)).toEqual([false, false]);
  expect(breaches.find(({ image }) => image === 'base')!.why).toContain('paused by ada');
  expect(done.stdout).toMatch(/base: over since .*the goal "release" is 5 s.*\n/);
});

function isProposed({ image, releasedAt, pulls = {} }: FreshnessSample): boolean {
  return releasedAt !== undefined && (image !== 'child' || Object.keys(pulls).length === 1);
}

function freshness(factory: TestFactory): Promise<FreshnessView> {
  return service.ask(factory, (each) => each.freshness());
}

function ingot(factory: TestFactory, ...args: string[]) {
  const env = { ...process.env, INGOT_DATA: join(service.folder, 'cli'), REDIS_URL: service.redis.url };
  return promisify(execFile)(process.execPath, [CLI, '-C', factory.root, ...args], { env });
}
