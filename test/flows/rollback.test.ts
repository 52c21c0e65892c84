import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import { atDigest, atTag } from '../../src/domain/reference.ts';
import { quarantineOf, standingOf } from '../../src/domain/standing.ts';
import { moveChannels } from '../../src/flows/channel-moves.ts';
import { readMarks } from '../../src/flows/marks.ts';
import { liftQuarantine, quarantineRelease } from '../../src/flows/quarantine.ts';
import { QUARANTINE_TYPE } from '../../src/flows/quarantine-note.ts';
import { childDigests } from '../../src/flows/releases.ts';
import { rollBack } from '../../src/flows/rollback.ts';
import { getArtifact } from '../../src/image/artifact.ts';
import { parseManifest } from '../../src/registry/manifest.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { dying, pushRelease, type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const VERSIONS = ['12.0.0', '12.0.1', '12.0.2'];
const CHANNELS = ['stable', '12.0', '12'];
const signal = new AbortController().signal;
const key = generateKeyPair().privateKey;

let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

/** Three signed releases; every channel is at the last. */
async function setUp(name: string, { unsigned = [] }: { unsigned?: readonly string[] } = {}) {
  const repository = scene.repository(name);
  const attestor = createAttestor({ registry: scene.registry, signer: createKeySigner(key) });
  const digests: Record<string, Digest> = {};
  for (const version of VERSIONS) {
    const digest = await pushRelease(scene.registry, repository, version);
    digests[version] = digest;
    const children = Object.values(await platformsOf(digest));
    for (const each of unsigned.includes(version) ? [] : [digest, ...children]) {
      await attestor.sign(atDigest(repository, each!), { createdAt: '2026-11-01T00:00:00Z' });
    }
  }
  let time = Date.parse('2026-11-02T00:00:00Z');
  const now = () => {
    time += 1000;
    return new Date(time);
  };
  const deps = (registry: Registry = scene.registry) => ({ registry, ledger: scene.ledger, attestor, now });
  const moves = CHANNELS.map((channel) => ({ channel, version: '12.0.2', digest: digests['12.0.2']! }));
  await moveChannels(repository, { moves, by: 'ingot' }, deps(), signal);
  const image = { name, line: '12' } as Image;
  const base = { image, repository, channels: ['stable'], by: 'ada', reason: 'it crashes' };

  async function platformsOf(digest: Digest) {
    return childDigests(parseManifest((await scene.registry.manifest(atDigest(repository, digest)))!.bytes, 'it'));
  }
  async function positions() {
    const heads = CHANNELS.map(async (tag) => {
      const head = await scene.registry.head(atTag(repository, tag));
      return [tag, VERSIONS.find((version) => digests[version] === head?.digest)] as const;
    });
    return Object.fromEntries(await Promise.all(heads));
  }
  return {
    repository,
    digests,
    platformsOf,
    positions,
    deps,
    rollBack: (to?: string, registry?: Registry) => rollBack({ ...base, to }, deps(registry), signal),
    quarantine: (what: string) => quarantineRelease({ ...base, image: name, what }, deps(), signal),
    lift: (what: string) => liftQuarantine({ ...base, image: name, what }, deps(), signal),
    standing: async () => standingOf(await readMarks(scene.registry, repository, {}), '2026-12-01T00:00:00Z'),
  };
}

const at = (version: string) => Object.fromEntries(CHANNELS.map((channel) => [channel, version]));

test('takes every channel back, and quarantines what they leave', async () => {
  const { rollBack: roll, positions, standing, digests, platformsOf } = await setUp('back');

  const end = await roll();

  expect(end).toMatchObject({ version: '12.0.1', digest: digests['12.0.1'], channels: CHANNELS, already: false });
  expect(end.left).toEqual([{ version: '12.0.2', digest: digests['12.0.2'] }]);
  expect(await positions()).toEqual(at('12.0.1'));
  const platforms = await platformsOf(digests['12.0.2']!);
  expect((await standing()).quarantined).toMatchObject([
    { digest: digests['12.0.2'], version: '12.0.2', platforms, by: 'ada', why: 'it crashes' },
  ]);
  expect(quarantineOf(await standing(), { platforms })).toBeDefined();
});

test('a consumer who knows nothing of the log sees it on the image itself', async () => {
  const { rollBack: roll, repository, digests, lift } = await setUp('seen');
  const notes = async () => {
    const subject = atDigest(repository, digests['12.0.2']!);
    const found = await scene.registry.referrers(subject, { artifactType: QUARANTINE_TYPE });
    return found.map(({ annotations }) => annotations?.['io.ingot.quarantine']);
  };
  await roll();
  expect(await notes()).toEqual(['quarantined']);
  const [note] = await scene.registry.referrers(atDigest(repository, digests['12.0.2']!), {
    artifactType: QUARANTINE_TYPE,
  });
  const stored = await getArtifact(scene.registry, atDigest(repository, note!.digest));
  expect(JSON.parse(Buffer.from(stored!.layers[0]!.content).toString())).toMatchObject({
    ...{ state: 'quarantined', by: 'ada', reason: 'it crashes', version: '12.0.2' },
  });

  await lift('12.0.2');

  expect((await notes()).sort()).toEqual(['lifted', 'quarantined']);
});

test('asked for again without a version does nothing more; with one it goes further back', async () => {
  const { rollBack: roll, positions } = await setUp('again');
  await roll();

  expect(await roll()).toMatchObject({ version: '12.0.1', already: true });
  expect(await positions()).toEqual(at('12.0.1'));

  expect(await roll('12.0.0')).toMatchObject({ version: '12.0.0', left: [{ version: '12.0.1' }] });
  expect(await positions()).toEqual(at('12.0.0'));
});

