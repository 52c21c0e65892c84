import { describe, expect, test } from 'vitest';
import { digestOf as d } from '../../src/domain/digest.ts';
import type { FleetFacts, Known, Upstream } from '../../src/domain/facts.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import type { FreshnessSample } from '../../src/domain/freshness.ts';
import { endOf, trackFreshness } from '../../src/domain/freshness-track.ts';
import { RECIPE_VERSION, type ResolvedInput } from '../../src/domain/inputs.ts';
import { planFleet } from '../../src/domain/plan.ts';
import { parseReference } from '../../src/domain/reference.ts';
import type { Run } from '../../src/domain/run.ts';
import type { FixableFinding, Release } from '../../src/domain/staleness.ts';
import { DEBIAN, minute } from '../support/freshness-sample.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

function image(name: string, source: Image['inputs'][number]['source']): Image {
  return {
    ...{ name, folder: `/fleet/images/${name}`, owners: [], line: '12', platforms: PLATFORMS },
    recipe: { kind: 'own', dockerfile: '/Dockerfile', context: '/' },
    inputs: [{ role: 'base', written: name, source }],
    ...{ definition: { 'image.yaml': d('one') }, waivers: [], secrets: [] },
  };
}

const base = image('base', { upstream: parseReference('debian:12') });
const child = image('child', { golden: 'base' });

/** Content by platform: `moved('b')` has other content than `moved('a')`, `moved('b', 'a')` only on arm64. */
function moved(arm64: string, amd64 = arm64, over: Partial<Upstream> = {}): Known<Upstream> {
  const platforms = { 'linux/amd64': d(`${amd64} amd64`), 'linux/arm64': d(`${arm64} arm64`) };
  const times = { changedAt: minute(0), detectedAt: minute(10), detectedBy: 'watch' } as const;
  return { state: 'known', value: { digest: d(`index ${arm64} ${amd64}`), platforms, ...times, ...over } };
}

/** A release of an image that was made from this content of its base. */
function release(name: string, from: Known<Upstream> | Known<Release>, over: Partial<Release> = {}): Known<Release> {
  if (from.state !== 'known') throw new Error('made from nothing');
  const { digest, platforms } = from.value;
  const input: ResolvedInput = { role: 'base', name: name === 'base' ? DEBIAN : 'golden/base', digest, platforms };
  const inputs = { image: name, recipe: RECIPE_VERSION, platforms: PLATFORMS, inputs: [input], definition: {} };
  const own = { 'linux/amd64': d(`${name} ${digest} amd64`), 'linux/arm64': d(`${name} ${digest} arm64`) };
  const about = { digest: d(`${name} of ${digest}`), version: '12.0.0', platforms: own, created: minute(-600), inputs };
  return { state: 'known', value: { ...about, ...over } };
}

function look(
  upstream: Known<Upstream>,
  releases: Readonly<Record<string, Known<Release>>>,
  { open = [], now = 20, images = [base, child], ...over }: Omit<Partial<FleetFacts>, 'now'> & Options = {},
) {
  const facts: FleetFacts = {
    ...{ images, upstreams: new Map([[DEBIAN, upstream]]), releases: new Map(Object.entries(releases)) },
    ...{ builders: new Map(), runs: new Map(), ...over, now: minute(now) },
  };
  return { facts, ...trackFreshness({ facts, entries: planFleet(facts), open, now: minute(now) }) };
}

interface Options {
  readonly open?: readonly FreshnessSample[];
  readonly now?: number;
}

const first = moved('a');
const baseOld = release('base', first);
const childOld = release('child', baseOld);
const old = { base: baseOld, child: childOld };

