import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PackageUpdate } from '../../src/domain/packages/state.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import {
  type ArchiveKey,
  createArchiveKey,
  dpkgStatus,
  publishSuite,
  startArchive,
  type TestArchive,
  type TestPackage,
} from '../support/apt-archive.ts';
import { aptState } from '../support/apt-state.ts';
import { aptUpgrades } from '../support/host-apt.ts';
import { createRandom } from '../support/random.ts';

let archive: TestArchive;
let key: ArchiveKey;
let directory: string;
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 60_000 });

beforeAll(async () => {
  archive = await startArchive();
  key = await createArchiveKey(new Date());
  directory = await mkdtemp(join(tmpdir(), 'ingot-archives-'));
});

afterAll(async () => {
  await Promise.all([archive.stop(), http.close(), rm(directory, { recursive: true, force: true })]);
});

const updatesOf = async (files: Record<string, string | Uint8Array>) => {
  const fetch = createArchiveFetch({ http, directory });
  const readKeyring = () => Promise.reject(new Error('none'));
  const archives = createAptArchives({ fetch, mirrors: {}, readKeyring, now: () => new Date() });
  return archives.updates(await aptState(files), {});
};
const lines = (updates: readonly PackageUpdate[]) =>
  updates.map(({ name, from, to }) => `${name} ${from} ${to}`).sort();

/** Suites as distributions have them, each with what pins look at. */
const SUITES = [
  { suite: 'trunk', fields: { Suite: 'stable', Version: '12.5', Label: 'Example' } },
  { suite: 'trunk-security', fields: { Suite: 'stable-security', Version: '12', Label: 'Example-Security' } },
  {
    suite: 'trunk-backports',
    fields: { Suite: 'stable-backports', NotAutomatic: 'yes', ButAutomaticUpgrades: 'yes', Label: 'Backports' },
  },
  { suite: 'rough', fields: { Suite: 'experimental', NotAutomatic: 'yes', Origin: 'Other', Version: '99' } },
] as const;

const PACKAGES = [
  'liba',
  'libb',
  'linux-image',
  'linux-tools',
  'nginx',
  'perl',
  'perl-base',
  'tzdata',
  'zlib1g',
  'curl',
];
const VERSIONS = ['1.0-1', '1.0-1+deb12u1', '1.0-2', '1:0.9', '2.0~rc1', '2.0', '2.0-1~bpo12+1', '3.0'];

const PINS = [
  'Package: *\nPin: release a=stable-backports\nPin-Priority: 700',
  'Package: *\nPin: release n=trunk\nPin-Priority: 990',
  'Package: *\nPin: release o=Other\nPin-Priority: -1',
  'Package: *\nPin: release o=Other, l=Example\nPin-Priority: 600',
  'Package: *\nPin: release stable\nPin-Priority: 400',
  'Package: *\nPin: release v=12*\nPin-Priority: 300',
  'Package: *\nPin: release *\nPin-Priority: 50',
  'Package: *\nPin: origin ""\nPin-Priority: 1001',
  'Package: *\nPin: origin 127.0.0.1\nPin-Priority: 550',
  'Package: *\nPin: origin "127.*"\nPin-Priority: 90',
  'Package: *\nPin: release a=now\nPin-Priority: 950',
  'Package: *\nPin: release c=main, b=amd64\nPin-Priority: 450',
  'Package: linux-*\nPin: release a=experimental\nPin-Priority: 600',
  'Package: /^perl/\nPin: version 1.0*\nPin-Priority: 1000',
  'Package: perl tzdata\nPin: version 2.0\nPin-Priority: 800',
  'Package: nginx\nPin: release l=*security*\nPin-Priority: 999',
  'Package: liba:amd64\nPin: origin 127.0.0.1\nPin-Priority: 30',
  'Package: libb:any\nPin: version /[13]\\.0/\nPin-Priority: 501',
  'Package: src:sharedsource\nPin: release a=experimental\nPin-Priority: 995',
  'Explanation: never\n# a comment\nPackage: curl\nPin: release a=stable-security\nPin-Priority: -10',
  'Package: zlib1g\nPin: version 2.0\nPin-Priority: 100',
  'Package: zlib1g\nPin: bogus thing\nPin-Priority: 100',
];

interface Scene {
  readonly suites: readonly (readonly TestPackage[])[];
  readonly files: Record<string, string | Uint8Array>;
}

function generate(seed: number): Scene {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  const some = <T>(items: readonly T[], share: number) => items.filter(() => random() < share);
  const sourced = (name: string, version: string) => ({
    ...{ name, version, architecture: name === 'tzdata' ? 'all' : 'amd64' },
    ...(/^lib/.test(name) && { source: 'sharedsource' }),
  });
  const suites = SUITES.map(() =>
    some(PACKAGES, 0.7).flatMap((name) => some(VERSIONS, 0.25).map((each) => sourced(name, each))),
  );
  const installed = PACKAGES.map((name) => {
    const status = pick(['install ok installed', 'install ok installed', 'install ok installed', 'hold ok installed']);
    return { ...sourced(name, pick(VERSIONS)), status };
  });
  const defaultRelease =
    random() < 0.4 ? pick(['trunk', 'stable-backports', 'experimental', 'stable*', '12.5']) : undefined;
  const pins = some(PINS, 0.3).sort(() => random() - 0.5);
  const half = Math.floor(pins.length / 2);
  return {
    suites,
    files: {
      '/var/lib/dpkg/status': dpkgStatus(installed),
      '/etc/apt/preferences': pins.slice(0, half).join('\n\n'),
      '/etc/apt/preferences.d/50-more.pref': pins.slice(half).join('\n\n'),
      ...(defaultRelease && { '/etc/apt/apt.conf.d/99release': `APT { Default-Release "${defaultRelease}"; };\n` }),
    },
  };
}

describe('updates, as the real apt sees them', () => {
  test.each(Array.from({ length: 20 }, (_, index) => index + 1))(
    'with generated archives and pins, %i',
    async (seed) => {
      const { suites, files } = generate(seed);
      const root = `/generated-${seed}/`;
      for (const [index, packages] of suites.entries()) {
        const { suite, fields } = SUITES[index]!;
        await publishSuite(archive, { suite, fields, packages, root, date: new Date(), keys: [key] });
      }
      const image = {
        ...files,
        '/etc/apt/trusted.gpg.d/test.asc': key.armored,
        '/etc/apt/sources.list': SUITES.map(
          ({ suite }) => `deb ${archive.address}${root.slice(1)} ${suite} main\n`,
        ).join(''),
      };

      expect(lines(await updatesOf(image))).toEqual(await aptUpgrades(image));
    },
  );
});
