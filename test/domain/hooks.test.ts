import { describe, expect, test } from 'vitest';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { isSourceHinted, upstreamsHinted } from '../../src/domain/hooks.ts';
import { changeOfUpstream, upstreamOfChange } from '../../src/domain/upstream.ts';
import { fleetFiles } from '../support/fleet-files.ts';

const fleet = parseFleet(
  fleetFiles({
    'ingot.yaml': 'fleet: acme\nupstreams: { docker.io/library: cache.acme.example/hub }\n',
    'images/base/image.yaml': 'line: "12"\n',
    'images/base/Dockerfile': 'FROM debian:12-slim\n',
    'images/node/image.yaml':
      'line: "22"\nfrom: { image: node, track: "22.x", suffix: -slim }\nmanager: apt\nuser: 10001\n',
    'images/fixed/image.yaml': 'line: "1"\n',
    'images/fixed/Dockerfile': `FROM debian:12-slim@sha256:${'a'.repeat(64)}\n`,
  }),
);

describe('a hint', () => {
  test.each([
    ['docker.io/library/debian', ['12-slim'], ['docker.io/library/debian:12-slim']],
    ['docker.io/debian', ['12-slim'], ['docker.io/library/debian:12-slim']],
    ['docker.io/library/debian', ['13-slim'], []],
    ['docker.io/library/debian', [], ['docker.io/library/debian:12-slim']],
    ['cache.acme.example/hub/debian', ['12-slim'], ['docker.io/library/debian:12-slim']],
    ['docker.io/library/node', ['22.1.0-slim'], ['docker.io/library/node:{22.x}-slim']],
    ['docker.io/library/redis', ['7'], []],
    ['not a repository', ['7'], []],
  ])('at %s:%s is about %s', (repository, tags, names) => {
    expect(upstreamsHinted(fleet, { repository, tags })).toEqual(names);
  });

  test.each([
    ['git+https://git.acme.example/platform/golden.git#main', true],
    ['git+https://git.acme.example/platform/golden#main', true],
    ['git+ssh://git@git.acme.example/platform/golden.git#main', true],
    ['git+https://git.acme.example/platform/golden.git#release', false],
    ['git+https://git.acme.example/platform/other.git#main', false],
    ['git+https://elsewhere.example/platform/golden.git#main', false],
    ['/srv/golden', false],
  ])('at the main branch of a repository is about definitions from %s: %s', (source, expected) => {
    const addresses = ['https://git.acme.example/Platform/golden.git', 'git@git.acme.example:platform/golden.git'];

    expect(isSourceHinted(source, { addresses, branch: 'main' })).toBe(expected);
  });
});

test('a change of an upstream is one word, whatever it tracks', () => {
  const name = 'docker.io/library/node:{>=1.2 <2}-slim';

  expect(changeOfUpstream(name)).not.toMatch(/\s/);
  expect(upstreamOfChange(changeOfUpstream(name))).toBe(name);
  expect(upstreamOfChange('base')).toBeUndefined();
});
