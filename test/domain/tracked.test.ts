import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { explainEntry } from '../../src/domain/explain.ts';
import type { FleetFacts, Upstream } from '../../src/domain/facts.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import { inputsDigest } from '../../src/domain/inputs.ts';
import { planFleet } from '../../src/domain/plan.ts';
import { planLines } from '../../src/domain/plan-tree.ts';
import { viewPlan } from '../../src/domain/plan-view.ts';
import { explainHold, explainReason } from '../../src/domain/reasons.ts';
import { formatReference } from '../../src/domain/reference.ts';
import type { Track } from '../../src/domain/track.ts';
import { familiarName, nameWithTag, parseUpstream, upstreamName } from '../../src/domain/upstream.ts';
import { lookAhead } from '../../src/domain/waves-ahead.ts';
import { explainAhead, inventUpstream, parseSupposed, supposeMoved } from '../../src/domain/what-if.ts';
import { imageOf } from '../support/generated-images.ts';
import { releasedFacts, upstreamOf } from '../support/released-facts.ts';

const NODE = 'docker.io/library/node:{22.x}-slim';
const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;

function nodeOf(name: string, track: Track): Image {
  const upstream = { registry: 'docker.io', repository: 'library/node' };
  return imageOf(name, 'x', { inputs: [{ role: 'base', written: 'node', source: { upstream, track } }] });
}

const node = nodeOf('node', { range: '22.x', suffix: '-slim' });
const app = imageOf('app', 'node');

/** Facts of a fleet that was released when the highest tag was 22.10.0-slim, and of what upstream has now. */
function facts(now: Partial<Upstream> & { readonly content: string }, images: readonly Image[] = [node, app]) {
  const released = releasedFacts(images);
  const then = at(released, { content: 'ten', tag: '22.10.0-slim' });
  const releases = lookAhead({ ...then, releases: new Map() }).waves.flat();
  const known = releases.map((entry) => {
    const old = released.releases.get(entry.image);
    if (old?.state !== 'known') throw new Error('it was released');
    const inputs = entry.inputs!.inputs.map((input) => {
      if (!input.name.startsWith('golden/')) return input;
      const parent = released.releases.get(input.name.slice('golden/'.length));
      if (parent?.state !== 'known') throw new Error('it was released');
      return { ...input, digest: parent.value.digest, platforms: parent.value.platforms };
    });
    return [entry.image, { state: 'known', value: { ...old.value, inputs: { ...entry.inputs!, inputs } } }] as const;
  });
  return { ...at(then, now), releases: new Map(known) };
}

function at(all: FleetFacts, { content, ...more }: Partial<Upstream> & { readonly content: string }): FleetFacts {
  const found = upstreamOf(content, PLATFORMS);
  if (found.state !== 'known') throw new Error('it is known');
  return { ...all, upstreams: new Map([[NODE, { state: 'known', value: { ...found.value, ...more } }]]) };
}

