import { expect, test } from 'vitest';
import { renderCommitMessage, signedOff } from '../../src/domain/commit-message.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { ImageContent, PlatformContent } from '../../src/domain/image-content.ts';
import { code, inline, link } from '../../src/domain/markdown.ts';
import { type PullRequestFacts, renderPullRequest } from '../../src/domain/pull-request.ts';
import { closedBody, readMarker } from '../../src/domain/pull-request-marker.ts';
import { debPackage, finding } from '../support/candidate-facts.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const content = (change: Partial<PlatformContent> = {}): PlatformContent => ({
  size: 30 * 1024 * 1024,
  packages: [],
  findings: [],
  ...change,
});
const both = (amd64: PlatformContent, arm64 = amd64): ImageContent => ({ 'linux/amd64': amd64, 'linux/arm64': arm64 });

const old = content({
  packages: [debPackage('perl-base', '5.36.0-7+deb12u2'), debPackage('tzdata', '2025b')],
  findings: [
    finding('CVE-2026-2', 'critical', { url: 'https://security.example.org/CVE-2026-2' }),
    finding('CVE-2026-1', 'high'),
  ],
});
const fresh = content({
  size: 31 * 1024 * 1024,
  packages: [debPackage('perl-base', '5.36.0-7+deb12u4'), debPackage('tzdata', '2025b')],
});

function facts(change: Partial<PullRequestFacts> = {}): PullRequestFacts {
  return {
    image: 'debian',
    repository: 'registry.example.org/golden/debian',
    before: { version: '12.0.0', digest: digest('a'), content: both(old) },
    after: { version: '12.0.1', digest: digest('b'), content: both(fresh) },
    reasons: ['its base debian:12 moved from aaaaaaaaaaaa to bbbbbbbbbbbb (made 2026-08-20)'],
    pins: [
      {
        path: 'Dockerfile',
        line: 1,
        from: { tag: '12.0.0', digest: digest('a') },
        to: { tag: '12.0.1', digest: digest('b') },
      },
    ],
    left: [],
    files: digest('f'),
    ...change,
  };
}

test('the title tells the version and what it fixes', () => {
  expect(renderPullRequest(facts()).title).toBe('Bump golden debian to 12.0.1 (2 CVEs fixed)');
});

test('a title without fixes says nothing about them', () => {
  expect(renderPullRequest(facts({ before: {} })).title).toBe('Bump golden debian to 12.0.1');
});

test('the body tells versions, reason, vulnerabilities, packages, sizes, files and how to verify', () => {
  const { body } = renderPullRequest(facts());

  expect(body.replace(/<!--.*-->/, '<marker>')).toMatchInlineSnapshot(`
    "<marker>

    The golden image **debian** (\`registry.example.org/golden/debian\`) has a new release.

    |  | old | new |
    |---|---|---|
    | version | \`12.0.0\` | \`12.0.1\` |
    | digest | \`sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\` | \`sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\` |

    ### Why now

    - Its base debian:12 moved from aaaaaaaaaaaa to bbbbbbbbbbbb (made 2026-08-20)

    ### Vulnerabilities

    Fixed:

    | id | severity | package | fixed in |
    |---|---|---|---|
    | [CVE-2026-2](https://security.example.org/CVE-2026-2) | critical | \`perl\` | \`5.36.0-7+deb12u4\` |
    | CVE-2026-1 | high | \`perl\` | \`5.36.0-7+deb12u4\` |

    ### Packages

    The same on linux/amd64 and linux/arm64:

    | package | old | new |
    |---|---|---|
    | \`perl-base\` | \`5.36.0-7+deb12u2\` | \`5.36.0-7+deb12u4\` |

    ### Size

    | platform | old | new |  |
    |---|---|---|---|
    | linux/amd64 | 30.0 MiB | 31.0 MiB | +3.3 % |
    | linux/arm64 | 30.0 MiB | 31.0 MiB | +3.3 % |

    ### Files

    | place | old | new |
    |---|---|---|
    | \`Dockerfile:1\` | \`12.0.0@aaaaaaaaaaaa\` | \`12.0.1@bbbbbbbbbbbb\` |

    ### How to verify

    With the public key of the fleet in \`cosign.pub\`:

    \`\`\`sh
    npx --no ingot verify registry.example.org/golden/debian@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    cosign verify --key cosign.pub --insecure-ignore-tlog registry.example.org/golden/debian@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    \`\`\`

    ### How to hold or decline

    Close this pull request to decline 12.0.1: it is not proposed again, the next release is. To keep a pin where it is, write \`# ingot: hold\` beside it; \`.ingot.yaml\` in this repository says how far pins go, and which files are left alone. Push a commit to its branch to take it over: ingot leaves the branch alone from then on. While it is open, newer releases of debian replace it in place."
  `);
});

test('what differs by platform is told by platform', () => {
  const arm = content({ ...fresh, packages: [...fresh.packages, debPackage('libatomic1', '12')] });
  const { body } = renderPullRequest(
    facts({ after: { version: '12.0.1', digest: digest('b'), content: both(fresh, arm) } }),
  );

  expect(body).toContain(
    'On linux/arm64 alone:\n\n| package | old | new |\n|---|---|---|\n| `libatomic1` | added | `12` |',
  );
  expect(body).not.toContain('On linux/amd64 alone');
});

test('an old image that is gone is said, not guessed', () => {
  const { body } = renderPullRequest(facts({ before: { digest: digest('a') } }));

  expect(body).toContain('| version | not known | `12.0.1` |');
  expect(body).toContain('nothing can be compared');
});

