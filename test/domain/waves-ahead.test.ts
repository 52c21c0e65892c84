import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFacts } from '../../src/domain/facts.ts';
import type { OfferedUpdate } from '../../src/domain/staleness.ts';
import { lookAhead } from '../../src/domain/waves-ahead.ts';
import { imageOf } from '../support/generated-images.ts';
import { releasedFacts, upstreamOf } from '../support/released-facts.ts';

const BASE = 'docker.io/library/debian:12';
const images = [
  imageOf('debian', { upstream: BASE }),
  imageOf('node', 'debian'),
  imageOf('python', 'debian'),
  imageOf('app', 'python', { also: ['node'] }),
];
const fresh = releasedFacts(images);

function moved(facts: FleetFacts = fresh): FleetFacts {
  return { ...facts, upstreams: new Map([[BASE, upstreamOf('second', ['linux/amd64', 'linux/arm64'])]]) };
}

function waves(facts: FleetFacts) {
  return lookAhead(facts).waves.map((wave) => wave.map(({ image }) => image));
}

describe('a look ahead', () => {
  test('sees nothing to do when nothing changed', () => {
    expect(waves(fresh)).toEqual([]);
  });

  test('counts children in the wave after the last of their parents', () => {
    expect(waves(moved())).toEqual([['debian'], ['node', 'python'], ['app']]);
  });

  test('says why each is rebuilt when its turn comes, with the version that its parent will have', () => {
    const { waves: found } = lookAhead(moved());

    expect(found[1]?.[0]?.reasons).toMatchObject([{ kind: 'base-changed', name: 'golden/debian', version: '12.0.1' }]);
    expect(found[2]?.[0]?.reasons.map(({ kind }) => kind)).toEqual(['base-changed', 'input-changed']);
  });

  test('begins in the middle when only a child is stale', () => {
    const changed = images.map((image) =>
      image.name === 'python' ? { ...image, definition: { Dockerfile: digestOf('new') } } : image,
    );

    expect(waves({ ...fresh, images: changed })).toEqual([['python'], ['app']]);
  });

  test('ends at an image that somebody has to let go, and at its children', () => {
    const standing = new Map([
      ['debian', { paused: { by: 'ann', at: '2026-11-01T00:00:00Z', why: 'no' }, quarantined: [] }],
    ]);

    expect(waves({ ...moved(), standing })).toEqual([]);
  });

  test('goes on past a hold that ends by itself', () => {
    const seen = {
      ...known(upstreamOf('second', ['linux/amd64', 'linux/arm64'])),
      firstSeenAt: '2026-11-02T00:00:00Z',
    };
    const rebuild = { settleSeconds: 900, maxWaitSeconds: 7200, recipesPerDay: 50, platformSkewSeconds: 7200 };
    const facts = { ...fresh, upstreams: new Map([[BASE, { state: 'known' as const, value: seen }]]) };
    const ahead = lookAhead({ ...facts, now: '2026-11-02T00:01:00Z', rebuild });

    expect(ahead.plan[0]).toMatchObject({ state: 'held', holds: [{ kind: 'settling' }] });
    expect(ahead.waves).toHaveLength(3);
  });

  test('takes what was known of the old release for done with the new one', () => {
    const names = { name: 'libc6', source: 'glibc', from: '1', to: '2', security: true, origin: 'Debian-Security' };
    const update: OfferedUpdate = { ...names, platforms: ['linux/amd64'] };
    const packages = new Map([['node', { state: 'known' as const, value: [update] }]]);
    const requested = new Map([['python', { by: 'ann', at: '2026-11-02T00:00:00Z' }]]);

    expect(waves({ ...fresh, packages, requested })).toEqual([['node', 'python'], ['app']]);
  });

  test('leaves the facts as they are', () => {
    const facts = moved();
    const before = structuredClone({ ...facts, images: undefined });

    lookAhead(facts);

    expect({ ...facts, images: undefined }).toEqual(before);
  });
});

function known(upstream: ReturnType<typeof upstreamOf>) {
  if (upstream.state !== 'known') throw new Error('not known');
  return upstream.value;
}
