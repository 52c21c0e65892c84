import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exec } from '../../src/lib/exec.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import type { Archives } from '../../src/packages/archives.ts';
import { createRpmArchives } from '../../src/packages/rpm.ts';
import { startArchive, type TestArchive } from '../support/apt-archive.ts';
import { createRandom } from '../support/random.ts';
import {
  buildRpms,
  createRepository,
  installRpms,
  publishRepository,
  rpmDatabase,
  rpmState,
  type TestRpm,
} from '../support/rpm-archive.ts';

const NATIVE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'lib-a', 'lib-b'];
const VERSIONS = ['1.0-1', '1.0~rc1-1', '1.0^git1-1', '1.0-1.1', '1.10-1', '1.9-2', '1:0.1-1', '2.0-1', '1.0-10'];
const ARCHITECTURES = [NATIVE, 'noarch'];

const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
let archive: TestArchive;
let directory: string;
let archives: Archives;
let pathOf: (rpm: TestRpm) => string;

const ALL = NAMES.flatMap((name) =>
  VERSIONS.flatMap((version) => ARCHITECTURES.map((architecture) => ({ name, version, architecture }))),
);

beforeAll(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-dnf-'));
  archives = createRpmArchives({
    fetch: createArchiveFetch({ http, directory: join(directory, 'cache'), retryDelays: [] }),
    ...{ mirrors: {}, readKeyring: () => Promise.reject(new Error('no keyring')), now: () => new Date() },
  });
  // Debian's rpm has its database in the home folder.
  await writeFile(join(directory, '.rpmmacros'), '%_dbpath /var/lib/rpm\n');
  pathOf = await buildRpms(directory, ALL);
}, 300_000);

afterAll(async () => {
  await Promise.all([archive.stop(), http.close(), rm(directory, { recursive: true, force: true })]);
});

interface Scene {
  readonly installed: readonly TestRpm[];
  readonly repositories: Readonly<
    Record<string, { rpms: readonly TestRpm[]; security: readonly TestRpm[]; options: string }>
  >;
  readonly main: string;
}

/** Plain: each package keeps its architecture, and no repository comes before another. */
function sceneOf(seed: number, plain: boolean): Scene {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  const kept = (rpm: TestRpm) => !plain || (rpm.architecture === 'noarch') === rpm.name.startsWith('lib');
  const some = (share: number) => ALL.filter((rpm) => random() < share && kept(rpm));
  const installed = NAMES.map((name) => ({
    name,
    version: pick(VERSIONS),
    architecture: pick(ARCHITECTURES.filter((architecture) => kept({ name, version: '', architecture }))),
  }));
  // Some package must say what the image's own architecture is.
  installed[0] = { ...installed[0]!, architecture: NATIVE };
  const repository = () => {
    const rpms = some(0.15);
    const security = rpms.filter(() => random() < 0.4);
    const priority = !plain && random() < 0.4 ? `priority=${pick(['10', '99'])}\n` : '';
    const exclude =
      random() < 0.3 ? `excludepkgs=${pick(['alpha', 'lib-*', 'beta-1.10*', 'gamma.noarch', 'delta-0:2.0-1'])}\n` : '';
    const include = random() < 0.2 ? `includepkgs=${pick(['a* lib-?', '*.noarch,beta'])}\n` : '';
    return { rpms, security, options: priority + exclude + include };
  };
  const main = random() < 0.3 ? `exclude=${pick(['beta gamma', 'lib-[b]', '*-1:0.1-1.*', '*.noarch'])}\n` : '';
  return { installed, repositories: { one: repository(), two: repository() }, main };
}

async function prepare(scene: Scene, root: string): Promise<Record<string, string | Buffer>> {
  await installRpms(root, scene.installed.map(pathOf));
  const files: Record<string, string | Buffer> = {};
  files['/etc/dnf/dnf.conf'] = `[main]\ngpgcheck=0\nplugins=0\n${scene.main}`;
  for (const [id, { rpms, security, options }] of Object.entries(scene.repositories)) {
    const advisories = [
      ...security.map((rpm) => ({ type: 'security' as const, packages: [rpm] })),
      ...rpms.slice(0, 2).map((rpm) => ({ type: 'bugfix' as const, packages: [rpm] })),
    ];
    const path = `${root}-${id}`;
    publishRepository(
      archive,
      `/${path.slice(directory.length + 1)}/`,
      await createRepository(path, { rpms, advisories }, pathOf),
    );
    files[`/etc/yum.repos.d/${id}.repo`] =
      `[${id}]\nname=${id}\nenabled=1\nbaseurl=${archive.address}${path.slice(directory.length + 1)}/\n${options}`;
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return { ...files, ...(await rpmDatabase(root)) };
}

async function dnf(root: string, ...args: string[]): Promise<string> {
  const common = ['--installroot', root, '--releasever', '40', '--setopt=cachedir=/cache'];
  const { exitCode, stdout, stderr } = await exec('dnf', [...common, ...args], {
    timeout: 60_000,
    env: { HOME: directory },
  });
  // --assumeno ends with 1
  if (exitCode > 1 || /^Error(?!: Operation aborted)/m.test(stderr))
    throw new Error(`dnf ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

describe('what dnf would upgrade', () => {
  test.each(seeds(10))('is found (%i)', async (seed) => {
    const root = join(directory, `root${seed}`);
    const files = await prepare(sceneOf(seed, false), root);

    const ours = await archives.updates(await rpmState(files), {});
    const said = await dnf(root, 'upgrade', '--assumeno');

    expect(ours.map(({ name, to, origin }) => `${name} ${to.replace(/^0:/, '')} ${origin}`)).toEqual(transaction(said));
  });

  test.each(seeds(10))('for security is found (%i)', async (seed) => {
    const root = join(directory, `plain${seed}`);
    const files = await prepare(sceneOf(seed, true), root);

    const ours = await archives.updates(await rpmState(files), {});
    const said = await dnf(root, 'upgrade', '--assumeno', '--security');

    const names = ours.filter(({ security }) => security).map(({ name }) => name);
    expect(names).toEqual(transaction(said).map((line) => line.split(' ')[0]));
  });
});

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** ` alpha  noarch  1:0.1-1  one  5 k` below `Upgrading:` */
function transaction(output: string): string[] {
  const [, table = ''] = /Upgrading:\n([\s\S]*?)\n\n/.exec(output) ?? [];
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words.length >= 4)
    .map(([name, , version, repository]) => `${name} ${version} ${repository}`)
    .sort();
}
