import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFacts, Known, Upstream } from '../../src/domain/facts.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import type { RebuildSettings } from '../../src/domain/fleet/settings-rebuild.ts';
import { type Inputs, inputsDigest, RECIPE_VERSION } from '../../src/domain/inputs.ts';
import { type PlanEntry, planFleet } from '../../src/domain/plan.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { parseReference } from '../../src/domain/reference.ts';
import type { Outcome, Run } from '../../src/domain/run.ts';
import type { FixableFinding, OfferedUpdate, Release } from '../../src/domain/staleness.ts';

const PLATFORMS: readonly Platform[] = ['linux/amd64', 'linux/arm64'];
const BASE = 'docker.io/library/debian:12';
const NOW = '2026-03-10T12:00:00.000Z';
const REBUILD: RebuildSettings = { settleSeconds: 0, maxWaitSeconds: 7200, recipesPerDay: 25 };
const HOUR = 3600_000;

const ago = (milliseconds: number) => new Date(Date.parse(NOW) - milliseconds).toISOString();

function image(name: string, source: Image['inputs'][number]['source'], definition = 'one'): Image {
  const definitionParts = { 'image.yaml#env': digestOf(definition) };
  const recipe = { kind: 'own', dockerfile: '/Dockerfile', context: '/' } as const;
  const inputs = [{ role: 'base', written: name, source }] as const;
  const rest = { owners: [], waivers: [], secrets: [], platforms: PLATFORMS };
  return { name, folder: `/fleet/images/${name}`, line: '12', recipe, inputs, definition: definitionParts, ...rest };
}

const debian = image('debian', { upstream: parseReference(BASE) });
const python = image('python', { golden: 'debian' });

function upstream(content: string, over: Partial<Upstream> = {}): Known<Upstream> {
  const platforms = Object.fromEntries(PLATFORMS.map((platform) => [platform, digestOf(`${content} ${platform}`)]));
  return { state: 'known', value: { digest: digestOf(content), platforms, created: '2026-03-01T00:00:00Z', ...over } };
}

const old = upstream('first');

function inputsOf(of: Image, base = old, over: Partial<Inputs> = {}): Inputs {
  if (base.state !== 'known') throw new Error('inputs need a base');
  const { digest, platforms, created } = base.value;
  const inputs = [{ role: 'base', name: BASE, digest, platforms, ...(created && { created }) }] as const;
  return { image: of.name, recipe: RECIPE_VERSION, platforms: PLATFORMS, inputs, definition: of.definition, ...over };
}

function release(of: Image, inputs = inputsOf(of)): Known<Release> {
  const platforms = Object.fromEntries(PLATFORMS.map((platform) => [platform, digestOf(`${of.name} ${platform}`)]));
  return { state: 'known', value: { digest: digestOf(of.name), version: '12.0.0', platforms, inputs } };
}

function run(outcome: Outcome, inputs: Inputs, endedAt: string, over: Partial<Run> = {}): Run {
  const common = { id: endedAt, image: inputs.image, holds: [], platforms: PLATFORMS, steps: [], summary: 'it broke' };
  return {
    ...common,
    ...{ inputs: inputsDigest(inputs), reasons: [{ kind: 'never-released' }], startedAt: endedAt, endedAt, outcome },
    ...over,
  };
}

/** debian is released from the old base, and nothing else is known. */
function facts(over: Partial<FleetFacts> = {}): FleetFacts {
  return {
    ...{ now: NOW, rebuild: REBUILD, images: [debian], upstreams: new Map([[BASE, old]]) },
    ...{ releases: new Map([['debian', release(debian)]]), builders: new Map(), runs: new Map() },
    ...over,
  };
}

function planOf(over: Partial<FleetFacts>): PlanEntry {
  return planFleet(facts(over))[0]!;
}

const kinds = (entry: PlanEntry) => [entry.state, ...entry.reasons.map(({ kind }) => kind), ...holdsOf(entry)];
const holdsOf = (entry: PlanEntry) => entry.holds.map(({ kind }) => kind);

const update: OfferedUpdate = {
  ...{ name: 'libssl3', source: 'openssl', from: '3.0.15-1', to: '3.0.16-1', security: true },
  ...{ origin: 'bookworm-security', platforms: PLATFORMS },
};
const known = <T>(value: T): Known<T> => ({ state: 'known', value });
const offers = (...updates: OfferedUpdate[]) => new Map([['debian', known(updates)]]);
const finding = (severity: FixableFinding['severity']): FixableFinding => ({
  ...{ id: 'CVE-2026-1', severity, source: 'openssl', installed: '3.0.15-1', fixed: '3.0.16-1' },
});
const packagesOf = (version: string) => Object.fromEntries(PLATFORMS.map((each) => [each, { libssl3: version }]));
const night = { fromMinute: 22 * 60, untilMinute: 6 * 60, timezone: 'UTC' };