test('thousands of changes stay far below what a forge takes', () => {
  const many = (version: string) =>
    content({
      packages: Array.from({ length: 5000 }, (_, index) => debPackage(`package-with-a-long-name-${index}`, version)),
      findings: Array.from({ length: 5000 }, (_, index) => finding(`CVE-${version}-${index}`, 'high')),
    });
  const pins = Array.from({ length: 3000 }, (_, index) => ({
    path: `${'deep/'.repeat(300)}${index}/Dockerfile`,
    line: 1,
    from: { tag: '12.0.0' },
    to: { tag: '12.0.1' },
  }));
  const { body } = renderPullRequest(
    facts({
      before: { content: both(many('1')) },
      after: { version: '12.0.1', digest: digest('b'), content: both(many('2')) },
      pins,
    }),
  );

  expect(body.length).toBeLessThan(60_000);
  expect(body).toContain('… and 4960 more');
  expect(body).toContain('… cut: too long');
  expect(readMarker(body)?.digest).toBe(digest('b'));
});

test('nobody is mentioned and nothing is linked by what others wrote', () => {
  const { body } = renderPullRequest(facts({ reasons: ['@ana asked for it, see #12 <img src=x> [a](b)'] }));

  expect(body).toContain('- `@ana` asked for it, see `#12` \\<img src=x\\> \\[a\\](b)');
});

test.each([
  [code('a`b'), '`` a`b ``'],
  [code('a|b'), '`a\\|b`'],
  [inline('a|b\nc'), 'a\\|b c'],
  [link('x', 'https://example.org/a'), '[x](https://example.org/a)'],
  [link('x', 'javascript:alert(1)'), 'x'],
  [link('x', 'https://example.org/a) [b](c'), 'x'],
])('%s is written so that it stays what it is', (actual, expected) => {
  expect(actual).toBe(expected);
});

test('the marker is read back, whatever a person wrote around it', () => {
  const { body } = renderPullRequest(facts());

  expect(readMarker(`a note\n${body}`)).toMatchObject({ image: 'debian', version: '12.0.1', digest: digest('b') });
  expect(readMarker('no marker')).toBeUndefined();
  expect(readMarker('<!-- ingot: {"image":1} -->')).toBeUndefined();
});

test('a body that ingot closes says why, and that it was ingot', () => {
  const body = closedBody(renderPullRequest(facts()).body, 'every pin has moved already');

  expect(body).toMatch(/^\*\*Closed by ingot:\*\* every pin has moved already\.\n/);
  expect(readMarker(body)?.closedByUs).toBe(true);
});

test('the end of an image is announced, with what takes its place', () => {
  const deprecated = { date: '2027-06-30', successor: 'trixie', why: 'upstream ends' };

  const { body } = renderPullRequest(facts({ deprecated }));

  expect(body).toContain(
    '### End of life\n\n**debian** is rebuilt until 2027-06-30 and not after that: upstream ends. `trixie` takes its place: move there before.',
  );
  expect(renderPullRequest(facts()).body).not.toContain('End of life');
});

const origin = (revision: string, source = 'https://github.com/acme/golden') => ({ source, revision });

test.each([
  ['https://github.com/acme/golden', 'https://github.com/acme/golden/compare/aaaaaaa...bbbbbbb'],
  ['https://github.com/acme/golden.git', 'https://github.com/acme/golden/compare/aaaaaaa...bbbbbbb'],
  ['https://gitlab.com/acme/sub/golden', 'https://gitlab.com/acme/sub/golden/-/compare/aaaaaaa...bbbbbbb'],
])('where the definitions are at %s, the change of them is linked', (source, page) => {
  const { before, after } = facts();
  const { body } = renderPullRequest(
    facts({
      before: { ...before, origin: origin('aaaaaaa', source) },
      after: { ...after, origin: origin('bbbbbbb', source) },
    }),
  );

  expect(body).toContain(`[What changed in the definitions](${page})`);
});

test.each([
  ['the same commit', origin('aaaaaaa'), origin('aaaaaaa')],
  ['another repository', origin('aaaaaaa'), origin('bbbbbbb', 'https://github.com/acme/other')],
  ['a path', origin('aaaaaaa', '/srv/golden'), origin('bbbbbbb', '/srv/golden')],
  ['no commit', origin('aaaaaaa'), origin('main')],
  ['nothing known', undefined, origin('bbbbbbb')],
])('with %s nothing is linked', (_name, from, to) => {
  const { before, after } = facts();
  const { body } = renderPullRequest(facts({ before: { ...before, origin: from }, after: { ...after, origin: to } }));

  expect(body).not.toContain('What changed in the definitions');
});

test('the body says how to hold a pin and where rules are written', () => {
  expect(renderPullRequest(facts()).body).toContain(
    'write `# ingot: hold` beside it; `.ingot.yaml` in this repository',
  );
});

test('the commit says what becomes what and why, in plain text', () => {
  expect(renderCommitMessage('Bump golden debian to 12.0.1', facts())).toBe(`Bump golden debian to 12.0.1

1 place names the golden image debian:
12.0.0, aaaaaaaaaaaa becomes 12.0.1, bbbbbbbbbbbb.

- its base debian:12 moved from aaaaaaaaaaaa to bbbbbbbbbbbb (made 2026-08-20)`);
});

test('a commit on the way back says what it leaves', () => {
  const leaves = [{ digest: digest('a'), version: '12.0.2', by: 'ada', why: 'it\ncrashes' }];

  expect(renderCommitMessage('Move', facts({ leaves }))).toMatch(/- 12\.0\.2 is quarantined: it crashes$/);
});

test('a commit that is signed off ends with the trailer', () => {
  expect(signedOff('Bump\n\n- why\n', { name: 'Ada', email: 'ada@example.org' })).toBe(
    'Bump\n\n- why\n\nSigned-off-by: Ada <ada@example.org>',
  );
});