describe('a new tag', () => {
  test('that is the highest now is named beside the old one', () => {
    const [entry] = planFleet(facts({ content: 'eleven', tag: '22.11.0-slim' }));

    expect(entry).toMatchObject({ state: 'rebuild', reasons: [{ kind: 'base-changed', name: NODE }] });
    expect(entry?.reasons.map(explainReason)).toEqual([
      `its base node 22.10.0-slim → 22.11.0-slim, at ${digestOf('eleven').slice(7, 19)} (made 2026-11-01)`,
    ]);
  });

  test('for the same content is no news, and no other input', () => {
    const before = facts({ content: 'ten', tag: '22.10.0-slim' });
    const after = facts({ content: 'ten', tag: '22.11.0-slim' });

    const plans = [before, after].map((each) => planFleet(each)[0]!);

    expect(plans.map(({ state }) => state)).toEqual(['fresh', 'fresh']);
    expect(inputsDigest(plans[1]!.inputs!)).toBe(inputsDigest(plans[0]!.inputs!));
    expect(plans[1]!.inputs!.inputs[0]).toMatchObject({ name: NODE, tag: '22.11.0-slim' });
  });

  test('of another major, where the range lets it in, is said to be one', () => {
    const [entry] = planFleet(facts({ content: 'next', tag: '24.0.0-slim' }));

    expect(explainReason(entry!.reasons[0]!)).toContain('node 22.10.0-slim → 24.0.0-slim, a new major version, at');
  });

  test('that stays with other content is named once', () => {
    const [entry] = planFleet(facts({ content: 'rebuilt', tag: '22.10.0-slim' }));

    expect(explainReason(entry!.reasons[0]!)).toMatch(/^its base node:22\.10\.0-slim moved from \w{12} to \w{12} \(/);
  });

  test('of an image that was never released is named once', () => {
    const [entry] = planFleet({ ...facts({ content: 'x', tag: '22.11.0-slim' }), releases: new Map() });

    expect(entry).toMatchObject({ state: 'rebuild', reasons: [{ kind: 'never-released' }] });
  });
});

describe('a tag that upstream took away', () => {
  test('is held, and children go on with the release in use', () => {
    const plan = planFleet(facts({ content: 'nine', tag: '22.9.0-slim' }));

    expect(plan.map(({ state }) => state)).toEqual(['held', 'fresh']);
    expect(plan[0]?.holds).toEqual([{ kind: 'tag-withdrawn', name: NODE, from: '22.10.0-slim', to: '22.9.0-slim' }]);
    expect(explainHold(plan[0]!.holds[0]!)).toBe(
      'node:{22.x}-slim ended with 22.10.0-slim and now ends with 22.9.0-slim: upstream took the higher tag away, and the release in use stays; a track in the definition that ends there goes back to it',
    );
  });

  test('is no matter while the content is the same', () => {
    expect(planFleet(facts({ content: 'ten', tag: '22.9.0-slim' }))[0]?.state).toBe('fresh');
  });

  test('is gone for good once the definition says so', () => {
    const back = nodeOf('node', { range: '<=22.9.0', suffix: '-slim' });
    const now = facts({ content: 'nine', tag: '22.9.0-slim' });
    const upstreams = new Map([['docker.io/library/node:{<=22.9.0}-slim', now.upstreams.get(NODE)!]]);

    const [entry] = planFleet({ ...now, images: [back, app], upstreams });

    expect(entry?.state).toBe('rebuild');
  });
});

describe('what cannot be known', () => {
  test('leaves the release in use as it is', () => {
    const now = {
      ...facts({ content: 'x' }),
      upstreams: new Map([[NODE, { state: 'unknown', why: 'down' } as const]]),
    };

    expect(planFleet(now)[0]).toMatchObject({ state: 'unknown', unknown: 'down' });
  });

  test('for want of a tag that fits says what was looked for', () => {
    const why = 'docker.io/library/node has no tag for 22.x with the suffix -slim';
    const now = { ...facts({ content: 'x' }), upstreams: new Map([[NODE, { state: 'absent', why } as const]]) };

    expect(planFleet(now)[0]).toMatchObject({ state: 'unknown', unknown: why });
    expect(planFleet({ ...now, releases: new Map() })[0]).toMatchObject({ state: 'unknown', unknown: why });
  });
});

test('a version beyond the range is told in plan and explanation, though the image be fresh', () => {
  const now = facts({ content: 'ten', tag: '22.10.0-slim', newer: '24.1.0-slim' });
  const plan = planFleet(now);

  const lines = planLines(viewPlan(now.images, lookAhead(now), new Set()), { all: false });

  expect(plan[0]?.state).toBe('fresh');
  expect(lines).toContain('note: node 24.1.0-slim is out, track says 22.x (node)');
  const explanation = explainEntry(plan[0]!, now);
  expect(explanation.notes).toEqual(['node 24.1.0-slim is out, track says 22.x']);
  expect(explanation.inputs[0]).toMatchObject({ name: NODE, tagBefore: '22.10.0-slim', tag: '22.10.0-slim' });
});

describe('what is supposed of tracked tags', () => {
  const digest = digestOf('other');
  const both = [node, nodeOf('old', { range: '20.x', suffix: '-slim' }), app];

  test.each([
    ['node:22.11.0-slim', [{ name: NODE, tag: '22.11.0-slim' }]],
    [`node:22.11.0-slim=${digest}`, [{ name: NODE, tag: '22.11.0-slim', digest }]],
    ['node', [{ name: NODE }, { name: 'docker.io/library/node:{20.x}-slim' }]],
    ['node:{22.x}-slim', [{ name: NODE }]],
    [`node:{22.x}-slim=${digest}`, [{ name: NODE, digest }]],
  ])('%s is understood', (text, supposed) => {
    expect(parseSupposed(text, both)).toEqual(supposed);
  });

  test.each([
    ['node:22.11.0', 'no image is built from node:22.11.0; did you mean'],
    ['node:24.0.0-slim', 'no image is built from node:24.0.0-slim; did you mean'],
  ])('%s is refused, since no track lets it in', (text, message) => {
    expect(() => parseSupposed(text, both)).toThrow(message);
  });

  test('moves to the tag that is named', () => {
    const now = facts({ content: 'ten', tag: '22.10.0-slim' });
    const supposed = { name: NODE, tag: '22.11.0-slim' };
    const upstream = inventUpstream(supposed, now);

    const ahead = lookAhead(supposeMoved(now, new Map([[NODE, upstream]])));

    expect(ahead.waves.map((wave) => wave.map(({ image }) => image))).toEqual([['node'], ['app']]);
    const [reason] = ahead.waves[0]![0]!.reasons;
    expect(explainAhead(reason!, new Set([upstream.digest]))).toBe('its base node would move to 22.11.0-slim');
  });
});

test.each<[string, Track]>([
  ['node:{22.x}-slim', { range: '22.x', suffix: '-slim' }],
  ['node:{>=1.2 <2}', { range: '>=1.2 <2', suffix: '' }],
  [String.raw`node:{^a:{(\d+)}$} by text`, { pattern: String.raw`^a:{(\d+)}$`, order: 'text' }],
])('the name %s is that of its repository, with port and all', (name, track) => {
  const upstream = { registry: '127.0.0.1:5000', repository: 'mirror/node' };
  const full = upstreamName({ upstream, track });

  expect(familiarName(upstreamName({ upstream: { registry: 'docker.io', repository: 'library/node' }, track }))).toBe(
    name,
  );
  expect(parseUpstream(full)).toEqual(upstream);
  expect(nameWithTag({ name: full, tag: '22.1.0' })).toBe(`${formatReference(upstream)}:22.1.0`);
});