describe('settling', () => {
  const settle = { ...REBUILD, settleSeconds: 900 };

  test('waits for the end of a burst', () => {
    const moved = new Map([[BASE, upstream('second', { firstSeenAt: ago(600_000) })]]);

    const entry = planOf({ rebuild: settle, upstreams: moved });

    expect(entry.holds).toEqual([{ kind: 'settling', until: '2026-03-10T12:05:00.000Z' }]);
  });

  test.each([
    ['is over after its time', 900_000, settle],
    ['is never longer than maxWait', 600_000, { ...settle, settleSeconds: 7200, maxWaitSeconds: 300 }],
    ['is off by default', 0, REBUILD],
  ])('%s', (_name, seen, rebuild) => {
    const moved = new Map([[BASE, upstream('second', { firstSeenAt: ago(seen) })]]);

    expect(kinds(planOf({ rebuild, upstreams: moved }))).toEqual(['rebuild', 'base-changed']);
  });

  test('is skipped for a critical vulnerability with a fix', () => {
    const moved = new Map([[BASE, upstream('second', { firstSeenAt: NOW })]]);
    const fixable = new Map([['debian', [finding('critical')]]]);

    const entry = planOf({ rebuild: settle, upstreams: moved, packages: offers(update), fixable });

    expect(kinds(entry)).toEqual(['rebuild', 'base-changed', 'package-updates', 'vulnerability-fixable']);
  });
});

describe('a window', () => {
  const rebuild = { ...REBUILD, window: night };
  const moved = new Map([[BASE, upstream('second')]]);

  test('holds what machines noticed until it opens', () => {
    expect(planOf({ rebuild, upstreams: moved }).holds).toEqual([
      { kind: 'outside-window', until: '2026-03-10T22:00:00.000Z' },
    ]);
  });

  test('lets through what a person changed or asked for', () => {
    const changed = image('debian', { upstream: parseReference(BASE) }, 'two');

    expect(planOf({ rebuild, images: [changed] }).state).toBe('rebuild');
    expect(planOf({ rebuild, requested: new Map([['debian', { by: 'ada', at: NOW }]]) }).state).toBe('rebuild');
  });

  test('lets through a critical fix and no lesser one', () => {
    const at = (severity: FixableFinding['severity']) =>
      planOf({ rebuild, packages: offers(update), fixable: new Map([['debian', [finding(severity)]]]) }).state;

    expect([at('critical'), at('high')]).toEqual(['rebuild', 'held']);
  });

  test('does not cut a wave in two: children follow their parent', () => {
    const plan = planFleet(
      facts({
        rebuild,
        images: [debian, python],
        releases: new Map([
          ['debian', release(debian)],
          ['python', release(python)],
        ]),
      }),
    );

    expect(plan.map(({ state }) => state)).toEqual(['fresh', 'rebuild']);
  });
});

describe('back-off', () => {
  const moved = upstream('second');
  const failed = (...ages: number[]) =>
    new Map([['debian', ages.map((age) => run('failed', inputsOf(debian, moved), ago(age)))]]);
  const upstreams = new Map([[BASE, moved]]);

  test.each([
    [1, undefined],
    [2, undefined],
    [3, '2026-03-10T12:59:00.000Z'],
    [4, '2026-03-10T13:59:00.000Z'],
    [5, '2026-03-10T15:59:00.000Z'],
    [10, '2026-03-11T11:59:00.000Z'],
  ])('after %i failures of the same inputs the next try is at %s', (failures, until) => {
    const history = failed(...Array.from({ length: failures }, (_, index) => 60_000 + index * HOUR));

    const hold = planOf({ upstreams, history }).holds[0];

    expect(hold).toEqual(until && { kind: 'backing-off', failures, until, summary: 'it broke' });
  });

  test('ends at once when the inputs change', () => {
    const history = failed(60_000, HOUR, 2 * HOUR);

    expect(planOf({ upstreams: new Map([[BASE, upstream('third')]]), history }).state).toBe('rebuild');
  });

  test('counts neither what was cancelled nor what came before a success', () => {
    const inputs = inputsOf(debian, moved);
    const ends: Outcome[] = ['failed', 'cancelled', 'failed', 'unchanged', 'failed', 'failed'];
    const history = new Map([['debian', ends.map((outcome, index) => run(outcome, inputs, ago(60_000 + index)))]]);

    expect(planOf({ upstreams, history }).state).toBe('rebuild');
  });
});

