import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../../src/domain/digest.ts';
import { parseDockerfile } from '../../../src/domain/dockerfile/parse.ts';
import { proxyArgs, renderDockerfile } from '../../../src/domain/dockerfile/render.ts';
import type { Image, RenderedRecipe } from '../../../src/domain/fleet/model.ts';
import { parseFleet } from '../../../src/domain/fleet/parse-fleet.ts';
import { fleetFiles } from '../../support/fleet-files.ts';

const BASE = `debian:12-slim@${digestOf('base')}`;

function render(definition: string, more: Record<string, string> = {}) {
  const fleet = parseFleet(
    fleetFiles({
      'ingot.yaml': 'fleet: acme\nsource: https://git.example.org/golden\n',
      'images/packages.yaml': 'base: { apt: [tzdata, ca-certificates] }\n',
      'images/app/image.yaml': `line: "1"\nfrom: debian:12-slim\n${definition}`,
      ...more,
    }),
  );
  const [image] = fleet.images as [Image & { recipe: RenderedRecipe }];
  return renderDockerfile(image, fleet.settings, { base: BASE });
}

const FULL = `
description: Says "hello" for $5
packages: [base]
install: [locales, curl]
upgrade: security
files:
  - { source: files/company.pem, to: trust-store }
  - { source: files/90-acme, to: /etc/apt/apt.conf.d/90-acme }
  - { source: files/run.sh, to: /usr/local/bin/run, mode: "0755", owner: "10001:10001" }
sources:
  - { name: acme, uri: "https://deb.example.org/debian", suites: [stable], components: [main, extra], keyring: files/acme.asc }
  - { name: aaa, uri: "https://deb.example.org/flat", suites: [./], keyring: files/acme.gpg }
secrets:
  - { id: archive, env: ARCHIVE_AUTH, target: /etc/apt/auth.conf.d/90-acme.conf }
env: { PATH: "/opt/bin:$PATH", PRICE: "$$5", A: 'a "b" \\c' }
labels: { org.example.team: runtime }
user: "10001:10001"
workdir: /srv
entrypoint: [/usr/local/bin/run, "--x=1"]
cmd: []
locale: de_DE.UTF-8
timezone: Europe/Berlin
`;
const FILES = Object.fromEntries(
  ['company.pem', '90-acme', 'run.sh', 'acme.asc', 'acme.gpg'].map((name) => [`images/app/files/${name}`, name]),
);

test('everything that a definition can say is rendered', async () => {
  const { dockerfile, contextFiles } = render(FULL, FILES);

  await expect(dockerfile).toMatchFileSnapshot(join(import.meta.dirname, 'golden/full.Dockerfile'));
  expect(contextFiles).toEqual([
    'files/90-acme',
    'files/acme.asc',
    'files/acme.gpg',
    'files/company.pem',
    'files/run.sh',
  ]);
});

test('the least that a definition can say is rendered', async () => {
  const { dockerfile, contextFiles } = render('upgrade: none\nuser: 10001\n');

  await expect(dockerfile).toMatchFileSnapshot(join(import.meta.dirname, 'golden/least.Dockerfile'));
  expect(contextFiles).toEqual([]);
});

test('the order in which a definition names things does not matter', () => {
  const one = render('install: [curl, jq]\nenv: { A: a, B: b }\nlabels: { x.a: "1", x.b: "2" }\nuser: 1\n');
  const other = render('user: 1\nlabels: { x.b: "2", x.a: "1" }\nenv: { B: b, A: a }\ninstall: [jq, curl]\n');

  expect(other).toEqual(one);
});

test('siblings have the same text up to their own packages', () => {
  const shared = (text: string) =>
    text.slice(text.indexOf('FROM'), text.indexOf('      curl') + 1 || text.indexOf('      jq') + 1);
  const [one, other] = ['curl', 'jq'].map(
    (name) => render(`packages: [base]\ninstall: [${name}]\nuser: 1\n`).dockerfile,
  );

  expect(shared(one!)).toBe(shared(other!));
});

