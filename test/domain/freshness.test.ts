import { describe, expect, test } from 'vitest';
import {
  type FreshnessGoals,
  type FreshnessSample,
  lagsOf,
  percentilesByImage,
  percentilesByMonth,
  percentilesOf,
  stagePercentiles,
} from '../../src/domain/freshness.ts';
import { explainBreach, findBreaches, runningBreaches } from '../../src/domain/freshness-breaches.ts';
import type { PlanEntry } from '../../src/domain/plan.ts';
import type { Hold } from '../../src/domain/staleness.ts';
import { DEBIAN, minute, released, sampleOf } from '../support/freshness-sample.ts';

const GOALS: FreshnessGoals = { detectSeconds: 1800, releaseSeconds: 6 * 3600, criticalSeconds: 4 * 3600 };
const pull = (number: number, openedAt: string, mergedAt?: string) => ({
  [`acme/shop#${number}`]: {
    ...{ repository: 'acme/shop', number, branch: 'ingot/image/base', openedAt },
    ...(mergedAt && { mergedAt }),
  },
});

describe('percentiles', () => {
  test.each([
    [[], { count: 0 }],
    [[7], { count: 1, p50: 7, p95: 7 }],
    [[3, 1], { count: 2, p50: 1, p95: 3 }],
    [Array.from({ length: 20 }, (_, index) => index + 1), { count: 20, p50: 10, p95: 19 }],
    [[100, 9, 20], { count: 3, p50: 20, p95: 100 }],
  ])('of %j are values that were measured: %j', (values, expected) => {
    expect(percentilesOf(values)).toEqual(expected);
  });

  test('of a stage count what got there, pull requests each for itself', () => {
    const samples = [
      released('a', 60, { pulls: { ...pull(1, minute(61), minute(120)), ...pull(2, minute(62)) } }),
      sampleOf('b'),
    ];

    const stages = stagePercentiles(samples);

    expect(stages).toEqual({
      detected: { count: 2, p50: 600, p95: 600 },
      built: { count: 1, p50: 59 * 60, p95: 59 * 60 },
      released: { count: 1, p50: 3600, p95: 3600 },
      opened: { count: 2, p50: 61 * 60, p95: 62 * 60 },
      merged: { count: 1, p50: 7200, p95: 7200 },
    });
  });

  test('know no image as built before all platforms that changed are', () => {
    const platforms = { 'linux/amd64': { builtAt: minute(20) }, 'linux/arm64': {} };

    expect(lagsOf(sampleOf('a', { platforms }), 'built')).toEqual([]);
  });

  test('take what seems to be before its cause for the same moment', () => {
    expect(lagsOf(sampleOf('a', { detectedAt: minute(-3) }), 'detected')).toEqual([0]);
  });

  test('are by image, the slowest first, and by month of the change; fixes are no part of them', () => {
    const december = { changedAt: '2026-12-01T00:00:00.000Z', detectedAt: '2026-12-01T00:01:00.000Z' };
    const samples = [
      released('quick', 30),
      released('slow', 300),
      sampleOf('waiting', december),
      sampleOf('fixed', { kind: 'fix', upstream: 'openssl' }),
    ];

    const [images, months] = [percentilesByImage(samples), percentilesByMonth(samples)];

    expect(images.map(({ key, count }) => [key, count])).toEqual([
      ['slow', 1],
      ['quick', 1],
      ['waiting', 1],
    ]);
    expect(months.map(({ key, count, stages }) => [key, count, stages.released.count])).toEqual([
      ['2026-11', 2, 2],
      ['2026-12', 1, 0],
    ]);
  });
});

const fix = (over: Partial<FreshnessSample> = {}) =>
  sampleOf('a', { kind: 'fix', upstream: 'openssl', findings: ['CVE-1'], digest: undefined as never, ...over });

