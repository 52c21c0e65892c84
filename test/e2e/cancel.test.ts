import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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

const SLEEP = 'sleep 86399';

test('cancelling a run ends buildctl, its process group and what it builds within five seconds', async () => {
  const { serve, worker, until, ask } = service;
  const factory = await scene.factory('long', { only: 'base', settings: { platforms: ['linux/amd64'] } });
  const context = join(factory.root, 'images/base/context');
  await factory.publish('first');
  await mkdir(context, { recursive: true });
  await copyFile('/bin/busybox', join(context, 'busybox'));
  await factory.write({
    'images/base/Dockerfile': `FROM debian:12-slim\nCOPY busybox /bin/sh\nRUN exec ${SLEEP}\nUSER 10001\n`,
  });
  await serve(factory);
  const builder = await worker(factory, 'builder', []);
  const below = () => descendants(builder.pid);
  await until(() => isBuilding(), 'the build sleeps');
  const before = await below();
  const [run] = await ask(factory, async (each) => (await each.runs({ state: 'running' })).items);

  const began = Date.now();
  const ended = await ask(factory, (each) => each.cancelRun(run!.id, { by: 'ada', reason: 'it hangs' }));
  await until(async () => !(await below()).some(isBuildctl), 'buildctl is gone', 30_000);
  const gone = Date.now() - began;
  await until(async () => !(await isBuilding()), 'the container is gone', 30_000);
  const all = Date.now() - began;

  console.log(`cancelled: buildctl gone after ${gone} ms, its container after ${all} ms`);
  expect(before.filter(isBuildctl).length).toBeGreaterThan(0);
  expect(ended).toMatchObject({ state: 'ended', outcome: 'cancelled', cancelled: { by: 'ada', reason: 'it hangs' } });
  expect(gone).toBeLessThan(5_000);
});

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

const isBuildctl = ({ command }: Process) => /(^|\/)buildctl\0/.test(command);

async function processes(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [stat, command] = await Promise.all(
        ['stat', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const parent = Number(/\) \S (\d+)/.exec(stat!)?.[1]);
      return { pid: Number(pid), parent, command: command! };
    }),
  );
  return found.filter(({ command }) => command !== '');
}

async function descendants(root: number): Promise<readonly Process[]> {
  const all = await processes();
  const below = (pid: number): readonly Process[] =>
    all.filter(({ parent }) => parent === pid).flatMap((each) => [each, ...below(each.pid)]);
  return below(root);
}

/** The step itself, in its container on the builder. */
async function isBuilding(): Promise<boolean> {
  return (await processes()).some(({ command }) => command.replaceAll('\0', ' ').trim() === SLEEP);
}
