import { describe, expect, test } from 'vitest';
import { matchesGlob } from '../../../src/domain/access/glob.ts';
import { coversFleet, coversImage, hasRole } from '../../../src/domain/access/principal.ts';
import { withoutTokens } from '../../../src/domain/access/token.ts';
import { Access } from '../../../src/domain/fleet/settings-access.ts';

test.each([
  ['python*', 'python-3', true],
  ['python*', 'my-python', false],
  ['*', 'acme', true],
  ['acme/*', 'acme/app', true],
  ['acme/*', 'acme/app/evil', false],
  ['acme/**', 'acme/app/part', true],
  ['acme/*', 'evil-acme/app', false],
  ['a.c', 'abc', false],
  ['refs/heads/(main)', 'refs/heads/(main)', true],
  ['main', 'main\nother', false],
])('the glob %s and %j: %s', (glob, text, fits) => {
  expect(matchesGlob(glob, text)).toBe(fits);
});

test('a role has all that those before it have', () => {
  expect(hasRole({ role: 'operator' }, 'viewer')).toBe(true);
  expect(hasRole({ role: 'operator' }, 'admin')).toBe(false);
});

test('the whole fleet is for those alone who are limited to nothing', () => {
  expect(coversFleet({ images: ['a*', '*'] })).toBe(true);
  expect(coversFleet({ images: ['a*', 'b*'] })).toBe(false);
  expect(coversImage({ images: ['a*', 'b*'] }, 'base')).toBe(true);
});

test('what looks like a credential is blotted out, wherever it is', () => {
  const token = `ingot_0123456789ab_${'f'.repeat(64)}`;

  expect(withoutTokens(`use ${token} or eyJhbGciOi.eyJzdWIi.c2ln, please`)).toBe(
    'use ingot_0123456789ab_*** or eyJ***, please',
  );
});

describe('access in ingot.yaml', () => {
  const issuer = { name: 'github', issuer: 'https://ci.example', audience: 'ingot' };
  const rules = [{ claims: { sub: 'x' }, role: 'viewer' }];

  test('has a default for everything', () => {
    expect(Access.parse({})).toEqual({ listen: '127.0.0.1:8080', proxies: [], requestsPerMinute: 600, issuers: [] });
  });

  test.each<[unknown, string]>([
    [{ listen: '0.0.0.0:8080' }, 'is needed when others reach the service'],
    [{ listen: '8080' }, 'must be address:port'],
    [{ url: 'https://ingot.example/path' }, 'without path'],
    [{ proxies: ['proxy.example'] }, 'must be an address or a network'],
    [{ oidc: [{ ...issuer, rules: [{ claims: {}, role: 'viewer' }] }] }, 'anybody of this issuer would fit'],
    [{ oidc: [{ ...issuer, issuer: 'http://ci.example', rules }] }, 'must be an https address'],
    [{ oidc: [{ ...issuer, rules: [] }] }, 'nobody of this issuer could do anything'],
  ])('%j is a mistake', (file, message) => {
    expect(Access.safeParse(file).error?.message).toContain(message);
  });
});
