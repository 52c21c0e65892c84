import { describe, expect, test } from 'vitest';
import type { Image } from '../../../src/domain/fleet/model.ts';
import { parseFleet } from '../../../src/domain/fleet/parse-fleet.ts';
import { DEFAULT_POLICY } from '../../../src/domain/policy/defaults.ts';
import { fleetFiles } from '../../support/fleet-files.ts';

const BASE = {
  'ingot.yaml': 'fleet: acme\n',
  'images/packages.yaml': 'base: { apt: [tzdata, ca-certificates], apk: [x] }\n',
  'images/debian/image.yaml': 'line: "12"\nfrom: debian:12-slim\npackages: [base]\nuser: 10001\n',
};

function imageOf(texts: Record<string, string>, name: string): Image {
  return parseFleet(fleetFiles({ ...BASE, ...texts })).images.find((image) => image.name === name)!;
}

test('settings that are left out have their defaults', () => {
  const { settings } = parseFleet(fleetFiles(BASE));

  expect(settings).toMatchObject({
    fleet: 'acme',
    platforms: ['linux/amd64', 'linux/arm64'],
    builders: {},
    signing: {},
    channels: [],
    freezes: [],
    gates: [],
    policy: DEFAULT_POLICY,
    scan: {},
    downstreams: [],
    upstreams: {},
  });
});

test('a policy keeps the defaults of what it does not name', () => {
  const policy =
    'policy: { vulnerabilities: { high: { leeway: 3d } }, size: { max: 1.5GiB, growth: 5% }, user: warn }\n';

  const { settings } = parseFleet(fleetFiles({ ...BASE, 'ingot.yaml': `fleet: acme\n${policy}` }));

  expect(settings.policy).toEqual({
    ...DEFAULT_POLICY,
    user: 'warn',
    vulnerabilities: { ...DEFAULT_POLICY.vulnerabilities, high: { level: 'warn', leewayDays: 3 } },
    size: { level: 'block', maxBytes: 1.5 * 1024 ** 3, growthPercent: 5 },
  });
});

test('shared packages are sorted and kept apart from an image’s own', () => {
  const { recipe, inputs } = imageOf({}, 'debian');

  expect(recipe).toMatchObject({
    kind: 'rendered',
    packages: ['ca-certificates', 'tzdata'],
    install: [],
    upgrade: 'all',
  });
  expect(inputs).toEqual([
    {
      role: 'base',
      written: 'debian:12-slim',
      source: { upstream: { registry: 'docker.io', repository: 'library/debian', tag: '12-slim' } },
    },
  ]);
});

test('a child takes over the user and the packages of its golden base', () => {
  const text = 'line: "1"\nfrom: { golden: debian }\ntimezone: Europe/Berlin\n';

  const { recipe, inputs } = imageOf({ 'images/app/image.yaml': text }, 'app');

  expect(recipe).toMatchObject({ user: '10001', timezone: 'Europe/Berlin' });
  expect(inputs[0]).toEqual({ role: 'base', written: 'golden/debian', source: { golden: 'debian' } });
});

test('owners are teams, with a contact or without', () => {
  const text = `${BASE['images/debian/image.yaml']}owners: [runtime, { team: platform, contact: p@example.org }]\n`;

  expect(imageOf({ 'images/debian/image.yaml': text }, 'debian').owners).toEqual([
    { team: 'runtime' },
    { team: 'platform', contact: 'p@example.org' },
  ]);
});

test('a number is fine for a mode, an owner and a user', () => {
  const text = `${BASE['images/debian/image.yaml']}files: [{ source: m, to: /etc/m, mode: 0640, owner: 7 }]\n`;

  const { recipe } = imageOf({ 'images/debian/image.yaml': text, 'images/debian/m': '' }, 'debian');

  expect(recipe).toMatchObject({ files: [{ source: 'm', to: '/etc/m', mode: '0640', owner: '7:7' }] });
});

