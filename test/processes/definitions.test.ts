import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { FleetSource } from '../../src/definitions/source.ts';
import type { Settings } from '../../src/domain/fleet/model.ts';
import { createDefinitionsKeeper } from '../../src/processes/definitions.ts';
import { createHost, type Host } from '../../src/processes/host.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let [server, redis]: [TestRegistry?, TestRedis?] = [];
let folder: string;
let base: string;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  server = await startDistribution();
});
afterAll(() => server!.stop());
beforeEach(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'ingot-definitions-'));
  base = `${server!.address}/golden`;
  await mkdir(join(folder, 'images/base'), { recursive: true });
  await writeFile(join(folder, 'images/base/image.yaml'), 'from: debian:12\nline: "12"\nuser: root\n');
  await settings('');
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await redis!.remove();
  await rm(folder, { recursive: true, force: true });
});

const settings = (more: string) =>
  writeFile(join(folder, 'ingot.yaml'), `fleet: acme\nregistry: ${base}\nplatforms: [linux/amd64]\n${more}`);

/** A process of the service; whether its source can be asked is said by the test. */
async function startProcess() {
  const state = { isThere: true, troubles: [] as string[], loaded: [] as Settings[] };
  const { signal } = new AbortController();
  const onTrouble = (message: string) => void state.troubles.push(message);
  const env = { REDIS_URL: redis!.url, INGOT_DATA: join(folder, '.ingot') };
  const config = await readConfig({ root: folder, env });
  const host: Host = createHost(config, {
    ...{ signal, onTrouble, fleet: 'acme', base, unsigned: true },
    embedded: { owner: false },
  });
  const source: FleetSource = {
    name: 'a folder',
    async update() {
      if (!state.isThere) throw new Error('the source is not there');
      return { root: folder };
    },
  };
  const keeper = createDefinitionsKeeper(config, host, {
    ...{ source, base, fleet: 'acme', onTrouble, signal },
    onLoaded: async (settings) => void state.loaded.push(settings),
  });
  closing.push(() => Promise.all([keeper.close(), host.close()]));
  return { ...state, state, host, keeper };
}

test('a process that could never read its source puts back what others read, after Redis lost it', async () => {
  const first = await startProcess();
  await first.keeper.reload();
  const { digest } = (await first.host.store.definitions())!;
  const second = await startProcess();
  second.state.isThere = false;
  await second.keeper.reload();
  await redis!.kill();
  await redis!.start({ empty: true });

  await second.keeper.ensure();

  expect(await second.host.store.definitions()).toMatchObject({
    digest,
    refused: { message: 'the source is not there' },
  });
  expect([...(await second.host.runs.nextTimes()).keys()]).toContain('watch');
  expect(second.troubles).toEqual([expect.stringContaining('the source is not there')]);
});

test('what definitions say counts as soon as they were read, and what is broken does not', async () => {
  const { keeper, loaded, troubles } = await startProcess();
  await keeper.reload();
  await settings('access: { requestsPerMinute: 77 }\n');
  await keeper.reload();
  await settings('access: { requestsPerMinute: none }\n');
  await keeper.reload();

  expect(loaded.map(({ access }) => access?.requestsPerMinute)).toEqual([undefined, 77]);
  expect(troubles).toHaveLength(1);
});
