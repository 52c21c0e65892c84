import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { atTag, repositoryOf } from '../../src/domain/reference.ts';
import { followProposed } from '../../src/flows/freshness.ts';
import { createProposer } from '../../src/flows/proposals.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import type { FreshnessStore } from '../../src/ledger/freshness.ts';
import { createRedisFreshness } from '../../src/ledger/redis-freshness.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import { minute, released } from '../support/freshness-sample.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { createStageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();

let scene: StandingScene;
let folder: string;
let redis: TestRedis;
const opened: FreshnessStore[] = [];
beforeAll(async () => {
  [scene, redis, folder] = await Promise.all([
    startStandingScene(),
    startRedis(),
    mkdtemp(join(tmpdir(), 'ingot-freshness-')),
  ]);
});
afterAll(async () => {
  await Promise.all(opened.map((each) => each.close()));
  await Promise.all([scene?.stop(), redis?.remove()]);
  await rm(folder, { recursive: true, force: true });
});

/** A downstream on 12.0.0, the release 12.0.1, and a change that it brought in. */
async function setUp(name: string) {
  const stages = createStageScene(scene, name, '');
  await stages.release('12.0.0');
  await stages.release('12.0.1');
  const { deps, image, repository } = stages;
  const path = join(folder, `${name}.git`);
  await makeDownstream(path, { Dockerfile: `FROM ${repositoryOf(repository)}:12.0.0\n` });
  const downstream = createLocalForge({ now: () => new Date(minute(90)) }).repository(path);
  const freshness = createRedisFreshness({
    connection: redisOptions({ url: redis.url }),
    ...{ prefix: name, now: () => Date.parse(minute(100)) },
  });
  opened.push(freshness);
  const release = (await scene.registry.head(atTag(repository, '12.0.1')))!.digest as Digest;
  await freshness.note(released(image.name, 60, { release }));
  const unused = async () => {
    throw new Error('nothing of these releases was catalogued');
  };
  const parts = {
    ...{ registry: deps.registry, places: deps.places, fleet: { settings: deps.settings, images: [image] }, freshness },
    downstreams: { list: async () => [downstream], follows: () => undefined },
    cataloguer: { name: 'none', catalogue: unused, packages: () => [] },
    scanner: { name: 'none', scan: unused, database: unused },
  };
  const propose = (at: number, isDry = false) =>
    createProposer({ ...parts, now: () => new Date(minute(at)) }, { isDry })(image.name, signal);
  const pulls = async () => Object.values((await freshness.samples())[0]!.pulls ?? {});
  return { image, downstream, freshness, propose, pulls };
}

describe('a pull request', () => {
  test('that proposes the release is noted once, and its merge is', async () => {
    const { downstream, freshness, propose, pulls } = await setUp('merged');
    await propose(61, true);
    const dry = await pulls();
    await propose(61);
    await propose(75);
    const [open] = await pulls();
    await followProposed(freshness, [downstream], signal);
    const unmerged = await pulls();

    await downstream.merge(open!.number, { signal });
    await followProposed(freshness, [downstream], signal);

    expect([dry, unmerged]).toEqual([[], [open]]);
    expect(open).toMatchObject({ repository: downstream.name, number: 1, openedAt: minute(61) });
    expect(await pulls()).toEqual([{ ...open, mergedAt: minute(90) }]);
    expect(await freshness.proposed()).toEqual([]);
  });

  test('that a person closes is waited for no more', async () => {
    const { downstream, freshness, propose, pulls } = await setUp('closed');
    await propose(61);

    await downstream.updatePull(1, { state: 'closed' }, { signal });
    await followProposed(freshness, [downstream], signal);

    expect(await pulls()).toMatchObject([{ closedAt: minute(90) }]);
    expect(await freshness.proposed()).toEqual([]);
  });

  test('says nothing of changes that other releases brought in', async () => {
    const { image, freshness, propose } = await setUp('others');
    await freshness.note(released(image.name, 30, { id: `${image.name}|2` }));

    await propose(61);

    const found = (await freshness.samples()).map(({ id, pulls }) => [id, Object.keys(pulls ?? {}).length]);
    expect(Object.fromEntries(found)).toEqual({ [`${image.name}|1`]: 1, [`${image.name}|2`]: 0 });
  });

  test('of a forge that cannot be asked is asked for again; without any, none is asked', async () => {
    const { downstream, freshness, propose, pulls } = await setUp('away');
    const asked: unknown[] = [];
    const away = {
      ...downstream,
      pulls: async (filter: unknown) => {
        asked.push(filter);
        throw new Error('the forge is away');
      },
    } as ForgeRepository;
    await followProposed(freshness, [away], signal);
    await propose(61);

    await followProposed(freshness, [away], signal);

    expect(asked).toEqual([{ branch: (await pulls())[0]!.branch }]);
    expect(await freshness.proposed()).toHaveLength(1);
  });
});
