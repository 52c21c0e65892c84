import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Platform, platformSlug } from '../../src/domain/platform.ts';
import {
  createArchiveKey,
  dpkgStatus,
  publishSuite,
  startArchive,
  type TestArchive,
  type TestPackage,
} from '../../test/support/apt-archive.ts';
import { tarOf } from '../../test/support/images.ts';

const ARCHITECTURES: Readonly<Record<Platform, string>> = {
  'linux/amd64': 'amd64',
  'linux/arm64': 'arm64',
  'linux/arm/v7': 'armhf',
};
const SUITES = ['bookworm', 'bookworm-updates', 'bookworm-security'];

/** As many as Debian 12 has for one architecture, and a small image has installed. */
const PACKAGES = 63_000;
const INSTALLED = 250;

/**
 * A Debian archive on loopback, and in `folder` a layer for each architecture whose packages are all current: what a
 * cycle finds newer is nothing, and has to be found out.
 */
export async function startDebian(folder: string): Promise<TestArchive> {
  const archive = await startArchive();
  const date = new Date();
  const key = await createArchiveKey(date);
  const architectures = Object.values(ARCHITECTURES);
  const packages = architectures.flatMap((architecture) => packagesOf(architecture, PACKAGES));
  for (const suite of SUITES) {
    const own = suite === SUITES[0] ? packages : packages.filter((_, index) => index % 200 === 199);
    await publishSuite(archive, { suite, packages: own, architectures, date, keys: [key] });
  }
  await mkdir(folder, { recursive: true });
  for (const [platform, architecture] of Object.entries(ARCHITECTURES)) {
    const sources = SUITES.map(
      (suite) => `deb [signed-by=/etc/apt/bench.asc] ${archive.address}debian ${suite} main\n`,
    );
    const layer = await tarOf({
      'etc/os-release': 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
      'etc/apt/sources.list': sources.join(''),
      'etc/apt/bench.asc': Buffer.from(key.armored).toString('utf8'),
      'var/lib/dpkg/status': dpkgStatus(packagesOf(architecture, INSTALLED)),
    });
    await writeFile(layerFile(folder, platform as Platform), layer);
  }
  return archive;
}

export async function readLayers(folder: string): Promise<ReadonlyMap<Platform, Buffer>> {
  const platforms = Object.keys(ARCHITECTURES) as Platform[];
  const layers = platforms.map(async (platform) => [platform, await readFile(layerFile(folder, platform))] as const);
  return new Map(await Promise.all(layers));
}

function layerFile(folder: string, platform: Platform): string {
  return join(folder, `${platformSlug(platform)}.tar`);
}

function packagesOf(architecture: string, count: number): TestPackage[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `package-${index}`,
    version: `1.${index}-1+deb12u1`,
    source: `source-${index}`,
    architecture,
    depends: `libc6 (>= 2.34), package-${index >> 1}`,
  }));
}
