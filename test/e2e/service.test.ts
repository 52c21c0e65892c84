import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FleetScene, startFleetScene } from '../support/fleet-scene.ts';
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

describe('a scheduler and workers that share only Redis and registry', () => {
  test('bring a fleet up to date, and again when its upstream moves', async () => {
    const { serve, worker, ask, until, versions } = service;
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
    const { serve, worker, until, settled, versions, tags, gated, holderOf } = service;
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

  test('cancel a run within five seconds wherever it is, and start it again when somebody asks', async () => {
    const { serve, worker, ask, gated, holderOf, processes } = service;
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
    const { serve, worker, ask, until, versions } = service;
    const factory = await scene.factory('broken', { only: 'base' });
    await factory.publish('first');
    const scheduler = await serve(factory);
    await worker(factory, 'all', []);
    await until(async () => (await versions(factory, 'base')).length === 1, 'base is released');

    await factory.write({ 'images/base/image.yaml': 'line: "12"\nlinee: 1\n' });
    scheduler.kill('SIGHUP');
    await until(async () => (await ask(factory, (each) => each.fleet())).refused !== undefined, 'it is refused');
    const { refused, images } = await ask(factory, (each) => each.fleet());
    await factory.write({ 'images/base/image.yaml': 'line: "12"\n', 'images/base/context/motd': 'golden again\n' });
    scheduler.kill('SIGHUP');

    await until(async () => (await versions(factory, 'base')).length === 2, 'the mended definition is built');
    expect(images).toBe(1);
    expect(refused?.message).toMatch(/images\/base\/image.yaml:2:1: unknown key "linee"; did you mean "line"/);
    expect((await ask(factory, (each) => each.fleet())).refused).toBeUndefined();
  });
});