test('only channels that are ahead move', async () => {
  const { rollBack: roll, repository, digests, deps, positions } = await setUp('ahead');
  const move = { channel: 'stable', version: '12.0.0', digest: digests['12.0.0']!, back: true };
  await moveChannels(repository, { moves: [move], by: 'ada' }, deps(), signal);

  await roll();

  expect(await positions()).toEqual({ stable: '12.0.0', '12.0': '12.0.1', '12': '12.0.1' });
});

test('what a killed release had decided on is what is rolled back', async () => {
  const { rollBack: roll, repository, digests, positions } = await setUp('killed-release');
  const stored = await scene.registry.manifest(atDigest(repository, digests['12.0.1']!));
  const { mediaType } = stored!.descriptor;
  await scene.registry.putManifest(atTag(repository, '12'), { mediaType, bytes: stored!.bytes });

  expect(await roll()).toMatchObject({ version: '12.0.1', left: [{ version: '12.0.2' }] });

  expect(await positions()).toEqual(at('12.0.1'));
});

describe('refuses', () => {
  test('a version that is quarantined, and passes over it when none is named', async () => {
    const { rollBack: roll, quarantine, positions } = await setUp('quarantined');
    await quarantine('12.0.1');

    await expect(roll('12.0.1')).rejects.toThrow(
      '12.0.1 is quarantined by ada: it crashes; "ingot unquarantine quarantined 12.0.1" lifts that',
    );
    expect(await positions()).toEqual(at('12.0.2'));
    expect(await roll()).toMatchObject({ version: '12.0.0' });
  });

  test('a version that is not signed on every platform, and moves nothing', async () => {
    const { rollBack: roll, positions, standing } = await setUp('unsigned', { unsigned: ['12.0.1'] });

    await expect(roll()).rejects.toThrow(/signature does not verify/);

    expect(await positions()).toEqual(at('12.0.2'));
    expect((await standing()).quarantined).toEqual([]);
  });

  test('a version of which a platform is gone', async () => {
    const { rollBack: roll, repository, digests, platformsOf, positions } = await setUp('gone');
    const { 'linux/arm64': child } = await platformsOf(digests['12.0.1']!);
    await scene.registry.remove(atDigest(repository, child!));

    await expect(roll()).rejects.toThrow('gone 12.0.1 for linux/arm64 is not in the registry any more');
    expect(await positions()).toEqual(at('12.0.2'));
  });

  test.each([
    ['12.0.9', /has no version 12\.0\.9 in the registry; it has 12\.0\.2, 12\.0\.1, 12\.0\.0/],
    ['stable', /has no version stable/],
    ['12.0.2', /no channel of .* is ahead of 12\.0\.2/],
  ])('the version %s', async (to, message) => {
    const { rollBack: roll } = await setUp(`no-${to}`);

    await expect(roll(to)).rejects.toThrow(message);
  });

  test('when there is nothing before', async () => {
    const { rollBack: roll, quarantine } = await setUp('first');
    await quarantine('12.0.0');
    await quarantine('12.0.1');

    await expect(roll()).rejects.toThrow(/no version of first to go back to: all before 12\.0\.2 are quarantined/);
  });
});

describe('killed at any write', () => {
  // Two marks, three tags, the note on the image.
  const writes = [1, 2, 3, 4, 5, 6].flatMap((nth) => [[nth, 'before'] as const, [nth, 'after'] as const]);

  test.each(writes)('%i, %s it, the same command ends as if nothing had happened', async (nth, when) => {
    const { rollBack: roll, positions, standing, repository, digests } = await setUp(`kill-${nth}-${when}`);

    await expect(roll(undefined, dying(scene.registry, nth, when))).rejects.toThrow('killed');
    await roll();

    expect(await positions()).toEqual(at('12.0.1'));
    expect((await standing()).quarantined.map(({ version }) => version)).toEqual(['12.0.2']);
    const marks = await readMarks(scene.registry, repository, {});
    expect(marks.filter(({ kind }) => kind === 'quarantine')).toHaveLength(1);
    const subject = atDigest(repository, digests['12.0.2']!);
    expect(await scene.registry.referrers(subject, { artifactType: QUARANTINE_TYPE })).toHaveLength(1);
  });
});

describe('quarantine', () => {
  test('moves no channel, and says what is so already', async () => {
    const { quarantine, positions, digests } = await setUp('by-hand');

    expect(await quarantine('12.0.2')).toMatchObject({ version: '12.0.2', changed: true });
    expect(await quarantine(digests['12.0.2']!)).toMatchObject({ version: '12.0.2', changed: false });
    expect(await positions()).toEqual(at('12.0.2'));
  });

  test('takes a digest that is not there, but no version', async () => {
    const { quarantine, standing } = await setUp('unknown');
    const unknown: Digest = `sha256:${'a'.repeat(64)}`;

    await expect(quarantine('12.0.7')).rejects.toThrow(/has no version 12\.0\.7/);
    await quarantine(unknown);

    expect((await standing()).quarantined.map(({ digest }) => digest)).toEqual([unknown]);
  });

  test('is lifted by version or digest, once', async () => {
    const { quarantine, lift, standing } = await setUp('lifted');
    await quarantine('12.0.2');

    await lift('12.0.2');

    expect((await standing()).quarantined).toEqual([]);
    await expect(lift('12.0.2')).rejects.toThrow('12.0.2 of lifted is not quarantined; quarantined is nothing');
  });
});
