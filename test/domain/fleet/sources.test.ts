import { expect, test } from 'vitest';
import { digestOf } from '../../../src/domain/digest.ts';
import { mistakeInUpstream, sourceOf } from '../../../src/domain/fleet/sources.ts';
import { formatReference, parseReference } from '../../../src/domain/reference.ts';

const upstreams = {
  'docker.io': 'mirror.example/hub',
  'docker.io/library/debian:12-slim': '127.0.0.1:5000/debian:12',
  'docker.io/library/alpine': 'cache.example:8443/alpine',
  'ghcr.io/acme': 'localhost:5000',
};
const DIGEST = digestOf('x');

test.each([
  ['debian:12-slim', '127.0.0.1:5000/debian:12'],
  [`debian:12-slim@${DIGEST}`, `127.0.0.1:5000/debian:12@${DIGEST}`],
  ['debian:13-slim', 'mirror.example/hub/library/debian:13-slim'],
  ['alpine:3.20', 'cache.example:8443/alpine:3.20'],
  ['ghcr.io/acme/app:1', 'localhost:5000/app:1'],
  ['ghcr.io/acmeother/app:1', 'ghcr.io/acmeother/app:1'],
  ['quay.io/x/y:1', 'quay.io/x/y:1'],
])('%s is read from %s', (text, expected) => {
  expect(formatReference(sourceOf(parseReference(text), { upstreams }))).toBe(expected);
});

test('the longest name that fits counts, whatever the order', () => {
  const reversed = Object.fromEntries(Object.entries(upstreams).reverse());

  expect(sourceOf(parseReference('alpine:3.20'), { upstreams: reversed }).registry).toBe('cache.example:8443');
});

test.each(Object.entries(upstreams))('%s: %s is fine', (key, value) => {
  expect(mistakeInUpstream(key, value)).toBeUndefined();
});

test.each([
  ['debian', 'mirror.example/x'],
  ['docker.io', 'mirror'],
  ['docker.io/debian:12', 'mirror.example/x:1'],
  ['docker.io/library', 'mirror.example/x:1'],
  ['docker.io/Library', 'mirror.example/x'],
  [`docker.io/library/x@${DIGEST}`, 'mirror.example/x'],
])('%s: %s is a mistake', (key, value) => {
  expect(mistakeInUpstream(key, value)).toMatchObject({ message: expect.any(String), remedy: expect.any(String) });
});
