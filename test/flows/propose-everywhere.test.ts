import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { RolloutFile } from '../../src/domain/fleet/settings-rollout.ts';
import type { ReleaseLookup, ReleaseToPropose } from '../../src/flows/propose.ts';
import { type EverywhereRequest, proposeEverywhere } from '../../src/flows/propose-everywhere.ts';
import { ForgeError, type ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { withTurns } from '../../src/forge/paced.ts';
import { createPacer, createWriteTimes } from '../../src/lib/pacer.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';

const image = 'registry.example.org/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const [A, B] = [digest('a'), digest('b')];
const signal = new AbortController().signal;
const start = Date.parse('2026-08-22T02:00:00Z');

const release: ReleaseToPropose = {
  ...{ image: 'debian', repository: image, line: '12', version: '12.0.1', digest: B },
  ...{ channels: ['stable'], reasons: ['its base debian:12 moved'] },
};
const lookup: ReleaseLookup = {
  identify: async (of) => ({ [A]: { version: '12.0.0' }, [B]: { version: '12.0.1' } })[of],
  content: async () => undefined,
};

let people: TestRepository[];
let repositories: ForgeRepository[];
let clock: number;

beforeEach(async () => {
  clock = start;
  const files = { Dockerfile: `FROM ${image}:12.0.0@${A}\n` };
  people = await Promise.all([1, 2, 3, 4].map(() => createTestRepository(files)));
  const forge = createLocalForge({ now: () => new Date(clock) });
  repositories = people.map(({ path }) => forge.repository(path));
});

afterEach(() => Promise.all(people.map((person) => person.remove())));

const propose = (of = repositories, more: Partial<EverywhereRequest> = {}) =>
  proposeEverywhere(of, { release, lookup, signal, ...more });
const actions = async (end: ReturnType<typeof propose>) => (await end).results.map(({ action }) => action);
const countPulls = async () =>
  (await Promise.all(repositories.map((each) => each.pulls()))).map(({ length }) => length);

test('one repository that cannot be asked holds up no other', async () => {
  const broken = createLocalForge({ now: () => new Date() }).repository('/nowhere');
  const { results } = await propose([broken, repositories[0]!]);

  expect(results).toMatchObject([{ repository: '/nowhere', action: 'unknown' }, { action: 'opened' }]);
});

test('a dry look says what is due, and writes nothing', async () => {
  const { results } = await propose(repositories, { isDry: true });

  expect(results.map(({ action, message }) => [action, message])).toEqual(
    repositories.map(() => ['due', 'would be opened now']),
  );
  expect(await countPulls()).toEqual([0, 0, 0, 0]);
});

test('troubles of a pull request that is open all the same are in the result', async () => {
  const troubles = ['no review could be asked of zoe'];
  const [one] = repositories;
  const troubled: ForgeRepository = {
    ...one!,
    openPull: async (pull, call) => ({ ...(await one!.openPull(pull, call)), troubles }),
  };

  expect((await propose([troubled])).results).toMatchObject([{ action: 'opened', troubles }]);
});

describe('a forge that takes two pull requests an hour', () => {
  const costs = { commit: 1, open: 1, update: 1, comment: 1, remove: 1 };
  let paced: ForgeRepository[];

  beforeEach(() => {
    const sleep = async (ms: number) => {
      clock += ms;
    };
    const pacer = createPacer({ times: createWriteTimes(), maxWaitMs: 90_000, now: () => clock, sleep });
    const writer = { host: 'git.acme.example', identity: 'T', limits: { perHour: 5, apartMs: 1000 } };
    paced = repositories.map((repository) => withTurns(repository, pacer, writer, costs));
  });

  test('gets no more, is told of in advance, and gets the rest at the next looks', async () => {
    const said: string[] = [];
    const first = await propose(paced, { announce: (line) => said.push(line) });

    expect(said).toEqual(['4 pull requests at git.acme.example, until about 2026-08-22 03:00 UTC']);
    expect(first.results.map(({ action }) => action)).toEqual(['opened', 'opened', 'waiting', 'waiting']);
    expect(first.results[2]?.message).toContain('takes no more writes before 2026-08-22 03:00 UTC');
    expect(first.forecasts).toEqual(['2 pull requests at git.acme.example, until about 2026-08-22 03:00 UTC']);
    expect(first.nextAt).toBe(start + 3_600_000);

    expect(await actions(propose(paced))).toEqual(['unchanged', 'unchanged', 'waiting', 'waiting']);
    clock = first.nextAt! + 5000;
    expect(await actions(propose(paced))).toEqual(['unchanged', 'unchanged', 'opened', 'opened']);
    expect(await countPulls()).toEqual([1, 1, 1, 1]);
  });

  test('gets what is urgent first', async () => {
    const bad = { digest: A, version: '12.0.0', by: 'ada', why: 'it crashes' };
    await people[0]!.push('main', { Dockerfile: `FROM ${image}:12.0.0\n` });
    await people[1]!.push('main', { Dockerfile: `FROM ${image}:12.0.0\n` });
    const quarantined = [{ ...bad, version: 'none' }];
    const end = await propose(paced, { release: { ...release, quarantined } });

    expect(end.results.map(({ action }) => action)).toEqual(['waiting', 'waiting', 'opened', 'opened']);
  });
});

test.each([1, 4, 7])('a kill at write %i leaves nothing that the next look does not make up', async (nth) => {
  let writes = 0;
  const dies = async <T>(write: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes >= nth) throw new ForgeError('killed', { code: 'bug' });
    return write();
  };
  const dying = repositories.map(
    (each): ForgeRepository => ({
      ...each,
      commit: (request, call) => dies(() => each.commit(request, call)),
      openPull: (pull, call) => dies(() => each.openPull(pull, call)),
    }),
  );
  await propose(dying);

  await propose();

  expect(await countPulls()).toEqual([1, 1, 1, 1]);
  expect(await actions(propose())).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
});