describe('a goal', () => {
  test.each<[string, FreshnessSample, number, readonly [string, boolean, number][]]>([
    ['is kept while there is time', sampleOf('a'), 359, []],
    ['is kept at its very end', released('a', 360), 1000, []],
    ['is not kept by a release that takes longer', sampleOf('a'), 361, [['release', true, 361]]],
    ['was not kept by one that came too late', released('a', 361), 1000, [['release', false, 361]]],
    ['is not kept by late eyes', sampleOf('a', { detectedAt: minute(31) }), 32, [['detect', true, 31]]],
    ['was not kept by late eyes', released('a', 60, { detectedAt: minute(31) }), 99, [['detect', false, 31]]],
    [
      'may be missed twice',
      sampleOf('a', { detectedAt: minute(90) }),
      400,
      [
        ['detect', true, 90],
        ['release', true, 400],
      ],
    ],
    ['of critical fixes is their own', fix(), 241, [['critical', true, 241]]],
    ['of critical fixes has time, too', fix({ detectedAt: minute(100) }), 240, []],
    ['of critical fixes ends with the release', fix({ releasedAt: minute(250) }), 900, [['critical', false, 250]]],
    ['counts what was found equal', released('a', 90, { outcome: 'unchanged' }), 900, []],
  ])('%s', (_, sample, now, expected) => {
    const breaches = findBreaches({ samples: [sample], goals: GOALS, now: minute(now) });

    const order = (goal: string) => ['detect', 'release', 'critical'].indexOf(goal);
    const found = breaches.map(({ goal, running, seconds }) => [goal, running, seconds / 60] as const);
    expect(found.toSorted((a, b) => order(a[0]) - order(b[0]))).toEqual(expected);
  });

  test('that nobody set is kept', () => {
    const samples = [sampleOf('a', { detectedAt: minute(99) }), fix()];

    expect(findBreaches({ samples, goals: {}, now: minute(99_999) })).toEqual([]);
  });

  test('is not kept while an upstream cannot be asked, for all images that use it', () => {
    const unasked = [{ name: DEBIAN, images: ['a', 'b'], checkedAt: minute(0), why: 'docker.io answers 503' }];

    const at = (minutes: number) => findBreaches({ samples: [], unasked, goals: GOALS, now: minute(minutes) });

    expect(at(30)).toEqual([]);
    expect(at(31).map(({ image, goal, running }) => [image, goal, running])).toEqual([
      ['a', 'detect', true],
      ['b', 'detect', true],
    ]);
    expect(explainBreach(at(31)[0]!)).toBe(
      'the goal "detect" is 30 min, and it is 31 min since debian:12 was asked; docker.io answers 503',
    );
  });
});

describe('a breach', () => {
  const paused: Hold = { kind: 'paused', by: 'ada', at: minute(0), why: 'a demo' };
  const quarantined: Hold = { kind: 'quarantined-result', digest: `sha256:${'a'.repeat(64)}`, why: 'it broke TLS' };

  test.each<[string, Partial<PlanEntry>, string]>([
    [
      'is paused',
      { state: 'held', holds: [paused] },
      'held: paused by ada since 2026-11-01: a demo; "ingot resume" lifts it',
    ],
    ['made a quarantined release', { state: 'held', holds: [quarantined] }, 'which is quarantined: it broke TLS'],
    ['is being built', { state: 'running' }, 'its run is under way'],
    ['could not be asked about', { state: 'unknown', unknown: 'the registry is away' }, 'the registry is away'],
    ['waits for its parent', { state: 'fresh' }, 'no release of its parent has the change yet'],
  ])('says when its image %s', (_, over, expected) => {
    const entry: PlanEntry = { image: 'a', state: 'rebuild', reasons: [], holds: [], ...over };

    const [breach] = findBreaches({ samples: [sampleOf('a')], goals: GOALS, entries: [entry], now: minute(400) });

    expect(breach!.why).toContain(expected);
    expect(explainBreach(breach!)).toMatch(
      /^the goal "release" is 6 h, and it is 6 h 40 min after debian:12 changed; /,
    );
  });

  test('that is over says what had held it up', () => {
    const holds = { paused: { at: minute(12), why: 'paused by ada' } };

    const [breach] = findBreaches({ samples: [released('a', 400, { holds })], goals: GOALS, now: minute(500) });

    expect(breach).toMatchObject({ running: false, why: 'it was held: paused by ada', releasedAt: minute(400) });
    expect(breach!.since).toBe(minute(360));
  });

  test('comes first while it runs, the worst before others; then the newest', () => {
    const samples = [
      released('old', 400),
      released('new', 500, { changedAt: minute(60) }),
      sampleOf('bad', { changedAt: minute(30) }),
      sampleOf('worst'),
    ];

    const breaches = findBreaches({ samples, goals: { releaseSeconds: 6 * 3600 }, now: minute(600) });

    expect(breaches.map(({ image }) => image)).toEqual(['worst', 'bad', 'new', 'old']);
  });

  test('is told once for an image and a goal: the worst of those that run', () => {
    const samples = [
      sampleOf('a', { id: 'a|1', changedAt: minute(60) }),
      sampleOf('a', { id: 'a|2', upstream: 'docker.io/library/busybox:1' }),
      released('a', 999),
    ];

    const told = runningBreaches(findBreaches({ samples, goals: { releaseSeconds: 3600 }, now: minute(700) }));

    expect(told.map(({ upstream, seconds }) => [upstream, seconds])).toEqual([
      ['docker.io/library/busybox:1', 700 * 60],
    ]);
  });

  test('of a fix names what it fixes', () => {
    const findings = ['CVE-1', 'CVE-2', 'CVE-3', 'CVE-4'];

    const [breach] = findBreaches({ samples: [fix({ findings })], goals: GOALS, now: minute(300) });

    expect(explainBreach(breach!)).toBe(
      'the goal "critical" is 4 h, and it is 5 h after openssl was fixed (CVE-1, CVE-2, CVE-3 and 1 more)',
    );
  });
});
