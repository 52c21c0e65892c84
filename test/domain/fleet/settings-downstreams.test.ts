import { expect, test } from 'vitest';
import type { DefinitionError } from '../../../src/domain/errors.ts';
import { parseFleet } from '../../../src/domain/fleet/parse-fleet.ts';
import { fleetFiles } from '../../support/fleet-files.ts';

const IMAGE = { 'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n' };

const parse = (downstream: string) =>
  parseFleet(fleetFiles({ ...IMAGE, 'ingot.yaml': `fleet: acme\ndownstreams:\n  - ${downstream}\n` })).settings
    .downstreams;

function mistakesOf(downstream: string): string {
  try {
    parse(downstream);
    return 'none';
  } catch (error) {
    return (error as DefinitionError).message;
  }
}

test('one repository of a forge, and how pull requests are opened there', () => {
  const written =
    '{ forge: gitea, url: https://git.acme.example, repository: acme/shop, token: { env: T }, pulls: { labels: [golden], autoMerge: true } }';

  expect(parse(written)).toEqual([
    {
      forge: 'gitea',
      url: 'https://git.acme.example',
      repository: 'acme/shop',
      token: { env: 'T' },
      pulls: { labels: ['golden'], autoMerge: true },
    },
  ]);
});

test('several maintained branches, named in one way', () => {
  expect(parse('{ forge: local, path: x, branches: [main, release-1] }')).toMatchObject([
    { branches: ['main', 'release-1'] },
  ]);
  expect(mistakesOf('{ forge: local, path: x, branch: main, branches: [main] }')).toContain('names branches twice');
});

test('a commit on GitHub is signed off by an author alone', () => {
  const forge =
    'forge: github, repository: acme/shop, token: { env: T }, pulls: { signoff: true, reviewers: codeowners }';

  expect(mistakesOf(`{ ${forge} }`)).toContain('signs off for nobody; write "author"');
  expect(mistakesOf(`{ ${forge}, author: { name: ada, email: ada@example.org } }`)).toBe('none');
});

test('how fast a forge is written to', () => {
  const forge = 'forge: gitea, url: https://git.acme.example, repository: acme/shop, token: { env: T }';

  expect(parse(`{ ${forge}, limits: { perMinute: 20, perHour: 300, apart: 2s } }`)).toMatchObject([
    { limits: { perMinute: 20, perHour: 300, apart: 2 } },
  ]);
  expect(mistakesOf(`{ ${forge}, limits: { perHour: 0 } }`)).toContain('perHour');
});

test('all repositories of an owner, narrowed down', () => {
  const written =
    '{ forge: forgejo, url: "http://127.0.0.1:3000", owner: acme, token: { env: T }, topics: [golden], names: ["shop-*"] }';

  expect(parse(written)).toMatchObject([{ owner: 'acme', topics: ['golden'], names: ['shop-*'] }]);
});

test('projects of GitLab lie in groups in groups', () => {
  const [one] = parse('{ forge: gitlab, repository: acme/web/team/shop, token: { env: T } }');
  const [all] = parse('{ forge: gitlab, url: "https://git.acme.example/gitlab", owner: acme/web, token: { env: T } }');

  expect(one).toEqual({
    forge: 'gitlab',
    url: 'https://gitlab.com',
    repository: 'acme/web/team/shop',
    token: { env: 'T' },
  });
  expect(all).toMatchObject({ url: 'https://git.acme.example/gitlab', owner: 'acme/web' });
});

test.each([
  ['{ forge: svn, path: x }', 'downstreams[0].forge is no forge; write one of local, github, gitlab, gitea, forgejo'],
  ['{ forge: gitea, url: "http://git.acme.example", owner: a, token: { env: T } }', 'url is no address of a forge'],
  ['{ forge: gitea, url: "https://u:p@git.acme.example", owner: a, token: { env: T } }', 'without user and password'],
  ['{ forge: gitea, url: "https://git.acme.example", token: { env: T } }', 'must say which repositories'],
  [
    '{ forge: gitea, url: "https://git.acme.example", owner: a, repository: a/b, token: { env: T } }',
    'must say which repositories',
  ],
  [
    '{ forge: gitea, url: "https://git.acme.example", repository: a/b, topics: [x], token: { env: T } }',
    'narrows down one repository',
  ],
  ['{ forge: gitea, url: "https://git.acme.example", repository: shop, token: { env: T } }', 'as in acme/shop'],
  ['{ forge: github, repository: acme/web/shop, token: { env: T } }', 'as in acme/shop'],
  ['{ forge: gitlab, repository: shop, token: { env: T } }', 'is no path of a project; write it as in acme/web/shop'],
  ['{ forge: gitlab, owner: acme/, token: { env: T } }', 'is no path of a group or a user'],
  ['{ forge: gitlab, owner: acme }', 'downstreams[0].token'],
  ['{ forge: github, owner: a }', 'must say who asks'],
  ['{ forge: github, owner: a, token: { env: T }, app: { id: 1, key: { env: K } } }', 'must say who asks'],
  ['{ forge: gitea, url: "https://git.acme.example", owner: a, tokn: { env: T } }', 'did you mean "token"?'],
])('%s is told', (written, message) => {
  expect(mistakesOf(written)).toContain(message);
});
