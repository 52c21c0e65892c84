import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aptReader } from '../../src/domain/packages/deb-files.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createAptArchives } from '../../src/packages/apt.ts';
import { createArchiveFetch } from '../../src/packages/archive-fetch.ts';
import { aptState } from '../support/apt-state.ts';
import { aptUpgrades } from '../support/host-apt.ts';

/** This machine's own packages, sources and keys, as those of an image: hundreds of packages from a real archive. */
async function machineFiles(): Promise<Record<string, Uint8Array>> {
  const folders = ['/etc/apt', '/usr/share/keyrings', '/var/lib/dpkg'];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(folder, { recursive: true }).catch(() => []);
      return names.map((name) => join(folder, name)).filter((path) => aptReader.wanted(path));
    }),
  );
  const contents = found.flat().map(async (path) => ({ path, content: await readFile(path).catch(() => undefined) }));
  const there = await Promise.all(contents);
  return Object.fromEntries(there.flatMap(({ path, content }) => (content === undefined ? [] : [[path, content]])));
}

const files = await machineFiles();
const isDebian = files['/var/lib/dpkg/status'] !== undefined;

describe.skipIf(!isDebian)('updates of this machine', () => {
  test('are those that its own apt would take', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingot-archives-'));
    const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 60_000 });
    const fetch = createArchiveFetch({ http, directory });
    const readKeyring = () => Promise.reject(new Error('none'));
    const archives = createAptArchives({ fetch, mirrors: {}, readKeyring, now: () => new Date() });
    const state = await aptState(files);

    const [updates, expected] = await Promise.all([
      archives.updates(state, {}),
      aptUpgrades(files, state.architecture),
    ]);

    expect(updates.map(({ name, from, to }) => `${name} ${from} ${to}`).sort()).toEqual(expected);
    await Promise.all([http.close(), rm(directory, { recursive: true, force: true })]);
  });
});
