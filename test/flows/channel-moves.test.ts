import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import { BACK } from '../../src/domain/marks.ts';
import { placesBelow } from '../../src/domain/places.ts';
import { atTag, formatReference, type Reference } from '../../src/domain/reference.ts';
import { finishMoves, moveChannels } from '../../src/flows/channel-moves.ts';
import { addMark, readMarks } from '../../src/flows/marks.ts';
import { readStates } from '../../src/flows/states.ts';
import { dying, pushRelease, type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const CHANNELS = ['stable', '12.0', '12'];
const signal = new AbortController().signal;

let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

/** An image with releases 12.0.0 to 12.0.2, none of them in a channel. */
async function setUp(name: string) {
  const repository = scene.repository(name);
  const digests: Record<string, Digest> = {};
  for (const version of ['12.0.0', '12.0.1', '12.0.2']) {
    digests[version] = await pushRelease(scene.registry, repository, version);
  }
  const deps = { registry: scene.registry, ledger: scene.ledger, now: () => new Date('2026-11-01T00:00:00Z') };
  const moves = (version: string, back: boolean) =>
    CHANNELS.map((channel) => ({ channel, version, digest: digests[version]!, back }));
  return {
    repository,
    digests,
    deps,
    move: (version: string, { back = false, registry = scene.registry } = {}) =>
      moveChannels(repository, { moves: moves(version, back), by: 'ingot' }, { ...deps, registry }, signal),
    positions: async () => Object.fromEntries(await Promise.all(CHANNELS.map((tag) => versionAt(repository, tag)))),
    versionOf: (digest: Digest) => Object.keys(digests).find((version) => digests[version] === digest),
  };
  async function versionAt(at: Reference, tag: string) {
    const head = await scene.registry.head(atTag(at, tag));
    return [tag, Object.keys(digests).find((version) => digests[version] === head?.digest)] as const;
  }
}

const at = (version: string) => Object.fromEntries(CHANNELS.map((channel) => [channel, version]));

test('channels move together, and the log says so once', async () => {
  const { move, positions, repository } = await setUp('together');

  await move('12.0.0');
  const again = await move('12.0.0');

  expect(await positions()).toEqual(at('12.0.0'));
  expect(again.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
  const marks = await readMarks(scene.registry, repository, {});
  expect(marks.map(({ kind, channel, version }) => [kind, channel, version])).toEqual(
    CHANNELS.map((channel) => ['channel', channel, '12.0.0']),
  );
});

test('an older release moves nothing back, unless that is meant', async () => {
  const { move, positions } = await setUp('older');
  await move('12.0.1');

  const refused = await move('12.0.0');
  expect(refused.map((decision) => decision.kind === 'refused' && decision.because)).toEqual(
    Array(3).fill('newer-in-place'),
  );
  expect(await positions()).toEqual(at('12.0.1'));

  await move('12.0.0', { back: true });
  expect(await positions()).toEqual(at('12.0.0'));
});

test('what is quarantined comes into no channel', async () => {
  const { move, positions, repository, digests } = await setUp('quarantined');
  await move('12.0.0');
  const mark = { kind: 'quarantine', at: '2026-11-01T00:10:00.000Z', by: 'ada', reason: 'it crashes' } as const;
  await addMark(scene.registry, repository, { ...mark, digest: digests['12.0.1']! }, {});

  const [decision] = await move('12.0.1');

  expect(decision).toMatchObject({ kind: 'refused', because: 'quarantined' });
  expect(await positions()).toEqual(at('12.0.0'));
});

describe('killed at a write', () => {
  // The mark, then a tag for each channel.
  const cases = [1, 2, 3, 4].flatMap((nth) => [[nth, 'before'] as const, [nth, 'after'] as const]);

  test.each(cases)('%i, %s it, a move forward is as it was or made up for by anybody', async (nth, when) => {
    const { move, positions, repository, deps } = await setUp(`forward-${nth}-${when}`);
    await move('12.0.0');

    await expect(move('12.0.1', { registry: dying(scene.registry, nth, when) })).rejects.toThrow('killed');
    await finishMoves(repository, deps, signal);

    expect(await positions()).toEqual(at(nth === 1 && when === 'before' ? '12.0.0' : '12.0.1'));
  });

  test.each(cases)('%i, %s it, a move back is as it was or made up for by the next release', async (nth, when) => {
    const { move, positions, repository } = await setUp(`back-${nth}-${when}`);
    await move('12.0.1');

    await expect(move('12.0.0', { back: true, registry: dying(scene.registry, nth, when) })).rejects.toThrow('killed');
    const [decision] = await move('12.0.0');

    const isUndone = nth === 1 && when === 'before';
    expect(decision?.kind).toBe(isUndone ? 'refused' : 'done');
    expect(await positions()).toEqual(at(isUndone ? '12.0.1' : '12.0.0'));
    const marks = await readMarks(scene.registry, repository, {});
    expect(marks.filter(({ note }) => note === BACK)).toHaveLength(isUndone ? 0 : 3);
  });
});

test('what a killed process decided on is finished by the next cycle, before it plans', async () => {
  const { move, positions, repository, deps, digests } = await setUp('next-cycle');
  await move('12.0.1');
  const mark = { kind: 'channel', at: '2026-11-01T00:10:00.000Z', by: 'ada', note: BACK, version: '12.0.0' } as const;
  await addMark(scene.registry, repository, { ...mark, digest: digests['12.0.0']!, channels: CHANNELS }, {});
  const images = [{ name: 'next-cycle', line: '12' } as Image];
  const places = placesBelow({ registry: repository.registry, path: 'golden' });
  const looking = { registry: scene.registry, places, now: () => '2026-11-01T00:20:00Z' };
  const finished: string[] = [];
  const finishing = {
    ...looking,
    finishMoves: async (at: Reference) => finished.push(...(await finishMoves(at, deps, signal))),
  };
  const digestIn = async (state: typeof looking) => {
    const { releases } = await readStates(state, images, signal);
    const release = releases.get('next-cycle');
    return release?.state === 'known' ? release.value.digest : undefined;
  };

  expect(await digestIn(looking)).toBe(digests['12.0.1']);
  expect(await positions()).toEqual(at('12.0.1'));
  expect(await digestIn(finishing)).toBe(digests['12.0.0']);
  expect(await positions()).toEqual(at('12.0.0'));
  expect(finished).toEqual(CHANNELS);
  await digestIn(finishing);
  expect(finished).toEqual(CHANNELS);
});

describe('a process that slept', () => {
  const started: ChildProcess[] = [];
  afterAll(() => {
    for (const child of started) child.kill('SIGKILL');
  });

  async function startSleeper(repository: Reference, version: string, digest: Digest, stop: string) {
    const script = join(import.meta.dirname, '..', 'support', 'standing-process.ts');
    const args = [script, 'move', scene.redis, formatReference(repository), version, digest, stop];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    started.push(child);
    const lines: string[] = [];
    const stopping = Promise.withResolvers<void>();
    const reader = createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'stopping') stopping.resolve();
      else lines.push(line);
    });
    await stopping.promise;
    return async () => {
      const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
      child.kill('SIGCONT');
      await ended;
      return JSON.parse(lines[0] ?? 'null') as { kind: string; because?: string }[];
    };
  }

  test.each(['mark', '12.0', '12'])('before its write of %s takes no channel back', async (stop) => {
    const { repository, digests, deps, move, positions } = await setUp(`slept-${stop}`);
    await move('12.0.0');

    const wake = await startSleeper(repository, '12.0.1', digests['12.0.1']!, stop);
    await move('12.0.2');
    const decisions = await wake();

    expect(decisions.map(({ because }) => because)).toEqual(['newer-in-place', 'newer-in-place']);
    expect(await positions()).toEqual(at('12.0.2'));
    expect(await finishMoves(repository, deps, signal)).toEqual([]);
  });

  test('and is killed after its late write is made up for', async () => {
    const { repository, digests, deps, move, positions } = await setUp('slept-killed');
    await move('12.0.2');
    const stored = await scene.registry.manifest({ ...repository, digest: digests['12.0.1']! });
    const { mediaType } = stored!.descriptor;
    await scene.registry.putManifest(atTag(repository, '12'), { mediaType, bytes: stored!.bytes });

    expect(await finishMoves(repository, deps, signal)).toEqual(['12']);

    expect(await positions()).toEqual(at('12.0.2'));
  });
});
