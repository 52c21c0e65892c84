import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildRequest } from '../../src/builder/builder.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { rpmReader } from '../../src/image/rpm-reader.ts';
import { startArchive, type TestArchive } from '../support/apt-archive.ts';
import { type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';
import { DNF_ROOT, packRoot } from '../support/debian-root.ts';
import { filesOf, renderedOf } from '../support/rendered-builds.ts';
import {
  buildRpms,
  createRepository,
  publishRepository,
  signRepository,
  type TestRpm,
} from '../support/rpm-archive.ts';

const DATABASE = 'var/lib/rpm/rpmdb.sqlite';

/** Debian has dnf, and no microdnf: where somebody has built it, it is proved, too. */
const MICRODNF = join(import.meta.dirname, '../../.tools/bin/microdnf');
const MANAGERS = ['dnf', ...(existsSync(MICRODNF) ? ['microdnf'] : [])];

/** Of the root, and of what is installed on it. */
const BASE_LAYERS = 6;

const tool = { name: 'tool', version: '1.0-1' };
const other = { name: 'other', version: '1.0-1' };
const fixed = { name: 'tool', version: '1.1-1' };
const newer = { name: 'other', version: '1.1-1' };
const extra = { name: 'extra', version: '1:2.0-3', lines: ['Requires: tool', 'Recommends: other-docs'] };
const recommended = { name: 'other-docs', version: '1-1' };

let scene: BuilderScene;
let archive: TestArchive;
let base: Reference & { digest: Digest };
let pathOf: (rpm: TestRpm) => string;
let folder: string;

beforeAll(async () => {
  [scene, archive] = await Promise.all([startBuilderScene(), startArchive()]);
  folder = await mkdtemp(join(scene.folder, 'rpm-'));
  await writeFile(join(folder, '.rpmmacros'), '%_dbpath /var/lib/rpm\n');
  pathOf = await buildRpms(folder, [tool, other, fixed, newer, extra, recommended]);
  const repository = `[test]\nname=test\nbaseurl=${archive.address}rpm/\ngpgcheck=0\n`;
  await offer([tool, other]);
  const programs = existsSync(MICRODNF) ? [MICRODNF] : [];
  await packRoot(join(folder, 'root.tar'), ['dnf', 'rpm'], programs);
  const install = 'RUN dnf -y install tool other && rm -rf /var/cache/dnf /var/log/* /var/lib/dnf\n';
  base = await scene.image(
    'dnf',
    { Dockerfile: `${DNF_ROOT}COPY repo /etc/yum.repos.d/test.repo\n${install}`, repo: repository },
    { 'root.tar': join(folder, 'root.tar') },
  );
  await offer([tool, other, fixed, newer, extra, recommended], [fixed]);
}, 300_000);
afterAll(() => Promise.all([scene?.stop(), archive?.stop()]));

describe.each(MANAGERS)('an image with %s', (manager) => {
  test('has what was installed and upgraded, and the same layers each time', async () => {
    const { dockerfile } = renderedOf(`manager: ${manager}\ninstall: [extra]\nuser: 10001\n`);

    const digests = [await build(dockerfile), await build(dockerfile)];

    const files = await filesOf(scene, digests[0]!, BASE_LAYERS);
    expect(await installedIn(files)).toEqual(['extra 1:2.0-3', 'other 1.1-1', 'tool 1.1-1']);
    expect([...files.keys()].filter((name) => !name.endsWith('/'))).toEqual([
      DATABASE,
      `${DATABASE}-shm`,
      `${DATABASE}-wal`,
    ]);
    expect(digests[1]).toBe(digests[0]);
  }, 300_000);
});

test.each(MANAGERS)(
  'takes signed packages from a repository that the definition adds for %s, and no others',
  async (manager) => {
    const own = { name: `own-${manager}`, version: '1.0-1' };
    const ownPath = await buildRpms(join(folder, manager), [own]);
    const home = await mkdtemp('/tmp/gpg-');
    await signRepository(home, { rpms: [ownPath(own)], list: Buffer.from('') });
    const repository = await createRepository(join(folder, 'own'), { rpms: [own] }, ownPath);
    const { key, signature } = await signRepository(home, { rpms: [], list: repository.get('repodata/repomd.xml')! });
    const definition = (name: string) =>
      `manager: ${manager}\nupgrade: none\ninstall: [${own.name}]\nuser: 1\nsources: [{ name: own, uri: "${archive.address}${name}/", keyring: own.asc }]\n`;
    const dockerfileOf = (name: string) => renderedOf(definition(name), { 'own.asc': key });
    publishRepository(archive, '/unsigned/', repository);
    publishRepository(archive, '/signed/', new Map([...repository, ['repodata/repomd.xml.asc', signature]]));

    const { dockerfile, files } = dockerfileOf('signed');
    const digests = [await build(dockerfile, {}, files), await build(dockerfile, {}, files)];
    const unsigned = dockerfileOf('unsigned');

    expect(await installedIn(await filesOf(scene, digests[0]!))).toContain(`${own.name} 1.0-1`);
    expect(digests[1]).toBe(digests[0]);
    await expect(build(unsigned.dockerfile, {}, unsigned.files)).rejects.toMatchObject({ code: 'build-failed' });
    await rm(home, { recursive: true, force: true });
  },
  300_000,
);

test('lets its user read what is installed', async () => {
  const { dockerfile } = renderedOf('manager: dnf\nupgrade: none\ninstall: [extra]\nuser: 10001\n');
  const query = "import rpm; print(*sorted(h['name'] for h in rpm.TransactionSet().dbMatch()))";
  const lines: string[] = [];
  const app = atDigest(scene.repository('golden/app'), await build(dockerfile));

  await build(`FROM app:1\nRUN python3 -c "${query}"\n`, { pins: { 'app:1': app }, onLog: (line) => lines.push(line) });

  expect(lines).toContain('extra other tool');
}, 300_000);

test('upgrades what is a matter of security alone, where that is wanted', async () => {
  const { dockerfile } = renderedOf('manager: dnf\nupgrade: security\nuser: 10001\n');

  const files = await filesOf(scene, await build(dockerfile));

  expect(await installedIn(files)).toEqual(['other 1.0-1', 'tool 1.1-1']);
}, 300_000);

async function offer(rpms: readonly TestRpm[], security: readonly TestRpm[] = []) {
  const advisories = security.length === 0 ? [] : [{ type: 'security' as const, packages: security }];
  publishRepository(archive, '/rpm/', await createRepository(join(folder, 'repo'), { rpms, advisories }, pathOf));
}

async function build(
  dockerfile: string,
  more: Partial<BuildRequest> = {},
  files: Record<string, string> = {},
): Promise<Digest> {
  const source = await scene.context({ Dockerfile: dockerfile, ...files });
  return scene.builder.build({
    ...{ ...source, platform: 'linux/amd64', pins: { 'base:1': base }, epoch: 1_700_000_000, fresh: true },
    push: scene.repository('golden/app'),
    ...more,
  });
}

async function installedIn(files: ReadonlyMap<string, Buffer>): Promise<string[]> {
  const read = await rpmReader.read(new Map([[`/${DATABASE}`, files.get(DATABASE)!]]));
  return read!.installed.map(({ name, version }) => `${name} ${version.replace(/^0:/, '')}`).sort();
}