test('the only image that it names is its base, by digest', () => {
  const { references, finalBase } = parseDockerfile(render(FULL, FILES).dockerfile);

  expect(references).toHaveLength(1);
  expect(finalBase).toBe(BASE);
});

test('the last user is the one of the definition, and packages are installed as root', () => {
  const users = render('install: [curl]\nuser: 10001\n').dockerfile.match(/^USER .*$/gm);

  expect(users).toEqual(['USER 0', 'USER 10001']);
});

test('each way to upgrade is the first thing done with the index, and once', () => {
  const count = (upgrade: string) =>
    render(`packages: [base]\ninstall: [curl]\nupgrade: ${upgrade}\nuser: 1\n`).dockerfile.match(
      /with-new-pkgs upgrade/g,
    )?.length ?? 0;

  expect(['all', 'security', 'none'].map(count)).toEqual([1, 1, 0]);
});

test('a proxy is given as predefined build arguments alone', () => {
  expect(proxyArgs({ proxy: { http: 'http://proxy:3128', no: 'example.org' } })).toEqual({
    http_proxy: 'http://proxy:3128',
    HTTP_PROXY: 'http://proxy:3128',
    no_proxy: 'example.org',
    NO_PROXY: 'example.org',
  });
  expect(proxyArgs({})).toEqual({});
});

test('takes packages from the lists that ingot verified, and asks no archive itself', () => {
  const { dockerfile } = render('install: [curl]\nuser: 10001\n');

  expect(dockerfile).toContain('--mount=type=bind,from=ingot-lists,target=/var/lib/apt/lists');
  expect(dockerfile).not.toContain('apt-get -q update');
});

test.each([
  [
    'archives of its own',
    'sources:\n  - { name: acme, uri: "https://deb.example.org/d", suites: [s], components: [main], keyring: acme.gpg }\n',
  ],
  [
    'settings of apt',
    'files:\n  - { source: acme.gpg, to: /etc/apt/apt.conf.d/90-acme, mode: "0644", owner: "0:0" }\n',
  ],
])('lets apt ask the archives of an image with %s', (_what, more) => {
  const { dockerfile } = render(`install: [curl]\nuser: 10001\n${more}`, { 'images/app/acme.gpg': 'a key' });

  expect(dockerfile).toContain('apt-get -q update --error-on=any');
  expect(dockerfile).not.toContain('ingot-lists');
});

const SETS = { 'images/packages.yaml': 'base: { apk: [tzdata, ca-certificates], dnf: [tzdata, ca-certificates] }\n' };

const OTHER = `
packages: [base]
install: [curl, PACKAGE]
files:
  - { source: files/company.pem, to: trust-store }
  - { source: files/90-acme, to: SETTINGS }
  - { source: files/run.sh, to: /usr/local/bin/run, mode: "0755" }
secrets: [{ id: archive, env: ARCHIVE_AUTH }]
user: 10001
timezone: Europe/Berlin
`;

test.each([
  [
    'apk',
    `${OTHER}sources:
  - { name: acme, uri: "https://apk.example.org/", suites: [v3.22], components: [main, extra], keyring: files/acme-1.rsa.pub }
  - { name: flat, uri: "https://apk.example.org/flat", keyring: files/acme-1.rsa.pub }
`,
    '/etc/apk/repositories',
    'jq',
  ],
  [
    'dnf',
    `${OTHER}upgrade: security
locale: de_DE.UTF-8
sources:
  - { name: acme, uri: "https://rpm.example.org/$releasever/$basearch", keyring: files/acme.asc }
  - { name: plain, uri: "http://rpm.example.org/", keyring: files/acme.asc }
`,
    '/etc/yum.repos.d/acme-more.repo',
    'glibc-langpack-de',
  ],
  ['microdnf', OTHER, '/etc/dnf/vars/acme', 'jq'],
])('what %s can do is rendered', async (manager, definition, settings, more) => {
  const text = `manager: ${manager}${definition}`.replace('SETTINGS', settings).replace('PACKAGE', more);

  const { dockerfile } = render(text, { ...SETS, ...FILES, 'images/app/files/acme-1.rsa.pub': 'a key' });

  await expect(dockerfile).toMatchFileSnapshot(join(import.meta.dirname, `golden/${manager}.Dockerfile`));
});

