import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { type ServiceScene, startServiceScene } from '../support/service-scene.ts';

let scene: FleetScene;
let service: ServiceScene;

beforeAll(async () => {
  scene = await startFleetScene();
});
afterAll(() => scene?.stop());

beforeEach(async () => {
  service = await startServiceScene(scene);
});
afterEach(() => service?.stop());

const LOSSES = {
  flushed: async () => {
    const redis = new Redis(service.redis.url);
    await redis.flushall();
    redis.disconnect();
  },
  'restarted empty': async () => {
    await service.redis.stop();
    await service.redis.start({ empty: true });
  },
} as const;

test.each([
  ['flushed', 'gate'],
  ['restarted empty', 'gate'],
  ['flushed', 'pull request'],
] as const)(
  'a Redis that is %s at the %s brings no second release and no second pull request',
  async (loss, moment) => {
    const { gated, serve, worker, holderOf, until, versions } = service;
    const factory = await scene.factory(`${loss}-${moment}`.replaceAll(' ', '-'), { settings: gated('base', 6) });
    const gate = join(service.folder, 'base.holder');
    await writeFile(gate, ''); // not this time
    await factory.publish('first');
    await serve(factory);
    await worker(factory, 'builder', ['--roles', 'build']);
    const releaser = await worker(factory, 'releaser', ['--roles', 'release,propose']);
    await until(async () => (await versions(factory, 'child')).length === 1, 'child is released');
    await pinBoth(factory);

    await rm(gate);
    await factory.publish('second');
    await service.ask(factory, (each) => each.look({ by: 'a person' }));
    await (moment === 'gate'
      ? holderOf([releaser])
      : until(async () => (await pulls(factory)).length > 0, 'it is asked'));
    await LOSSES[loss]();

    await until(
      () => service.ask(factory, (each) => each.fleet()).catch(() => false),
      'the definitions are there again',
    );
    const both = async () => (await pulls(factory)).length === 2 && (await versions(factory, 'child')).length === 2;
    await until(both, 'both are released and proposed');
    await quiet(factory);
    expect(await versions(factory, 'base')).toEqual(['12.0.0', '12.0.1']);
    expect(await versions(factory, 'child')).toEqual(['3.11.0', '3.11.1']);
    expect(await pulls(factory)).toEqual(['open ingot/image/base 12.0.1', 'open ingot/image/child 3.11.1']);
  },
);

/** A downstream that is built from what is released now. */
async function pinBoth(factory: TestFactory): Promise<void> {
  const [base, child] = await Promise.all([service.tags(factory, 'base'), service.tags(factory, 'child')]);
  await rm(factory.downstream, { recursive: true });
  await makeDownstream(factory.downstream, {
    Dockerfile: `FROM ${factory.base}/base:12.0.0@${base['12.0.0']}\n`,
    'app/Dockerfile': `FROM ${factory.base}/child:3.11.0@${child['3.11.0']}\n`,
  });
}

/** All that there ever were, in words. */
async function pulls(factory: TestFactory): Promise<readonly string[]> {
  const { pulls: found, unknown } = await service.ask(factory, (each) => each.pulls());
  expect(unknown).toEqual([]);
  const version = (title: string) => /\d+\.\d+\.\d+$/.exec(title)?.[0] ?? title;
  return found.map(({ state, title, body }) => `${state} ${branchOf(title, body)} ${version(title)}`).sort();
}

function branchOf(title: string, body: string): string {
  return /\bchild\b/.test(`${title} ${body}`) ? 'ingot/image/child' : 'ingot/image/base';
}

/** Nothing waits and nothing runs, and a look at everything afterwards finds nothing to do. */
async function quiet(factory: TestFactory): Promise<void> {
  const { ask, until } = service;
  const idle = () =>
    ask(factory, async (each) =>
      (await each.queues()).every(({ running, waiting, blocked }) => running + waiting + blocked === 0),
    );
  await until(idle, 'everything has come to rest');
  await ask(factory, (each) => each.look({ by: 'a person' }));
  const current = () =>
    ask(factory, async (each) => (await each.plan()).entries.every(({ state }) => state === 'fresh'));
  await until(async () => (await current()) && (await idle()), 'there is nothing to do');
}
