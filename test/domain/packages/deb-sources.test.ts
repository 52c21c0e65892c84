import { describe, expect, test } from 'vitest';
import { parseAptConf } from '../../../src/domain/packages/apt-conf.ts';
import { aptSetup, indexPaths, suiteAddress } from '../../../src/domain/packages/apt-setup.ts';
import { isSourcesFile, parseDebSources } from '../../../src/domain/packages/deb-sources.ts';

const LIST = '/etc/apt/sources.list';
const DEB822 = '/etc/apt/sources.list.d/x.sources';
const brief = (text: string, file = LIST) =>
  parseDebSources(text, file).map(({ uri, suite, components }) => `${uri} ${suite} ${components.join(',')}`);

describe('sources on one line', () => {
  test.each([
    ['deb http://a.example/debian bookworm main contrib', ['http://a.example/debian/ bookworm main,contrib']],
    ['  deb\thttp://a.example/debian/   bookworm\tmain # why', ['http://a.example/debian/ bookworm main']],
    ['deb [arch=amd64 signed-by=/k.gpg] http://a.example/ x/ ', ['http://a.example/ x/ ']],
    ['# deb http://a.example/debian bookworm main', []],
    ['deb-src http://a.example/debian bookworm main', []],
    ['debian http://a.example/debian bookworm main', []],
    ['deb http://a.example/debian', []],
  ])('%s', (line, expected) => {
    expect(brief(`${line}\n`)).toEqual(expected);
  });

  test('have options', () => {
    const line =
      'deb [ arch=amd64,arm64 arch-=arm64 lang=none signed-by=/a.gpg,/b.gpg check-valid-until=no ] http://a/ b c';

    expect(parseDebSources(line, LIST)).toEqual([
      {
        ...{ uri: 'http://a/', suite: 'b', components: ['c'], architectures: ['amd64'], file: LIST },
        ...{ signedBy: ['/a.gpg', '/b.gpg'], trusted: false, checkValidUntil: false },
      },
    ]);
  });

  test('may ask for no signature', () => {
    expect(parseDebSources('deb [trusted=yes] http://a/ b c', LIST)[0]?.trusted).toBe(true);
    expect(parseDebSources('deb [allow-insecure=yes] http://a/ b c', LIST)[0]?.trusted).toBe(true);
  });
});

describe('sources in stanzas', () => {
  test('name several addresses and suites at once', () => {
    const text = 'Types: deb deb-src\nURIs: http://a/ http://b\nSuites: x x-updates\nComponents: main\n contrib\n';

    expect(brief(text, DEB822)).toEqual([
      'http://a/ x main,contrib',
      'http://a/ x-updates main,contrib',
      'http://b/ x main,contrib',
      'http://b/ x-updates main,contrib',
    ]);
  });

  test.each(['Enabled: no', 'enabled: false', 'Enabled: 0'])('are left out with %s', (field) => {
    expect(brief(`${field}\nTypes: deb\nURIs: http://a/\nSuites: x\nComponents: main\n`, DEB822)).toEqual([]);
  });

  test('carry keys, whose empty lines are dots', () => {
    const block = ' -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----';
    const [source] = parseDebSources(`Types: deb\nURIs: http://a/\nSuites: x/\nSigned-By:\n${block}\n`, DEB822);

    expect(source?.inlineKey).toBe('-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n');
    expect(source?.signedBy).toEqual([]);
  });

  test('are apart by empty lines, and have comments', () => {
    const stanza = (suite: string) => `Types: deb\n# why\nURIs: http://a/\nSuites: ${suite}\nComponents: main\n`;

    expect(brief(`# all of them\n\n${stanza('x')}\n\n${stanza('y')}`, DEB822)).toEqual([
      'http://a/ x main',
      'http://a/ y main',
    ]);
  });
});

test.each([
  ['/etc/apt/sources.list', true],
  ['/etc/apt/sources.list.d/a.list', true],
  ['/etc/apt/sources.list.d/a.b_c-1.sources', true],
  ['/etc/apt/sources.list.d/a.list.save', false],
  ['/etc/apt/sources.list.d/a.list.disabled', false],
  ['/etc/apt/sources.list.d/deep/a.list', false],
])('%s names sources: %s', (path, expected) => {
  expect(isSourcesFile(path)).toBe(expected);
});

describe('where things are', () => {
  const source = (uri: string, suite: string) => parseDebSources(`deb ${uri} ${suite}`, LIST)[0]!;

  test.each([
    ['http://a/debian', 'bookworm', 'http://a/debian/dists/bookworm/'],
    ['http://a/security/', 'buster/updates', 'http://a/security/dists/buster/updates/'],
    ['http://a/flat', './', 'http://a/flat/'],
    ['http://a/flat', '/', 'http://a/flat/'],
    ['http://a/flat', 'stable/$(ARCH)/', 'http://a/flat/stable/arm64/'],
  ])('the suite of %s %s is at %s', (uri, suite, expected) => {
    expect(suiteAddress(source(uri, suite), 'arm64')).toBe(expected);
  });

  test('indexes are those of the architectures that both have', () => {
    const [limited] = parseDebSources('deb [arch=amd64] http://a/ x main contrib', LIST);
    const paths = (own: boolean) => indexPaths(limited!, ['arm64', 'amd64'], own).map(({ path }) => path);

    expect(paths(false)).toEqual(['main/binary-amd64/Packages', 'contrib/binary-amd64/Packages']);
    expect(paths(true)).toHaveLength(4);
    expect(indexPaths(limited!, ['arm64'], true)).toEqual([]);
  });
});

test('options of apt are read in both forms, the last one wins', () => {
  const options = parseAptConf([
    '// a comment\nAPT::Default-Release "a";\nAcquire { Check-Valid-Until "false"; http { Proxy "x"; }; };\n# more',
    'APT { Default-Release "b"; /* and\n more */ NeverAutoRemove { "^linux.*"; }; };',
  ]);

  expect(options.get('apt::default-release')).toBe('b');
  expect(options.get('acquire::check-valid-until')).toBe('false');
  expect(options.get('acquire::http::proxy')).toBe('x');
});

test('apt.conf has the last word, and the same source counts once', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const setup = aptSetup({
    architecture: 'amd64',
    files: {
      '/etc/apt/apt.conf': bytes('Acquire::Check-Valid-Until "true";'),
      '/etc/apt/apt.conf.d/99x': bytes('Acquire::Check-Valid-Until "false";'),
      '/etc/apt/sources.list': bytes('deb http://a/ x main\n'),
      '/etc/apt/sources.list.d/again.list': bytes('deb http://a/ x main\ndeb http://a/ y main\n'),
    },
  });

  expect(setup.checkValidUntil).toBe(true);
  expect(setup.sources.map(({ suite }) => suite)).toEqual(['x', 'y']);
});
