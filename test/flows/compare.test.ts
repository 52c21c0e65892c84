import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Inputs, inputsDigest } from '../../src/domain/inputs.ts';
import { atDigest, atTag } from '../../src/domain/reference.ts';
import type { Reason } from '../../src/domain/staleness.ts';
import { compareStep } from '../../src/flows/compare.ts';
import type { ReleaseJob } from '../../src/flows/release.ts';
import { ANNOTATIONS, attachInputs, readTag } from '../../src/flows/releases.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { pushImage, type TestImage } from '../support/images.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const signal = new AbortController().signal;
const now = () => new Date('2026-11-02T00:00:00Z');
let scene: StandingScene;
beforeAll(async () => {
  scene = await startStandingScene();
});
afterAll(() => scene?.stop());

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const inputsOf = (more: Partial<Inputs> = {}): Inputs => ({
  ...{ image: 'base', recipe: '1', platforms: [...PLATFORMS], inputs: [], definition: {} },
  ...more,
});

interface Case {
  readonly release: TestImage;
  readonly candidate: TestImage;
  readonly inputs?: Partial<Inputs>;
  readonly reasons?: readonly Reason[];
  readonly foreign?: boolean;
}

/** A release, and the step that compares a candidate with it. */
async function setUp(name: string, { release, candidate, inputs = {}, reasons = [], foreign = false }: Case) {
  const { registry } = scene;
  const repository = scene.repository(name);
  const staging = scene.repository(`staging/${name}`);
  const version = { [ANNOTATIONS.version]: '12.0.0' };
  const annotations = foreign ? version : { ...version, [ANNOTATIONS.inputs]: inputsDigest(inputsOf()) };
  const released = await pushImage(registry, atTag(repository, '12'), {
    platforms: PLATFORMS,
    ...release,
    annotations,
  });
  const subject = atDigest(repository, released.digest);
  if (!foreign) await attachInputs(registry, subject, inputsOf(), { signal, createdAt: '2026-11-01T00:00:00Z' });
  await pushImage(registry, atTag(staging, 'c'), { platforms: PLATFORMS, ...candidate });
  const digests = (await readTag(registry, atTag(staging, 'c'), { signal }))!.platforms;
  const notes: string[] = [];
  const differs: string[] = [];
  const job = {
    ...{ repository, staging, reasons, notes, differs },
    image: { name, line: '12', platforms: PLATFORMS },
    inputs: inputsOf(inputs),
    candidate: { digests: async () => digests },
  } as unknown as ReleaseJob;
  const read = () => readTag(registry, atTag(repository, '12'), { signal });
  const opened: string[] = [];
  const counting: Registry = {
    ...registry,
    blobStream(reference, blob, call) {
      opened.push(blob.digest);
      return registry.blobStream(reference, blob, call);
    },
  };
  return { end: await compareStep(job, { registry: counting, now }).run(signal), notes, differs, read, opened };
}

const UPDATES = { kind: 'package-updates', updates: [] } as const;
const files = { 'etc/motd': 'hello', 'var/log/dpkg.log': '1' };
const later = '2025-01-01T00:00:00Z';

describe('a candidate', () => {
  test('with other times is unchanged, and its inputs are noted on the release', async () => {
    const inputs = { definition: { Dockerfile: inputsDigest(inputsOf()) } };

    const { end, read } = await setUp('times', { release: { files }, candidate: { files, created: later }, inputs });

    const summary = 'the same content as 12.0.0, only times differ: nothing is published';
    expect(end).toEqual({ outcome: 'unchanged', summary });
    expect((await read())?.inputs).toEqual(inputsOf(inputs));
  });

  test('with other files that do not count is unchanged, and they are named', async () => {
    const candidate = { files: { ...files, 'var/log/dpkg.log': '2' } };

    const { end } = await setUp('volatile', { release: { files }, candidate });

    expect(end).toMatchObject({ outcome: 'unchanged', summary: expect.stringContaining('/var/log/dpkg.log') });
  });

  test('bit by bit the same is unchanged', async () => {
    const { end } = await setUp('equal', { release: { files }, candidate: { files } });

    expect(end).toMatchObject({ summary: 'the same content as 12.0.0: nothing is published' });
  });

  test('with other content from the same inputs goes on, and what differs is named', async () => {
    const candidate = { files: { ...files, 'etc/build-date': 'now' } };

    const { end, notes, differs } = await setUp('loop', {
      release: { files },
      candidate,
      inputs: { requestedAt: later },
    });

    expect(end).toBeUndefined();
    expect(notes).toEqual(['changed since 12.0.0 although its inputs did not: /etc/build-date (added)']);
    expect(differs).toEqual(['/etc/build-date (added)']);
  });

  test('with other content from other inputs, or from newer packages, goes on without a word', async () => {
    const candidate = { files: { ...files, 'etc/motd': 'bye', 'var/lib/dpkg/status': '2' } };
    const release = { files: { ...files, 'var/lib/dpkg/status': '1' } };

    const changed = await setUp('news', { release, candidate, inputs: { recipe: '2' } });
    const updated = await setUp('updates', { release, candidate, reasons: [UPDATES] });

    expect([changed.end, changed.notes, updated.end, updated.notes]).toEqual([undefined, [], undefined, []]);
  });

  test('for newer packages that did not get in, with other content all the same, is named', async () => {
    const candidate = { files: { ...files, 'etc/build-date': 'now' } };

    const { end, notes } = await setUp('no-effect', { release: { files }, candidate, reasons: [UPDATES] });

    expect(end).toBeUndefined();
    expect(notes).toEqual(['changed since 12.0.0 although its inputs did not: /etc/build-date (added)']);
  });

  test('with another folder for logs, and nothing else, is news', async () => {
    const candidate = { files: { ...files, 'var/log/app/': { type: 'directory' } } } as const;

    const { end } = await setUp('folder', { release: { files }, candidate, inputs: { recipe: '2' } });

    expect(end).toBeUndefined();
  });

  test('with another config from other inputs goes on without a look at layers', async () => {
    const [release, candidate] = [{ files }, { files: { ...files, 'etc/motd': 'bye' }, env: ['PATH=/usr/bin'] }];

    const { opened } = await setUp('config', { release, candidate, inputs: { recipe: '2' } });
    const again = await setUp('config-again', { release, candidate });

    expect(opened).toEqual([]);
    expect(again.notes[0]).toContain('/etc/motd, config Env.PATH');
  });

  test('takes the place of a release that is damaged, or that somebody else made', async () => {
    const both = { release: { files }, candidate: { files, created: later } };

    const damaged = await setUp('damaged', { ...both, reasons: [{ kind: 'release-damaged', missing: ['x'] }] });
    const foreign = await setUp('foreign', { ...both, foreign: true });

    expect([damaged.end, foreign.end]).toEqual([undefined, undefined]);
  });
});