test('an own Dockerfile has its base first, and every other image it names', () => {
  const dockerfile =
    'FROM golang:1.22 AS build\nFROM golden/debian\nCOPY --from=build a b\nCOPY --from=busybox:1.36 a b\n';

  const image = imageOf({ 'images/app/image.yaml': 'line: "1"\n', 'images/app/Dockerfile': dockerfile }, 'app');

  expect(image.inputs.map(({ role, written }) => [role, written])).toEqual([
    ['base', 'golden/debian'],
    ['input', 'golang:1.22'],
    ['input', 'busybox:1.36'],
  ]);
  expect(image.recipe).toEqual({
    kind: 'own',
    dockerfile: '/fleet/images/app/Dockerfile',
    context: '/fleet/images/app/context',
  });
});

test('the same image written in two forms is one input', () => {
  const dockerfile = 'FROM debian:12 AS a\nFROM docker.io/library/debian:12\n';

  const image = imageOf({ 'images/app/image.yaml': 'line: "1"\n', 'images/app/Dockerfile': dockerfile }, 'app');

  expect(image.inputs.map(({ role, written }) => [role, written])).toEqual([['base', 'debian:12']]);
});

test('smoke tests and waivers beside the definition count without being named', () => {
  const image = imageOf(
    {
      'images/debian/smoke.yaml':
        'schemaVersion: 2.0.0\nmetadataTest: { user: 10001, unboundEnvVars: [{ key: A }, B] }\n',
      'images/debian/waivers.yaml': '- { id: CVE-2026-1, package: openssl, reason: not used, until: 2026-12-31 }\n',
    },
    'debian',
  );

  expect(image.smoke?.metadataTest).toMatchObject({ user: '10001', unboundEnvVars: ['A', 'B'] });
  expect(image.waivers).toEqual([{ id: 'CVE-2026-1', package: 'openssl', reason: 'not used', until: '2026-12-31' }]);
});

describe('the parts of a definition', () => {
  const changed = (texts: Record<string, string>, more: Record<string, string>, name = 'debian'): string[] => {
    const before = imageOf(texts, name).definition;
    const after = imageOf({ ...texts, ...more }, name).definition;
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((part) => before[part] !== after[part]);
  };
  const debian = (line: string) => ({ 'images/debian/image.yaml': `${BASE['images/debian/image.yaml']}${line}\n` });

  test.each([
    ['env: { A: b }', ['image.yaml#env']],
    ['description: x', ['image.yaml#description']],
    ['install: [curl]', ['image.yaml#install']],
    ['upgrade: none', ['image.yaml#upgrade']],
    ['cmd: []', ['image.yaml#cmd']],
    ['secrets: [{ id: a, env: B }]', ['image.yaml#secrets']],
  ])('%s changes what it names', (line, parts) => {
    expect(changed({}, debian(line))).toEqual(parts);
  });

  test.each(['owners: [x]', 'upgrade: all', 'env: {}', 'install: []', 'waivers: w.yaml', 'smoke: s.yaml', '# x'])(
    '%s changes nothing',
    (line) => {
      const beside = { 'images/debian/w.yaml': '[]', 'images/debian/s.yaml': 'schemaVersion: 2.0.0' };

      expect(changed(beside, debian(line))).toEqual([]);
    },
  );

  test('a set that is used, a file that is used, and settings in labels count', () => {
    const files = debian('files: [{ source: m, to: /m }]');
    const texts = { ...files, 'images/debian/m': 'a', 'images/debian/other': 'a' };

    expect(changed(texts, { 'images/packages.yaml': 'base: { apt: [tzdata] }' })).toEqual(['packages.yaml#base']);
    expect(changed(texts, { 'images/packages.yaml': 'base: { apt: [ca-certificates, tzdata, tzdata] }' })).toEqual([]);
    expect(changed(texts, { 'images/debian/m': 'b' })).toEqual(['m']);
    expect(changed(texts, { 'images/debian/other': 'b' })).toEqual([]);
    expect(changed(texts, { 'ingot.yaml': 'fleet: acme\nsource: https://example.org\n' })).toEqual([
      'ingot.yaml#source',
    ]);
    expect(changed(texts, { 'ingot.yaml': 'fleet: acme\nchannels: [{ name: x }]\n' })).toEqual([]);
  });

  test('of an own Dockerfile: the file, its context with modes, its target', () => {
    const own = { 'images/app/image.yaml': 'line: "1"\n', 'images/app/Dockerfile': 'FROM scratch AS x\n' };

    expect(
      Object.keys(imageOf({ ...own, 'images/app/context/run.sh': 'x', 'images/app/notes': '' }, 'app').definition),
    ).toEqual(['Dockerfile', 'context/run.sh']);
    expect(changed(own, { 'images/app/image.yaml': 'line: "2"\ntarget: x\n' }, 'app')).toEqual(['image.yaml#target']);
  });
});