describe('a blocked candidate', () => {
  const moved = upstream('second');
  const history = new Map([['debian', [run('blocked', inputsOf(debian, moved), ago(HOUR), { basis: 'monday' })]]]);
  const upstreams = new Map([[BASE, moved]]);

  test('is not judged again while nothing changed that a verdict depends on', () => {
    const entry = planOf({ upstreams, history, verdictBasis: new Map([['debian', 'monday']]) });

    expect(entry.holds).toEqual([{ kind: 'blocked', at: ago(HOUR), why: 'it broke' }]);
  });

  test.each([
    ['is judged again after a person adopted its repository since', 'adopted', HOUR / 2, 'rebuild'],
    ['is not for what a person said before', 'adopted', 2 * HOUR, 'held'],
    ['is not for what has nothing to do with it', 'approval', HOUR / 2, 'held'],
  ] as const)('%s', (_what, kind, since, state) => {
    const standing = new Map([['debian', { quarantined: [], marks: [{ kind, at: ago(since), by: 'ada' }] }]]);

    expect(planOf({ upstreams, history, standing, verdictBasis: new Map([['debian', 'monday']]) }).state).toBe(state);
  });

  test.each([
    ['the database, a policy, a waiver or the day', { verdictBasis: new Map([['debian', 'tuesday']]) }],
    ['the inputs', { upstreams: new Map([[BASE, upstream('third')]]), verdictBasis: new Map([['debian', 'monday']]) }],
  ])('is judged again after a change of %s', (_what, over) => {
    expect(planOf({ upstreams, history, ...over }).state).toBe('rebuild');
  });
});

describe('what people decided', () => {
  const pause = { by: 'ada', at: ago(HOUR), why: 'a move' };
  const moved = new Map([[BASE, upstream('second')]]);

  test('a pause holds the image, and its children go on with the release in use', () => {
    const changed = image('python', { golden: 'debian' }, 'two');
    const parent = {
      role: 'base',
      name: 'golden/debian',
      digest: digestOf('debian'),
      ...{ version: '12.0.0' },
    } as const;
    const made = inputsOf(python, old, {
      inputs: [{ ...parent, platforms: (release(debian) as { value: Release }).value.platforms }],
    });

    const plan = planFleet(
      facts({
        images: [debian, changed],
        upstreams: moved,
        releases: new Map([
          ['debian', release(debian)],
          ['python', release(python, made)],
        ]),
        standing: new Map([['debian', { paused: pause, quarantined: [] }]]),
      }),
    );

    expect(plan.map(({ state }) => state)).toEqual(['held', 'rebuild']);
    expect(plan[0]!.holds).toEqual([{ kind: 'paused', ...pause }]);
    expect(plan[1]!.reasons.map(({ kind }) => kind)).toEqual(['definition-changed']);
  });

  test('inputs that made a quarantined release are not built again, changed ones are', () => {
    const inputs = inputsDigest(inputsOf(debian, upstream('second')));
    const quarantined = [{ digest: digestOf('bad'), inputs, version: '12.0.1', why: 'it crashes' }];
    const standing = new Map([['debian', { quarantined }]]);

    expect(planOf({ upstreams: moved, standing }).holds).toEqual([
      { kind: 'quarantined-result', digest: digestOf('bad'), version: '12.0.1', why: 'it crashes' },
    ]);
    expect(planOf({ upstreams: new Map([[BASE, upstream('third')]]), standing }).state).toBe('rebuild');
  });

  test('a quarantined release of the parent is no base', () => {
    const standing = new Map([['debian', { quarantined: [{ digest: digestOf('debian'), why: 'it crashes' }] }]]);

    const plan = planFleet(facts({ images: [debian, python], standing }));

    expect(plan[1]!.holds).toEqual([
      { kind: 'quarantined-input', name: 'golden/debian', digest: digestOf('debian'), why: 'it crashes' },
    ]);
  });
});

