import { expect, test } from 'vitest';
import { parseChallenge } from '../../src/registry/challenge.ts';

test.each([
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull"',
    ['https://auth.docker.io/token', 'registry.docker.io', ['repository:library/debian:pull']],
  ],
  ['bearer Realm=https://r.example/t , Service = "a \\"b\\""', ['https://r.example/t', 'a "b"', []]],
  [
    'Basic realm="x", Bearer realm="https://r.example/t",scope="repository:a:pull,push repository:b:pull"',
    ['https://r.example/t', undefined, ['repository:a:pull,push', 'repository:b:pull']],
  ],
])('%s asks for a token', (header, [realm, service, scopes]) => {
  expect(parseChallenge(header)).toEqual({ scheme: 'bearer', realm, ...(service && { service }), scopes });
});

test('Basic asks for name and password', () => {
  expect(parseChallenge('Basic realm="Registry Realm"')).toEqual({ scheme: 'basic' });
});

test.each([undefined, '', 'Negotiate', 'Bearer service="x"', 'Bearer realm="no address"'])(
  '%s is nothing that can be answered',
  (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  },
);