test('stages, freezes and gates of channels are read', () => {
  const text = `fleet: acme
channels: [{ name: edge }, { name: stable, after: 24h, afterCritical: 0s, approval: true, gates: [canary] }]
freezes: [{ from: 2026-12-20, until: 2027-01-04, why: holidays }, { from: "2026-12-20T18:00+01:00", until: 2026-12-20T18:00Z, why: x, channels: [stable], allow: critical }]
gates: [{ name: canary, when: after, webhook: { url: "https://x.example/y", secret: { env: KEY } } }, { name: shop, when: before, consumer: { context: ../shop } }]
`;

  const { settings } = parseFleet(fleetFiles({ ...BASE, 'ingot.yaml': text }));

  expect(settings.channels[1]).toEqual({
    ...{ name: 'stable', afterSeconds: 86_400, afterCriticalSeconds: 0, approval: {}, gates: ['canary'] },
  });
  expect(settings.freezes.map(({ from, until }) => [from, until])).toEqual([
    ['2026-12-20T00:00:00.000Z', '2027-01-05T00:00:00.000Z'],
    ['2026-12-20T17:00:00.000Z', '2026-12-20T18:00:00.000Z'],
  ]);
  expect(settings.gates.map(({ test }) => test)).toEqual([
    { kind: 'webhook', url: 'https://x.example/y', secretVariable: 'KEY' },
    { kind: 'consumer', context: '../shop', dockerfile: 'Dockerfile' },
  ]);
});

test('the announced end of an image is no matter of its content', () => {
  const text = BASE['images/debian/image.yaml'];

  const before = imageOf({}, 'debian');
  const after = imageOf(
    { 'images/debian/image.yaml': `${text}deprecated: { date: 2027-06-30, why: old }\n` },
    'debian',
  );

  expect(after.deprecated).toEqual({ date: '2027-06-30', why: 'old' });
  expect(after.definition).toEqual(before.definition);
});

describe('tracked tags', () => {
  const repository = { registry: 'docker.io', repository: 'library/node' };
  const rendered = (from: string) =>
    imageOf({ 'images/a/image.yaml': `line: "22"\nfrom: ${from}\nuser: 10001\n` }, 'a').inputs;

  test.each([
    ['{ image: node, track: 22.x, suffix: -slim }', { range: '22.x', suffix: '-slim' }],
    ['{ image: node, track: "22" }', { range: '22', suffix: '' }],
    ['{ image: node, track: ">= 20", majors: true }', { range: '>= 20', suffix: '' }],
    ['{ image: node, track: { pattern: "a-(.*)" } }', { pattern: 'a-(.*)', order: 'number' }],
    ['{ image: node, track: { pattern: "a-(.*)", order: text } }', { pattern: 'a-(.*)', order: 'text' }],
  ])('of a rendered image: %s', (from, track) => {
    expect(rendered(from)).toEqual([{ role: 'base', written: 'node', source: { upstream: repository, track } }]);
  });

  test('of an own Dockerfile stand for the tag that it names', () => {
    const { inputs, definition } = imageOf(
      {
        'images/a/image.yaml':
          'line: "22"\ntrack: { "docker.io/library/node:22-slim": { track: 22.x, suffix: -slim } }\n',
        'images/a/Dockerfile': 'FROM golden/debian AS other\nFROM node:22-slim\nUSER 10001\n',
      },
      'a',
    );

    expect(inputs[0]).toEqual({
      role: 'base',
      written: 'node:22-slim',
      source: { upstream: repository, track: { range: '22.x', suffix: '-slim' } },
    });
    expect(inputs[1]).toMatchObject({ source: { golden: 'debian' } });
    expect(Object.keys(definition)).toEqual(['Dockerfile']);
  });
});
