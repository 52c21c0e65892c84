import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { inputsDigest } from '../../src/domain/inputs.ts';
import type { Mark } from '../../src/domain/marks.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { admitStep } from '../../src/flows/admit.ts';
import { addMark } from '../../src/flows/marks.ts';
import type { ReleaseDeps, ReleaseJob } from '../../src/flows/release.ts';
import { readTag } from '../../src/flows/releases.ts';
import { channelsStep, tagStep } from '../../src/flows/tag-steps.ts';
import { pushImage } from '../support/images.ts';
import { pushRelease, type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

/** A signed candidate of the version 12.0.1, and the steps that are left of its run. */
async function setUp(name: string) {
  const { registry, ledger } = scene;
  const repository = scene.repository(name);
  const digest = await pushRelease(registry, repository, '12.0.1-candidate');
  const stored = (await registry.manifest(atDigest(repository, digest)))!;
  const { mediaType } = stored.descriptor;
  const index = async () => ({ digest, mediaType, bytes: stored.bytes, version: '12.0.1', created: '' });
  const inputs = { image: name, recipe: '1', platforms: [], inputs: [], definition: {} };
  const platforms: Record<Platform, Digest> = { 'linux/amd64': digestOf('a'), 'linux/arm64': digestOf('b') };
  const image = { name, line: '12', platforms: PLATFORMS };
  const candidate = { digests: async () => platforms };
  const staging = scene.repository(`staging/${name}`);
  const job = { image, repository, staging, inputs, candidate, reasons: [] } as unknown as ReleaseJob;
  const settings = { channels: [{ name: 'stable' }], freezes: [] };
  const deps = { registry, ledger, settings, now: () => new Date('2026-11-02T00:00:00Z') } as unknown as ReleaseDeps;
  const head = async (tag: string) => (await registry.head(atTag(repository, tag)))?.digest;
  const quarantine = (more: Partial<Mark>) =>
    addMark(
      registry,
      repository,
      {
        kind: 'quarantine',
        at: '2026-11-01T00:00:00.000Z',
        by: 'ada',
        reason: 'it crashes',
        version: '12.0.0',
        ...more,
      },
      {},
    );
  return {
    ...{ registry, repository, digest, platforms, head, quarantine },
    inputs: inputsDigest(inputs),
    admit: admitStep(job, deps),
    tag: tagStep(job, deps, index),
    channels: channelsStep(job, deps, index),
    put: async (tag: string, version: string): Promise<Digest> => {
      const other = await pushRelease(registry, repository, version);
      const { bytes } = (await registry.manifest(atDigest(repository, other)))!;
      await registry.putManifest(atTag(repository, tag), { mediaType, bytes });
      return other;
    },
  };
}

test('a candidate gets its version and its channels', async () => {
  const { tag, channels, head, digest } = await setUp('whole');

  expect(await tag.run(signal)).toBeUndefined();
  expect(await channels.run(signal)).toBeUndefined();

  expect(await Promise.all(['12.0.1', 'stable', '12.0', '12'].map(head))).toEqual(Array(4).fill(digest));
  expect([await tag.isDone(signal), await channels.isDone(signal)]).toEqual([true, true]);
});

test('a version tag that came to be elsewhere is not overwritten, and the next attempt may do better', async () => {
  const { tag, head, put } = await setUp('taken');
  const other = await put('12.0.1', '12.0.9');

  await expect(tag.run(signal)).rejects.toMatchObject({ retryable: true });

  expect(await head('12.0.1')).toBe(other);
});

test('a newer release in use supersedes the run, and stays in use', async () => {
  const { channels, head, put } = await setUp('superseded');
  const newer = await put('12', '12.0.2');

  await expect(channels.run(signal)).rejects.toMatchObject({
    code: 'superseded',
    message: '12 is at 12.0.2 already, which is newer than 12.0.1; nothing was moved back',
  });

  expect(await head('12')).toBe(newer);
});

test('a channel that is ahead stays there, and the end of the run says so', async () => {
  const { channels, head, put, digest } = await setUp('ahead');
  const newer = await put('stable', '13.0.0');

  expect(await channels.run(signal)).toEqual({
    outcome: 'released',
    summary: 'released as 12.0.1; not everywhere: stable is at 13.0.0 already, which is newer than 12.0.1',
  });

  expect([await head('stable'), await head('12')]).toEqual([newer, digest]);
});

test('what was not quarantined is admitted', async () => {
  const { admit, quarantine } = await setUp('admitted');
  await quarantine({ digest: digestOf('other'), inputs: digestOf('others') });

  expect(await admit.run(signal)).toBeUndefined();
});

test.each([
  ['inputs', (of: Awaited<ReturnType<typeof setUp>>) => ({ digest: digestOf('other'), inputs: of.inputs })],
  ['content', (of: Awaited<ReturnType<typeof setUp>>) => ({ digest: digestOf('other'), platforms: of.platforms })],
])('what is quarantined by its %s ends as blocked, and says what lifts it', async (by, bad) => {
  const of = await setUp(`by-${by}`);
  await of.quarantine(bad(of));

  const blocked = {
    outcome: 'blocked',
    summary: `the same content as 12.0.0, which ada quarantined: it crashes; "ingot unquarantine by-${by} 12.0.0" lifts it`,
  };
  expect(await of.admit.run(signal)).toEqual(blocked);
  expect(await of.tag.run(signal)).toEqual(blocked);
  expect(await of.head('12.0.1')).toBeUndefined();
});

test.each([
  ['ends as blocked', 'the same', 'blocked'],
  ['is admitted with another file', 'another', undefined],
])('what was quarantined, built again from other inputs with other times, %s', async (_, content, outcome) => {
  const name = `alike-${content.replace(' ', '-')}`;
  const of = await setUp(name);
  const push = async (at: Reference, created: string, text: string) => {
    await pushImage(scene.registry, atTag(at, 'pushed'), {
      platforms: PLATFORMS,
      files: { 'etc/motd': text },
      created,
    });
    const { platforms } = (await readTag(scene.registry, atTag(at, 'pushed'), {}))!;
    return platforms as Record<Platform, Digest>;
  };
  const bad = await push(of.repository, '2026-11-01T00:00:00Z', 'the same');
  await of.quarantine({ digest: digestOf('other'), platforms: bad });
  Object.assign(of.platforms, await push(scene.repository(`staging/${name}`), '2026-11-02T00:00:00Z', content));

  const end = await of.admit.run(signal);

  expect(of.platforms).not.toEqual(bad);
  expect(end?.outcome).toBe(outcome);
  expect(end?.summary ?? '').toContain(
    outcome === undefined ? '' : 'the same content as 12.0.0, which ada quarantined',
  );
});

test('what is quarantined while its run is under way gets neither version nor channel', async () => {
  const { quarantine, digest, tag, channels, head } = await setUp('meanwhile');
  await quarantine({ digest });

  expect(await tag.run(signal)).toMatchObject({ outcome: 'blocked' });
  expect(await channels.run(signal)).toMatchObject({ outcome: 'blocked' });

  expect([await head('12.0.1'), await head('12')]).toEqual([undefined, undefined]);
});
