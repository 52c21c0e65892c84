import { expect, test } from 'vitest';
import { digestOf } from '../../../src/domain/digest.ts';
import { contextKey, pinsFor } from '../../../src/domain/dockerfile/pin.ts';
import { atDigest, parseReference } from '../../../src/domain/reference.ts';

const DIGEST = digestOf('x');

test.each([
  ['debian:12', 'debian:12'],
  ['docker.io/library/debian:12', 'debian:12'],
  ['index.docker.io/library/debian:12', 'debian:12'],
  ['debian:latest', 'debian'],
  ['debian', 'debian'],
  ['acme/app:1', 'acme/app:1'],
  ['ghcr.io/acme/app:latest', 'ghcr.io/acme/app'],
  ['golden/debian', 'golden/debian'],
  [`debian:12@${DIGEST}`, `debian:12@${DIGEST}`],
  [`debian:latest@${DIGEST}`, `debian:latest@${DIGEST}`],
])('BuildKit looks for %s as %s', (written, key) => {
  expect(contextKey(written)).toBe(key);
});

test('every input is pinned under its own key', () => {
  const upstream = parseReference('debian:12');
  const pins = pinsFor([{ role: 'base', written: 'debian:12', source: { upstream } }], () =>
    atDigest(upstream, DIGEST),
  );

  expect(pins).toEqual({ 'debian:12': atDigest(upstream, DIGEST) });
});
