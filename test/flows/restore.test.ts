import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { atDigest, atTag, repositoryOf } from '../../src/domain/reference.ts';
import type { Reason } from '../../src/domain/staleness.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { replicateAll, restoreFrom } from '../../src/flows/replicate.ts';
import { rollBack } from '../../src/flows/rollback.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';
import { createReleaseScene } from '../support/release-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const NEWER: readonly Reason[] = [{ kind: 'requested', by: 'ada' }];

let standing: StandingScene;
let http: Http;
let folder: string;
let elsewhere: TestRegistry;
let registry: Registry;
beforeAll(async () => {
  standing = await startStandingScene();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  folder = await mkdtemp(join(tmpdir(), 'ingot-restore-'));
  elsewhere = await startDistribution({ folder });
  registry = createRegistry({ http, limits: { attempts: 1 } });
});
afterAll(async () => {
  await Promise.all([http?.close(), elsewhere?.stop(), standing?.stop()]);
  await rm(folder, { recursive: true, force: true });
});

/** A fleet with a replica, and the same fleet with a registry that is empty. */
function setUp(name: string) {
  const replica = `${elsewhere.address}/${name}`;
  const settings = `replicas: [${replica}]\nchannels: [{ name: stable }]\n`;
  const key = generateKeyPair().privateKey;
  const sceneAt = (path: string) => {
    const base = repositoryOf(standing.repository(path));
    return createReleaseScene({ base, registry, ledger: standing.ledger, settings, key });
  };
  const [lost, anew] = [sceneAt(name), sceneAt(`${name}-anew`)];
  const restore = (parts: Partial<typeof lost.deps> = {}) => {
    return restoreFrom(replica, anew.fleet.images, { ...anew.deps, fleet: anew.fleet, ...parts }, signal);
  };
  return { lost, anew, restore, replicate: () => replicateAll({ ...lost.deps, fleet: lost.fleet }, signal) };
}

/** Two releases, of which the second is rolled back, and a replica that has all of it. */
async function makeHistory(name: string) {
  const scenes = setUp(name);
  const { lost, replicate } = scenes;
  const { release: one } = await lost.release('one');
  lost.setTime('2026-03-02T00:00:00Z');
  const { release: two } = await lost.release('two', { reasons: NEWER });
  await replicate();
  const about = { image: lost.image(), repository: lost.repository(), channels: ['stable'], by: 'ada', reason: 'bad' };
  await rollBack(about, lost.deps, signal);
  await replicate();
  return { ...scenes, one, two };
}

test('releases, channels and all that was decided come back, each as it was, and are verified', async () => {
  const { lost, anew, restore, one, two } = await makeHistory('whole');

  const report = await restore();

  expect(report).toMatchObject({ problems: [], copied: [{ version: '12.0.0' }, { version: '12.0.1' }] });
  expect(report.moved.map(({ channel }) => channel)).toEqual(['stable', '12.0', '12']);
  const marks = await readMarks(registry, anew.repository(), { signal });
  expect(marks).toEqual(await readMarks(registry, lost.repository(), { signal }));
  expect(marks.map(({ kind }) => kind)).toContain('quarantine');
  const at = async (tag: string) => (await registry.head(atTag(anew.repository(), tag)))?.digest;
  expect(await Promise.all(['stable', '12', '12.0.0', '12.0.1'].map(at))).toEqual([
    one.digest,
    one.digest,
    one.digest,
    two.digest,
  ]);
  for (const subject of [one.digest, ...Object.values(one.platforms), two.digest]) {
    const found = await anew.deps.attestor.verify(atDigest(anew.repository(), subject!));
    expect(found).toMatchObject({ bundle: 'valid', legacy: 'valid' });
  }
});

test('done once more, it writes nothing, and takes back nothing that was released since', async () => {
  const { anew, restore } = await makeHistory('again');
  await restore();
  const written: string[] = [];
  const onRequest = ({ method }: { method: string }) => void (['GET', 'HEAD'].includes(method) || written.push(method));
  const again = await restore({ registry: createRegistry({ http, onRequest }) });
  anew.setTime('2026-03-03T00:00:00Z');
  const { release: three } = await anew.release('three', { reasons: NEWER });
  await restore();

  expect([again, written]).toMatchObject([{ problems: [], copied: [], moved: [] }, []]);
  // Of the lost registry, 12.0.1 was given out already
  for (const tag of ['12.0.2', 'stable', '12'])
    expect((await registry.head(atTag(anew.repository(), tag)))?.digest).toBe(three.digest);
});

test('broken off at any write, and done again, it ends as if nothing had happened', async () => {
  const { anew, restore, one } = await makeHistory('broken');
  let breaks = 0;
  for (let writes = 1; ; writes += 3) {
    let left = writes;
    const breaking: Registry = {
      ...registry,
      async putManifest(...args) {
        if (left-- <= 0) throw new Error('the power is gone');
        return registry.putManifest(...args);
      },
    };
    try {
      await restore({ registry: breaking });
      break;
    } catch (error) {
      expect((error as Error).message).toBe('the power is gone');
      breaks++;
    }
    const tags = await registry.tags(anew.repository());
    if (tags.includes('12')) expect(tags).toEqual(expect.arrayContaining(['12.0.0', 'stable']));
  }

  expect(breaks).toBeGreaterThan(2);
  expect((await registry.head(atTag(anew.repository(), '12')))?.digest).toBe(one.digest);
  expect(await restore()).toMatchObject({ problems: [], copied: [], moved: [] });
});
