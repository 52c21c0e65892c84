import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { lookAhead } from '../../src/domain/waves-ahead.ts';
import { explainAhead, inventUpstream, parseSupposed, reachOf, supposeMoved } from '../../src/domain/what-if.ts';
import { imageOf } from '../support/generated-images.ts';
import { releasedFacts } from '../support/released-facts.ts';

const BASE = 'docker.io/library/debian:12-slim';
const TOOL = 'ghcr.io/acme/tool:1.2';
const images = [
  imageOf('debian', { upstream: BASE }),
  imageOf('tool', { upstream: TOOL }),
  imageOf('python', 'debian'),
  imageOf('app', 'python', { also: ['tool'] }),
];
const digest = digestOf('other');

describe('what is supposed', () => {
  test.each([
    ['debian:12-slim', { name: BASE }],
    ['docker.io/library/debian:12-slim', { name: BASE }],
    [`ghcr.io/acme/tool:1.2=${digest}`, { name: TOOL, digest }],
  ])('%s is understood', (text, supposed) => {
    expect(parseSupposed(text, images)).toEqual([supposed]);
  });

  test.each([
    ['debian:12-slin', 'no image is built from debian:12-slin; did you mean "debian:12-slim"?'],
    ['ghcr.io/acme/tool', 'no image is built from ghcr.io/acme/tool; did you mean "ghcr.io/acme/tool:1.2"?'],
    ['library/debian:12', 'no image is built from library/debian:12; did you mean "debian:12-slim"?'],
    ['quay.io/far/away:1', 'the fleet uses debian:12-slim, ghcr.io/acme/tool:1.2'],
    ['python', 'python is a golden image, not an upstream; "--image python" shows what hangs on it'],
    ['debian:12-slim=sha256:12', '"sha256:12" is no digest'],
    ['UPPER:1', 'is no image reference'],
  ])('%s is refused with a way out', (text, message) => {
    expect(() => parseSupposed(text, images)).toThrow(message);
  });
});

test('the reach of an upstream is who uses it and all that is built on those', () => {
  expect([...reachOf(new Set([BASE]), images)]).toEqual(['debian', 'python', 'app']);
  expect([...reachOf(new Set([TOOL]), images)]).toEqual(['tool', 'app']);
});

describe('an upstream that moves', () => {
  const fresh = releasedFacts(images);

  test('to any digest has as many platforms as now, all with other content', () => {
    const now = fresh.upstreams.get(BASE);
    const then = inventUpstream({ name: BASE }, fresh);

    expect(now).toMatchObject({ state: 'known' });
    expect(Object.keys(then.platforms)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(now?.state === 'known' && now.value.platforms['linux/amd64']).not.toBe(then.platforms['linux/amd64']);
  });

  test('that cannot be asked has the platforms that images want of it', () => {
    const upstreams = new Map([[BASE, { state: 'unknown' as const, why: 'down' }]]);

    expect(Object.keys(inventUpstream({ name: BASE }, { ...fresh, upstreams }).platforms)).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
  });

  test('makes its reach stale, wave by wave, and nothing else', () => {
    const facts = supposeMoved(fresh, new Map([[BASE, inventUpstream({ name: BASE }, fresh)]]));

    const { waves } = lookAhead(facts);

    expect(waves.map((wave) => wave.map(({ image }) => image))).toEqual([['debian'], ['python'], ['app']]);
  });
});

test('a reason does not show digests that were made up', () => {
  const move = { kind: 'base-changed', name: BASE, from: digestOf('old'), to: digest } as const;
  const child = {
    kind: 'input-changed',
    name: 'golden/debian',
    from: digestOf('old'),
    to: digest,
    version: '12.0.1',
  } as const;

  expect(explainAhead(move, new Set([digest]))).toBe('its base debian:12-slim would move from cba06b5736fa');
  expect(explainAhead(child, new Set([digest]))).toBe('its input golden/debian would move to 12.0.1');
  expect(explainAhead(move, new Set())).toContain('to d9298a10d1b0');
  expect(explainAhead({ kind: 'never-released' }, new Set([digest]))).toBe('it was never released');
});