describe('a change of an upstream', () => {
  test('is noted for the image and its children, with the platforms that it is in', () => {
    const { noted, over } = look(moved('b', 'a', { platformsCreated: { 'linux/arm64': minute(-5) } }), old);

    expect(over).toEqual([]);
    expect(noted.map(({ image: name, upstream, platforms }) => [name, upstream, platforms])).toEqual([
      ['base', DEBIAN, { 'linux/arm64': { createdAt: minute(-5) } }],
      ['child', DEBIAN, { 'linux/arm64': { createdAt: minute(-5) } }],
    ]);
    expect(noted[0]).toMatchObject({ changedAt: minute(0), detectedAt: minute(10), detectedBy: 'watch' });
  });

  test('is the same change at the next look, whenever that is', () => {
    const { noted: before } = look(moved('b'), old);

    const again = look(moved('b'), old, { open: before, now: 300 });
    const forgotten = look(moved('b'), old, { now: 300 });

    expect(again.noted.filter(({ holds }) => holds === undefined)).toEqual([]);
    expect(forgotten.noted.map(({ id, detectedAt }) => [id, detectedAt])).toEqual(
      before.map(({ id, detectedAt }) => [id, detectedAt]),
    );
  });

  test('is noted although the plan holds the image and names no reason, and says what holds it', () => {
    const lacking = { 'linux/amd64': d('b amd64') };
    const { noted } = look(moved('b', 'b', { platforms: lacking }), { base: baseOld }, { images: [base] });

    expect(noted[0]!.holds!['waiting-for-platform']!.why).toContain('waits until debian:12 has linux/arm64');
  });

  test('is noted again only when something new holds it', () => {
    const paused = { by: 'ada', at: minute(15), why: 'a demo' };
    const standing = new Map([['base', { paused, quarantined: [] }]]);
    const only = { images: [base] };
    const { noted: before } = look(moved('b'), old, only);

    const held = look(moved('b'), old, { open: before, standing, ...only });
    const still = look(moved('b'), old, { open: held.noted, standing, ...only });

    expect(held.noted).toHaveLength(1);
    expect(held.noted[0]).toMatchObject({ id: before[0]!.id, holds: { paused: { at: minute(20) } } });
    expect(still.noted).toEqual([]);
  });

  test.each<[string, Partial<Upstream>, Partial<Release>, string]>([
    ['known from the looks around it', { changedAt: minute(-3) }, {}, minute(-3)],
    [
      'upstream’s own where nobody looked before',
      { changedAt: undefined as never, created: minute(-60) },
      {},
      minute(-60),
    ],
    [
      'that of its detection where it seems older than the release',
      { changedAt: undefined as never, created: '1970-01-01T00:00:00Z' },
      {},
      minute(10),
    ],
    ['that of its detection where nobody knows', { changedAt: undefined as never }, {}, minute(10)],
    ['that of its detection where it seems to lie ahead', { changedAt: minute(500) }, {}, minute(10)],
  ])('has a time: %s', (_, upstream, made, expected) => {
    const { noted } = look(moved('b', 'b', upstream), { base: release('base', first, made) }, { images: [base] });

    expect(noted[0]!.changedAt).toBe(expected);
  });

  test('is none before the first release, and none while nobody can say', () => {
    expect(look(moved('b'), {}).noted).toEqual([]);
    expect(look(moved('b'), { base: { state: 'unknown', why: 'away' } }).noted).toEqual([]);
    expect(look({ state: 'unknown', why: 'away' }, old).noted).toEqual([]);
  });
});

describe('a change is over', () => {
  const second = moved('b');
  const third = moved('c', 'c', { detectedAt: minute(40), changedAt: minute(35) });
  const { noted: open } = look(second, old);
  const [baseNew, of] = [release('base', second), (name: string) => open.find((each) => each.image === name)!];

  test('for a parent with its release, for a child with its own', () => {
    const between = look(second, { base: baseNew, child: childOld }, { open });
    const rest = open.filter((sample) => !between.over.includes(sample));
    const after = look(second, { base: baseNew, child: release('child', baseNew) }, { open: rest });

    expect(between.over).toEqual([of('base')]);
    expect(after.over).toEqual([of('child')]);
  });

  test('also when the next one has come already', () => {
    const { over, noted } = look(third, { base: baseNew, child: childOld }, { open, now: 50 });

    expect(over).toEqual([of('base')]);
    expect(noted.map((sample) => [sample.image, sample.changedAt])).toEqual([
      ['base', minute(35)],
      ['child', minute(35)],
    ]);
  });

  test('with the release of one that came after it, though a third is there by then', () => {
    const both = [...open, ...look(third, old, { open, now: 50 }).noted];
    const fourth = moved('d', 'd', { detectedAt: minute(80) });

    const { over } = look(fourth, { base: release('base', third), child: childOld }, { open: both, now: 90 });

    expect(over.map(({ image: name, digest }) => [name, digest])).toEqual([
      ['base', of('base').digest],
      ['base', third.state === 'known' && third.value.digest],
    ]);
  });

  test('when upstream takes it back, or the image is gone', () => {
    expect(look(first, old, { open }).over).toEqual([of('base')]);
    expect(look(second, old, { open, images: [base] }).over).toEqual([of('child')]);
  });

  test.each<[string, Known<Upstream>, Readonly<Record<string, Known<Release>>>]>([
    ['the upstream', { state: 'unknown', why: 'away' }, old],
    ['the release', second, { base: { state: 'unknown', why: 'away' }, child: childOld }],
  ])('never because %s could not be asked', (_, upstream, releases) => {
    expect(look(upstream, releases, { open }).over).toEqual([]);
  });
});

