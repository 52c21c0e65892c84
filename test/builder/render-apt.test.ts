import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { LISTS, SOURCES } from '../../src/domain/dockerfile/render-run.ts';
import { mirroredFiles } from '../../src/domain/packages/mirrored-files.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';
import type { Reference } from '../../src/domain/reference.ts';
import { createPackageStates } from '../../src/image/package-states.ts';
import { exec } from '../../src/lib/exec.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { createArchiveKey, publishSuite, startArchive, type TestArchive } from '../support/apt-archive.ts';
import { type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';
import { APT_ROOT, packRoot } from '../support/debian-root.ts';
import { filesOf, renderedOf } from '../support/rendered-builds.ts';

const SOURCES_LIST = '/etc/apt/sources.list';

/** Of the root alone. */
const BASE_LAYERS = 6;

let scene: BuilderScene;
let archives: readonly TestArchive[];
let http: Http;
let base: Reference & { digest: Digest };
let state: PackageState;

beforeAll(async () => {
  const key = await createArchiveKey(new Date());
  [scene, archives] = await Promise.all([startBuilderScene(), Promise.all([startArchive(), startArchive()])]);
  http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
  const deb = await buildDeb(await mkdtemp(join(scene.folder, 'deb-')));
  for (const archive of archives) {
    const suite = { suite: 'stable', date: new Date(), keys: [key], root: '/debian/' };
    await publishSuite(archive, { ...suite, packages: [{ name: 'tool', version: '1.0-1', deb }] });
  }
  const root = join(scene.folder, 'root.tar');
  await packRoot(root, ['apt', 'dpkg', 'tar', 'libc-bin']);
  base = await scene.image(
    'apt',
    {
      Dockerfile: `${APT_ROOT}COPY key.asc /etc/apt/keyrings/test.asc\nCOPY sources.list ${SOURCES_LIST}\n`,
      'key.asc': Buffer.from(key.armored).toString(),
      'sources.list':
        '# An address that nobody has\ndeb [signed-by=/etc/apt/keyrings/test.asc] http://deb.invalid/debian stable main\n',
    },
    { 'root.tar': root },
  );
  const states = createPackageStates({ registry: createRegistry({ http }), directory: join(scene.folder, 'states') });
  state = await states.state(base, {});
}, 300_000);
afterAll(() => Promise.all([scene?.stop(), http?.close(), ...(archives ?? []).map((archive) => archive.stop())]));

test('an image takes its packages from the mirror of its archive, and keeps no trace of that', async () => {
  const [one, other] = archives;

  const digests = [await build(one!), await build(other!)];

  const files = await filesOf(scene, digests[0]!, BASE_LAYERS);
  expect(files.get('usr/share/tool')?.toString()).toBe('installed');
  expect([...files.keys()].filter((name) => name.includes('etc/apt') || name.includes('lib/apt/lists/'))).toEqual([]);
  expect(digests[1]).toBe(digests[0]);
  expect(one!.requests).toContain('200 /debian/pool/tool.deb');
}, 300_000);

/** As a run does, with the archive as the mirror of what the base names. */
async function build(archive: TestArchive): Promise<Digest> {
  const mirrors = { 'deb.invalid/debian': { url: `${archive.address}debian` } };
  const folder = await mkdtemp(join(scene.folder, 'mirror-'));
  const fetch = createArchiveFetch({ http, directory: join(folder, 'fetched'), retryDelays: [] });
  const readKeyring = () => Promise.reject(new Error('no keyring'));
  const lists = join(folder, 'lists');
  await mkdir(lists);
  await createAptArchives({ fetch, mirrors, readKeyring, now: () => new Date() }).lists([state], lists);
  const mirrored = mirroredFiles(state.files, mirrors);
  for (const [path, text] of Object.entries(mirrored)) {
    await mkdir(join(folder, 'sources', dirname(path)), { recursive: true });
    await writeFile(join(folder, 'sources', path), text);
  }
  const { dockerfile } = renderedOf('install: [tool]\nuser: 10001\n', {}, Object.keys(mirrored));
  const source = await scene.context({ Dockerfile: dockerfile });
  return scene.builder.build({
    ...{ ...source, platform: 'linux/amd64', pins: { 'base:1': base }, epoch: 1_700_000_000, fresh: true },
    folders: { [LISTS]: lists, [SOURCES]: join(folder, 'sources') },
    push: scene.repository('golden/app'),
  });
}

async function buildDeb(folder: string): Promise<Uint8Array> {
  const control =
    'Package: tool\nVersion: 1.0-1\nArchitecture: amd64\nMaintainer: Nobody <nobody@example.org>\nDescription: a test\n';
  await mkdir(join(folder, 'tool/DEBIAN'), { recursive: true });
  await mkdir(join(folder, 'tool/usr/share'), { recursive: true });
  await writeFile(join(folder, 'tool/DEBIAN/control'), control);
  await writeFile(join(folder, 'tool/usr/share/tool'), 'installed');
  const { exitCode, stderr } = await exec('dpkg-deb', ['--root-owner-group', '--build', join(folder, 'tool')]);
  if (exitCode !== 0) throw new Error(stderr);
  return readFile(join(folder, 'tool.deb'));
}
