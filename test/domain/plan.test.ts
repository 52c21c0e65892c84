import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFacts, Known, Upstream } from '../../src/domain/facts.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import { type Inputs, RECIPE_VERSION } from '../../src/domain/inputs.ts';
import { planFleet } from '../../src/domain/plan.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { parseReference } from '../../src/domain/reference.ts';
import type { Outcome } from '../../src/domain/run.ts';
import type { Release } from '../../src/domain/staleness.ts';

const PLATFORMS: readonly Platform[] = ['linux/amd64', 'linux/arm64'];
const BASE = 'docker.io/library/debian:12';
const d = digestOf;

function image(name: string, source: Image['inputs'][number]['source'], definition = 'one'): Image {
  return {
    name,
    folder: `/fleet/images/${name}`,
    owners: [],
    line: '12',
    platforms: PLATFORMS,
    recipe: { kind: 'own', dockerfile: '/Dockerfile', context: '/' },
    inputs: [{ role: 'base', written: name, source }],
    definition: { 'image.yaml#env': d(definition) },
    waivers: [],
    secrets: [],
  };
}

function upstream(content: string, platforms: readonly Platform[] = PLATFORMS): Known<Upstream> {
  const children = Object.fromEntries(platforms.map((platform) => [platform, d(`${content} ${platform}`)]));
  return { state: 'known', value: { digest: d(content), platforms: children, created: '2026-11-01T00:00:00Z' } };
}

function release(of: Image, base: Known<Upstream>, name = BASE): Known<Release> {
  if (base.state !== 'known') throw new Error('a release needs a base');
  const inputs: Inputs = {
    image: of.name,
    recipe: RECIPE_VERSION,
    platforms: PLATFORMS,
    inputs: [{ role: 'base', name, ...base.value }],
    definition: of.definition,
  };
  const platforms = Object.fromEntries(PLATFORMS.map((platform) => [platform, d(`${of.name} ${platform}`)]));
  return { state: 'known', value: { digest: d(of.name), version: '12.0.0', platforms, inputs } };
}

const debian = image('debian', { upstream: parseReference(BASE) });
const python = image('python', { golden: 'debian' });

function facts(over: Partial<FleetFacts>): FleetFacts {
  const empty = { upstreams: new Map(), releases: new Map(), builders: new Map(), runs: new Map() };
  return { images: [debian, python], ...empty, ...over };
}

const base = upstream('first');
const debianRelease = release(debian, base);

describe('a plan', () => {
  test('rebuilds what was never released, parents first', () => {
    const plan = planFleet(facts({ upstreams: new Map([[BASE, base]]) }));

    expect(plan.map(({ image, state, reasons }) => [image, state, reasons[0]?.kind])).toEqual([
      ['debian', 'rebuild', 'never-released'],
      ['python', 'held', 'never-released'],
    ]);
    expect(plan[1]?.holds).toEqual([{ kind: 'waiting-for-parent', parent: 'debian', why: 'it is being rebuilt' }]);
  });

  test('leaves alone what has the same inputs', () => {
    const plan = planFleet(
      facts({ upstreams: new Map([[BASE, base]]), releases: new Map([['debian', debianRelease]]), images: [debian] }),
    );

    expect(plan[0]?.state).toBe('fresh');
  });

  test('names the old and new digest of a base that moved', () => {
    const moved = upstream('second');

    const plan = planFleet(
      facts({ upstreams: new Map([[BASE, moved]]), releases: new Map([['debian', debianRelease]]), images: [debian] }),
    );

    expect(plan[0]?.reasons).toEqual([
      { kind: 'base-changed', name: BASE, from: d('first'), to: d('second'), created: '2026-11-01T00:00:00Z' },
    ]);
  });

  test('does not rebuild for an index that moved while the platforms in use stayed', () => {
    const same: Known<Upstream> = {
      state: 'known',
      value: { ...(base as { value: Upstream }).value, digest: d('other index') },
    };

    const plan = planFleet(
      facts({ upstreams: new Map([[BASE, same]]), releases: new Map([['debian', debianRelease]]), images: [debian] }),
    );

    expect(plan[0]?.state).toBe('fresh');
  });

  test('names the part of the definition that changed', () => {
    const changed = image('debian', { upstream: parseReference(BASE) }, 'two');

    const plan = planFleet(
      facts({ upstreams: new Map([[BASE, base]]), releases: new Map([['debian', debianRelease]]), images: [changed] }),
    );

    expect(plan[0]?.reasons).toEqual([{ kind: 'definition-changed', parts: ['image.yaml#env'] }]);
  });

  test('holds an image whose new base lacks a platform', () => {
    const partial = upstream('second', ['linux/amd64']);

    const plan = planFleet(
      facts({
        upstreams: new Map([[BASE, partial]]),
        releases: new Map([['debian', debianRelease]]),
        images: [debian],
      }),
    );

    expect(plan[0]?.state).toBe('held');
    expect(plan[0]?.holds).toEqual([{ kind: 'waiting-for-platform', name: BASE, platforms: ['linux/arm64'] }]);
  });

  test('decides nothing for what cannot be asked, nor for its children', () => {
    const plan = planFleet(facts({ upstreams: new Map([[BASE, { state: 'unknown', why: 'no answer' }]]) }));

    expect(plan.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  });

  test('holds a platform that nothing can build, with the command that fixes it', () => {
    const builders = new Map([
      ['linux/arm64' as Platform, { ready: false as const, why: 'no emulation', remedy: 'register it' }],
    ]);

    const plan = planFleet(facts({ upstreams: new Map([[BASE, base]]), builders, images: [debian] }));

    expect(plan[0]?.holds).toEqual([
      { kind: 'no-builder', platform: 'linux/arm64', why: 'no emulation', remedy: 'register it' },
    ]);
  });

  test.each<[Outcome | 'running', string]>([
    ['running', 'it is being rebuilt'],
    ['failed', 'its run ended as failed'],
    ['blocked', 'its run ended as blocked'],
  ])('lets a child wait while its parent is %s', (run, why) => {
    const plan = planFleet(facts({ upstreams: new Map([[BASE, base]]), runs: new Map([['debian', run]]) }));

    expect(plan[1]?.holds).toEqual([{ kind: 'waiting-for-parent', parent: 'debian', why }]);
  });

  test('rebuilds a release whose record of inputs is missing', () => {
    const { inputs: _, ...bare } = (debianRelease as { value: Release }).value;

    const plan = planFleet(
      facts({
        upstreams: new Map([[BASE, base]]),
        releases: new Map([['debian', { state: 'known', value: bare }]]),
        images: [debian],
      }),
    );

    expect(plan[0]?.reasons).toEqual([{ kind: 'release-damaged', missing: ['the record of its inputs'] }]);
  });
});