describe('a fix', () => {
  const found = (over: Partial<FixableFinding> = {}): FixableFinding => {
    return { id: 'CVE-1', severity: 'critical', source: 'openssl', installed: '1', fixed: '2', ...over };
  };
  const known = (...findings: readonly FixableFinding[]) => ({
    fixable: new Map([['base', findings]]),
    packages: new Map([['base', { state: 'known', value: [] } as const]]),
  });

  test('is noted for critical and for exploited vulnerabilities, one for each source package', () => {
    const findings = [
      found({ since: '2026-10-31T20:00:00Z' }),
      found({ id: 'CVE-2' }),
      found({ id: 'CVE-3', severity: 'high' }),
      found({ id: 'CVE-4', severity: 'medium', source: 'curl', exploited: true }),
    ];

    const { noted } = look(first, old, known(...findings));

    expect(noted.map((each) => [each.image, each.kind, each.upstream, each.findings, each.changedAt])).toEqual([
      ['base', 'fix', 'openssl', ['CVE-1', 'CVE-2'], minute(-240)],
      ['base', 'fix', 'curl', ['CVE-4'], minute(20)],
    ]);
  });

  test('goes on while the archive moves on to a newer one, and is over when the release has it', () => {
    const { noted: open } = look(first, old, known(found()));

    const newer = look(first, old, { ...known(found({ fixed: '3' })), open, now: 60 });
    const unknown = look(first, old, { open, now: 60 });
    const fixed = look(first, old, { ...known(), open, now: 90 });

    expect([newer.over, newer.noted, unknown.over]).toEqual([[], [], []]);
    expect(fixed.over).toEqual(open);
  });
});

describe('the end of a change', () => {
  const sample = look(moved('b'), old).noted[0]!;
  const made: Release = { digest: d('new'), version: '12.0.1', platforms: {}, created: minute(31) };
  const step = { name: 'build', platform: 'linux/arm64', state: 'done', startedAt: 0, external: true } as const;
  const run = (over: Partial<Run>): Run => ({
    ...{ id: 'R', image: 'base', inputs: d('i'), reasons: [], holds: [], platforms: PLATFORMS, startedAt: minute(15) },
    ...{ endedAt: minute(30), outcome: 'released', digest: made.digest, version: '12.0.1' },
    steps: [{ ...step, endedAt: Date.parse(minute(25)) }],
    ...over,
  });

  test('is that of the run that made the release, with when each platform was built', () => {
    expect(endOf(sample, made, [run({ outcome: 'failed' }), run({})])).toMatchObject({
      ...{ run: 'R', outcome: 'released', version: '12.0.1', release: made.digest, releasedAt: minute(30) },
      platforms: { 'linux/amd64': {}, 'linux/arm64': { builtAt: minute(25) } },
    });
  });

  test('is that of the run that found the content equal', () => {
    const end = endOf(sample, { ...made, created: minute(-600) }, [run({ outcome: 'unchanged' })]);

    expect(end).toMatchObject({ outcome: 'unchanged', releasedAt: minute(30) });
  });

  test('is the time of the release where its run is forgotten', () => {
    expect(endOf(sample, made, [])).toMatchObject({ outcome: 'released', releasedAt: minute(31) });
  });

  test.each<[string, Release | undefined, readonly Run[]]>([
    ['there is no release', undefined, []],
    [
      'the release is from before it',
      { ...made, created: minute(-5) },
      [run({ startedAt: minute(-30), endedAt: minute(-5) })],
    ],
  ])('is none when %s', (_, release, runs) => {
    expect(endOf(sample, release, runs)).toBeUndefined();
  });
});
