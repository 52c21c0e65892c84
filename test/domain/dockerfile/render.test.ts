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
