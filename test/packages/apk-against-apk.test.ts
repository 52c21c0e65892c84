import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createHttp } from '../../src/lib/http.ts';
import { createApkArchives } from '../../src/packages/apk.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { apkDatabase, apkIndexFile, apkState, createApkKey } from '../support/apk-archive.ts';
import { startArchive, type TestArchive } from '../support/apt-archive.ts';

/**
 * Generated images and archives, and what `apk --simulate upgrade` of apk-tools 2.14.10 and 3.0.6 alike said of them;
 * recorded, since Debian has no apk to ask. Packages are `name version [architecture]`.
 */
const Scenes = z.array(
  z.object({
    installed: z.array(z.string()),
    world: z.array(z.string()),
    main: z.array(z.string()),
    second: z.array(z.string()),
    edge: z.array(z.string()),
    upgrades: z.array(z.string()),
  }),
);

const KEY = createApkKey('builder@example.org-1.rsa.pub');
const http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
let archive: TestArchive;
let directory: string;

beforeAll(async () => {
  archive = await startArchive();
  directory = await mkdtemp(join(tmpdir(), 'ingot-apk-'));
});

afterAll(async () => {
  await Promise.all([archive.stop(), http.close(), rm(directory, { recursive: true, force: true })]);
});

describe('what apk would upgrade', () => {
  test('is what apk said', async () => {
    const file = join(import.meta.dirname, '../fixtures/apk/upgrades.json');
    const scenes = Scenes.parse(JSON.parse(await readFile(file, 'utf8')));
    const fetch = createArchiveFetch({ http, directory, retryDelays: [] });
    const readKeyring = () => Promise.reject(new Error('no keyring'));
    const archives = createApkArchives({ fetch, mirrors: {}, readKeyring, now: () => new Date() });

    const answers = scenes.map(async (scene, index) => {
      for (const id of ['main', 'second', 'edge'] as const) {
        const path = `/${index}/${id}/x86_64/APKINDEX.tar.gz`;
        archive.files.set(path, await apkIndexFile(scene[id].map(toPackage), KEY, 'RSA256'));
      }
      const root = `${archive.address}${index}`;
      const state = await apkState({
        '/lib/apk/db/installed': apkDatabase(scene.installed.map(toPackage)),
        '/etc/apk/world': scene.world.join('\n'),
        '/etc/apk/arch': 'x86_64\n',
        '/etc/apk/repositories': `${root}/main\n${root}/second\n@edge ${root}/edge\n`,
        [`/etc/apk/keys/${KEY.name}`]: KEY.pem,
      });
      const updates = await archives.updates(state, {});
      return updates.map(({ name, from, to }) => `${name} ${from} -> ${to}`);
    });

    expect(await Promise.all(answers)).toEqual(scenes.map(({ upgrades }) => upgrades));
    expect(scenes.flatMap(({ upgrades }) => upgrades).length).toBeGreaterThan(100);
  });
});

function toPackage(text: string) {
  const [name = '', version = '', architecture] = text.split(' ');
  return { name, version, ...(architecture === undefined ? {} : { architecture }) };
}