describe('a rollout', () => {
  const settings = RolloutFile.parse({ share: ['50%'], soak: '1d', critical: 'skip-soak' });
  let rollout: typeof settings;
  const look = (more: Partial<EverywhereRequest> = {}) =>
    propose(repositories, { rollout, now: new Date(clock), ...more });

  beforeEach(() => {
    rollout = { ...settings, canary: [repositories[2]!.name] };
  });

  const day = 24 * 3_600_000;

  test('goes to the canary, to a share of the others, and to the rest, whoever looks', async () => {
    const first = await look();
    expect(first.results.map(({ action }) => action)).toEqual(['waiting', 'waiting', 'opened', 'waiting']);
    expect(first.results[0]?.message).toContain('waits for the canaries, until 2026-08-23 02:00 UTC');
    expect(first.nextAt).toBe(start + day);

    clock = start + day / 2;
    await repositories[2]!.merge(1);
    clock = start + day;
    expect(await countPulls()).toEqual([0, 0, 1, 0]);
    expect(await actions(look())).toEqual(['waiting', 'waiting', 'none', 'waiting']);

    clock += day / 2;
    await look();
    expect((await countPulls()).reduce((sum, count) => sum + count)).toBe(3);
    expect((await actions(look())).filter((action) => action === 'waiting')).toHaveLength(1);

    clock += day;
    await look();
    expect(await countPulls()).toEqual([1, 1, 1, 1]);
  });

  test('stops when the branch of one that merged it is red', async () => {
    await look();
    await repositories[2]!.merge(1);
    clock = start + 2 * day;
    const red: ForgeRepository = { ...repositories[2]!, checks: async () => ({ state: 'failing', failing: ['test'] }) };
    const { results } = await propose([...repositories.slice(0, 2), red], { rollout, now: new Date(clock) });

    expect(results.map(({ action }) => action)).toEqual(['waiting', 'waiting', 'none']);
    expect(results[0]?.message).toContain('stopped: checks fail in 1 of 1 downstreams that merged it');
  });

  test('waits for a release anew where one is open for the release before', async () => {
    await propose([repositories[0]!]);
    const next = { ...release, version: '12.0.2', digest: digest('c') };

    const { results } = await look({ release: next });
    expect(results.map(({ action, number }) => [action, number])).toEqual([
      ['waiting', 1],
      ['waiting', undefined],
      ['opened', 1],
      ['waiting', undefined],
    ]);
  });

  test('does not keep pins on a quarantined release, nor critical fixes where that is asked for', async () => {
    const quarantined = [{ digest: A, version: '12.0.0', by: 'ada', why: 'it crashes' }];
    expect(await actions(look({ release: { ...release, quarantined }, isDry: true }))).toEqual([
      'due',
      'due',
      'due',
      'due',
    ]);

    expect(await actions(look({ release: { ...release, urgent: true }, isDry: true }))).toEqual([
      'due',
      'due',
      'due',
      'due',
    ]);
  });
});