test('an image from scratch has its files, and runs nothing', async () => {
  const fleet = parseFleet(
    fleetFiles({
      'images/app/image.yaml':
        'line: "1"\nfrom: scratch\nfiles: [{ source: app, to: /app, mode: "0755" }]\nuser: 10001\nworkdir: /srv\nentrypoint: [/app]\n',
      'images/app/app': 'an executable',
    }),
  );
  const [image] = fleet.images as [Image & { recipe: RenderedRecipe }];

  const { dockerfile, contextFiles } = renderDockerfile(image, fleet.settings, { base: 'scratch' });

  expect(image.inputs).toEqual([]);
  expect(contextFiles).toEqual(['app']);
  await expect(dockerfile).toMatchFileSnapshot(join(import.meta.dirname, 'golden/scratch.Dockerfile'));
});

test('takes apk packages from the indexes that ingot verified, and asks no archive for one', () => {
  const { dockerfile } = render('manager: apk\ninstall: [curl]\nuser: 10001\n');

  expect(dockerfile).toContain('--mount=type=bind,from=ingot-lists,target=/run/ingot-lists');
  expect(dockerfile).not.toContain('update');
});

test.each([
  ['alpine:3.22', 'apk'],
  ['cgr.dev/chainguard/wolfi-base:1', 'apk'],
  ['registry.fedoraproject.org/fedora:42', 'dnf'],
  ['registry.fedoraproject.org/fedora-minimal:42', 'microdnf'],
  ['amazonlinux:2023', 'dnf'],
  ['almalinux:9-minimal', 'microdnf'],
  ['almalinux/9-minimal:9.6', 'microdnf'],
  ['rockylinux/rockylinux:9', 'dnf'],
  ['oraclelinux:9-slim', 'microdnf'],
  ['registry.access.redhat.com/ubi9:9.6', 'dnf'],
  ['registry.access.redhat.com/ubi9/ubi-minimal:9.6', 'microdnf'],
  ['registry.access.redhat.com/ubi9/ubi-micro:9.6', 'none'],
  ['gcr.io/distroless/static-debian12:1', 'none'],
  ['debian:12-slim', 'apt'],
  ['ghcr.io/acme/ubiquity:1', 'apt'],
])('%s is taken to have %s', (from, manager) => {
  const fleet = parseFleet(fleetFiles({ 'images/a/image.yaml': `line: "1"\nfrom: ${from}\nuser: 1\n` }));

  expect(fleet.images[0]!.recipe).toMatchObject({ manager });
});

test('a child has the manager of its golden base, and one on an own Dockerfile that of what is below', () => {
  const fleet = parseFleet(
    fleetFiles({
      'images/a/image.yaml': 'line: "1"\nfrom: mirror.example.org/os:1\nmanager: microdnf\nuser: 1\n',
      'images/b/image.yaml': 'line: "1"\nfrom: { golden: a }\n',
      'images/c/image.yaml': 'line: "1"\n',
      'images/c/Dockerfile': 'FROM alpine:3.22\nUSER 1\n',
      'images/d/image.yaml': 'line: "1"\nfrom: { golden: c }\nuser: 1\n',
    }),
  );

  const managers = fleet.images.map(({ name, recipe }) => [name, recipe.kind === 'rendered' && recipe.manager]);
  expect(Object.fromEntries(managers)).toEqual({ a: 'microdnf', b: 'microdnf', c: false, d: 'apk' });
});