describe('package updates', () => {
  test('make an image stale, and are part of its inputs', () => {
    const entry = planOf({ packages: offers(update) });

    expect(kinds(entry)).toEqual(['rebuild', 'package-updates']);
    expect(entry.inputs?.packages).toEqual(packagesOf('3.0.16-1'));
  });

  test('that a rebuild did not bring in are not tried again, until there are others', () => {
    const tried = new Map([['debian', release(debian, inputsOf(debian, old, { packages: packagesOf('3.0.16-1') }))]]);

    expect(holdsOf(planOf({ releases: tried, packages: offers(update) }))).toEqual(['no-effect']);
    expect(planOf({ releases: tried, packages: offers({ ...update, to: '3.0.17-1' }) }).state).toBe('rebuild');
  });

  test('that are no longer offered, since they are in, are no news', () => {
    const done = new Map([['debian', release(debian, inputsOf(debian, old, { packages: packagesOf('3.0.16-1') }))]]);

    expect(planOf({ releases: done, packages: offers() }).state).toBe('fresh');
  });

  test('do not count when the archive cannot be asked, which is said', () => {
    const packages = new Map([['debian', { state: 'unknown', why: 'the archive is down' } as const]]);

    const entry = planOf({ packages });
    const moved = planOf({ packages, upstreams: new Map([[BASE, upstream('second')]]) });

    expect([entry.state, entry.unknown]).toEqual(['unknown', 'the archive is down']);
    expect([...kinds(moved), moved.doubts]).toEqual(['rebuild', 'base-changed', ['the archive is down']]);
  });

  test.each([
    ['all', 'libssl3', false, true],
    ['security', 'libssl3', false, false],
    ['security', 'libssl3', true, true],
    ['none', 'libssl3', true, false],
    ['none', 'curl', false, true],
  ] as const)(
    'with upgrade: %s of %s (security: %s) make a rendered image stale: %s',
    (upgrade, name, security, stale) => {
      const recipe: Image['recipe'] = {
        ...{ kind: 'rendered' as const, manager: 'apt' as const, packages: ['curl'], install: [], upgrade },
        ...{ env: {}, labels: {}, user: '10001', files: [], sources: [] },
      };
      const rendered: Image = { ...debian, recipe };

      const entry = planOf({ images: [rendered], packages: offers({ ...update, name, security }) });

      expect(entry.state).toBe(stale ? 'rebuild' : 'fresh');
    },
  );
});

describe('an upstream that cannot be asked', () => {
  const upstreams = new Map([[BASE, { state: 'unknown', why: 'the registry is down' } as const]]);

  test('decides nothing', () => {
    expect(planOf({ upstreams }).unknown).toBe('the registry is down');
  });

  test('does not stop what a person changed: the last that is known stands in', () => {
    const changed = image('debian', { upstream: parseReference(BASE) }, 'two');

    const entry = planOf({ upstreams, images: [changed] });

    expect([...kinds(entry), entry.doubts]).toEqual(['rebuild', 'definition-changed', ['the registry is down']]);
    expect(entry.inputs?.inputs).toEqual(inputsOf(debian).inputs);
  });
});

describe('platforms of one push', () => {
  const rebuild = { ...REBUILD, platformSkewSeconds: 3600 };
  const platformsCreated = { 'linux/amd64': '2026-03-10T10:00:00Z', 'linux/arm64': '2026-03-03T10:00:00Z' };
  const late = (firstSeenAt: string) => new Map([[BASE, upstream('second', { firstSeenAt, platformsCreated })]]);

  test('a base whose arm64 is a week older is waited for', () => {
    expect(planOf({ rebuild, upstreams: late(ago(60_000)) }).holds).toEqual([
      { kind: 'waiting-for-platform', name: BASE, platforms: ['linux/arm64'] },
    ]);
  });

  test('for no longer than maxWait', () => {
    expect(planOf({ rebuild, upstreams: late(ago(3 * HOUR)) }).state).toBe('rebuild');
  });
});

test('a new recipe makes so many images stale a day and no more', () => {
  const images = ['a', 'b', 'c', 'd'].map((name) => image(name, { upstream: parseReference(BASE) }));
  const releases = new Map(images.map((each) => [each.name, release(each, inputsOf(each, old, { recipe: '0' }))]));
  const earlier = run('released', inputsOf(images[3]!), ago(HOUR), {
    reasons: [{ kind: 'recipe-changed', from: '0', to: RECIPE_VERSION }],
  });

  const plan = planFleet(
    facts({ images, releases, rebuild: { ...REBUILD, recipesPerDay: 3 }, history: new Map([['e', [earlier]]]) }),
  );

  expect(plan.map(({ state }) => state)).toEqual(['rebuild', 'rebuild', 'held', 'held']);
  expect(plan[3]!.holds).toEqual([{ kind: 'outside-window', until: '2026-03-11T11:00:00.000Z' }]);
});

test('a full disk holds builds before they fail', () => {
  const disk = { freeBytes: 1, neededBytes: 2 };

  expect(planOf({ upstreams: new Map([[BASE, upstream('second')]]), disk }).holds).toEqual([
    { kind: 'disk-low', ...disk },
  ]);
});
