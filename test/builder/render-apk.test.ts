import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { LISTS } from '../../src/domain/dockerfile/render-run.ts';
import type { Reference } from '../../src/domain/reference.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createApkArchives } from '../../src/packages/apk.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { type ApkKey, apkState, createApkKey } from '../support/apk-archive.ts';
import { publishApks } from '../support/apk-package.ts';
import { startArchive, type TestArchive } from '../support/apt-archive.ts';
import { BUSYBOX, type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';
import { filesOf, renderedOf } from '../support/rendered-builds.ts';

/** Static builds of apk-tools, which Debian does not have; where there are none, nothing is proved. */
const TOOLS = join(import.meta.dirname, '../../.tools/bin');
const isThere = (version: string) => existsSync(join(TOOLS, `apk-${version}`));
const VERSIONS = ['2.14', '3.0'];

let scene: BuilderScene;
let archive: TestArchive;
let key: ApkKey;

beforeAll(async () => {
  if (!VERSIONS.some(isThere)) return;
  [scene, archive] = await Promise.all([startBuilderScene(), startArchive()]);
  key = createApkKey('test@example.org-1.rsa.pub');
}, 120_000);
afterAll(() => Promise.all([scene?.stop(), archive?.stop()]));

const hello = (version: string) => ({
  ...{ name: 'hello', version, files: { 'usr/share/hello/version': version } },
  afterInstall: 'echo configured > /usr/share/hello/configured',
});
const tool = { name: 'tool', version: '2.0-r0', depends: 'hello', files: { 'usr/bin/tool': 'x' } };

describe.each(VERSIONS)('an image with apk %s', (version) => {
  const proof = test.skipIf(!isThere(version));
  let base: Reference & { digest: Digest };
  const path = `/${version}/`;
  const repository = () => `${archive.address}${version}`;

  beforeAll(async () => {
    if (!isThere(version)) return;
    await publishApks(archive, path, [hello('1.0-r0')], key);
    const files = {
      Dockerfile: `${BUSYBOX}COPY apk /sbin/apk
ENV PATH=/bin:/sbin
RUN ["/bin/busybox", "mkdir", "-p", "/usr/bin", "/var/cache/apk", "/var/log", "/tmp", "/run", "/etc/apk/keys"]
RUN ["/bin/busybox", "--install", "/usr/bin"]
ENV PATH=/usr/bin:/bin:/sbin
COPY key /etc/apk/keys/${key.name}
RUN echo ${repository()} > /etc/apk/repositories && echo x86_64 > /etc/apk/arch
RUN apk --initdb --no-progress add hello && rm -rf /var/cache/apk/* /var/log/apk.log
`,
      key: key.pem.toString(),
    };
    base = await scene.image(`apk-${version}`, files, { apk: join(TOOLS, `apk-${version}`) });
    await publishApks(archive, path, [hello('1.1-r0'), tool], key);
  }, 120_000);

  proof(
    'has what was installed and upgraded, and the same layers each time',
    async () => {
      const { dockerfile } = renderedOf(`manager: apk\ninstall: [tool]\nuser: 10001\n`);
      const lists = await listsOf();
      archive.requests.length = 0;

      const digests = [await build(dockerfile, lists), await build(dockerfile, lists)];

      const files = await filesOf(scene, digests[0]!);
      expect(files.get('usr/share/hello/version')?.toString()).toBe('1.1-r0');
      expect([...files.keys()].filter((name) => /cache\/apk\/.|ingot|apk\.log/.test(name))).toEqual([]);
      expect(scriptTimes(files)).toEqual([1_700_000_000]);
      expect(digests[1]).toBe(digests[0]);
    },
    120_000,
  );

  proof(
    'takes versions from the mounted indexes, whatever the archive has by now',
    async () => {
      const { dockerfile } = renderedOf(`manager: apk\ninstall: [tool]\nuser: 10001\n`);
      const lists = await listsOf();
      await publishApks(archive, path, [hello('1.1-r0'), hello('1.2-r0'), tool], key);
      archive.requests.length = 0;

      const files = await filesOf(scene, await build(dockerfile, lists));

      expect(files.get('usr/share/hello/version')?.toString()).toBe('1.1-r0');
      expect(archive.requests.filter((line) => line.includes('APKINDEX'))).toEqual([]);
    },
    120_000,
  );

  proof(
    'asks its archives itself where the definition adds one, and fails when one is not there',
    async () => {
      const more = `${archive.address}more/${version}`;
      const { dockerfile, files } = renderedOf(
        `manager: apk\ninstall: [extra]\nuser: 10001\nsources: [{ name: more, uri: "${more}", suites: [s], components: [main], keyring: ${key.name} }]\n`,
        { [key.name]: key.pem.toString() },
      );
      await expect(build(dockerfile, undefined, files)).rejects.toMatchObject({ code: 'build-failed' });
      await publishApks(
        archive,
        `/more/${version}/s/main/`,
        [{ name: 'extra', version: '1-r0', files: { 'usr/extra': 'x' } }],
        key,
      );

      const built = await filesOf(scene, await build(dockerfile, undefined, files));

      expect(built.has('usr/extra')).toBe(true);
    },
    120_000,
  );

  async function build(dockerfile: string, lists?: string, files: Record<string, string> = {}): Promise<Digest> {
    const source = await scene.context({ Dockerfile: dockerfile, ...files });
    const pins = { 'base:1': base };
    return scene.builder.build({
      ...{ ...source, platform: 'linux/amd64', pins, epoch: 1_700_000_000, fresh: true },
      ...(lists === undefined ? {} : { folders: { [LISTS]: lists } }),
      push: scene.repository('golden/app'),
    });
  }

  async function listsOf(): Promise<string> {
    const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
    const folder = await mkdtemp(join(scene.folder, 'lists-'));
    const state = await apkState({
      '/lib/apk/db/installed': 'P:hello\nV:1.0-r0\nA:x86_64\n\n',
      '/etc/apk/world': 'hello\n',
      '/etc/apk/arch': 'x86_64\n',
      '/etc/apk/repositories': `${repository()}\n`,
      [`/etc/apk/keys/${key.name}`]: key.pem,
    });
    const fetch = createArchiveFetch({ http, directory: join(scene.folder, 'fetched'), retryDelays: [] });
    const readKeyring = () => Promise.reject(new Error('no keyring'));
    await createApkArchives({ fetch, mirrors: {}, readKeyring, now: () => new Date() }).lists([state], folder);
    await http.close();
    return folder;
  }
});

/** When the scripts that apk keeps were made, as their archive says: 2.14 packs them into `scripts.tar`, 3.0 with gzip. */
function scriptTimes(files: ReadonlyMap<string, Buffer>): number[] {
  const [name, content] = [...files].find(([path]) => /^lib\/apk\/db\/scripts\.tar/.test(path))!;
  const tar = name.endsWith('.gz') ? gunzipSync(content) : content;
  return [Number.parseInt(tar.toString('latin1', 136, 148), 8)];
}
