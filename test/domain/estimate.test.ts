import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { estimate, learnDurations } from '../../src/domain/estimate.ts';
import type { Platform } from '../../src/domain/platform.ts';
import type { Run, StepRecord } from '../../src/domain/run.ts';

const AMD: Platform = 'linux/amd64';
const ARM: Platform = 'linux/arm64';
const START = Date.parse('2026-11-01T00:00:00Z');

/** A run whose builds took so many seconds, and its release so many after them. */
function run(image: string, builds: Readonly<Record<string, number>>, release = 0, rest: Partial<Run> = {}): Run {
  const steps = Object.entries(builds).map(
    ([platform, seconds]): StepRecord => ({
      name: 'build',
      platform: platform as Platform,
      state: 'done',
      startedAt: START,
      endedAt: START + seconds * 1000,
      external: true,
    }),
  );
  const end = Math.max(...Object.values(builds), 0) + release;
  return {
    id: `${image} ${end}`,
    image,
    inputs: digestOf(image),
    reasons: [],
    holds: [],
    platforms: Object.keys(builds) as Platform[],
    startedAt: new Date(START).toISOString(),
    endedAt: new Date(START + end * 1000).toISOString(),
    outcome: 'released',
    steps,
    ...rest,
  };
}

function task(image: string, parents: readonly string[] = [], platforms: readonly Platform[] = [AMD]) {
  return { image, parents, platforms };
}

describe('an estimate', () => {
  test('is not made without any build in the history', () => {
    expect(estimate([task('a')], learnDurations([]))).toBeUndefined();
  });

  test('takes the median of what the image took before', () => {
    const known = learnDurations([run('a', { [AMD]: 10 }), run('a', { [AMD]: 100 }), run('a', { [AMD]: 20 })]);

    expect(estimate([task('a')], known)).toEqual({
      milliseconds: 20_000,
      platforms: [{ platform: AMD, builds: 1, milliseconds: 20_000 }],
      guessed: [],
    });
  });

  test('builds one image of a platform after the other, and platforms side by side', () => {
    const known = learnDurations([run('a', { [AMD]: 10, [ARM]: 40 }), run('b', { [AMD]: 20, [ARM]: 30 })]);

    const found = estimate([task('a', [], [AMD, ARM]), task('b', [], [AMD, ARM])], known);

    expect(found?.milliseconds).toBe(70_000);
    expect(found?.platforms.map(({ platform, milliseconds }) => [platform, milliseconds])).toEqual([
      [AMD, 30_000],
      [ARM, 70_000],
    ]);
  });

  test('lets children wait for the release of their parents', () => {
    const known = learnDurations([run('a', { [AMD]: 10 }, 5), run('b', { [AMD]: 20 }, 5)]);

    expect(estimate([task('a'), task('b', ['a'])], known)?.milliseconds).toBe(40_000);
  });

  test('fills the wait of one family with the builds of another', () => {
    const known = learnDurations([
      run('a', { [AMD]: 10 }, 10),
      run('a2', { [AMD]: 10 }, 10),
      run('b', { [AMD]: 10 }, 10),
    ]);

    const found = estimate([task('a'), task('a2', ['a']), task('b')], known);

    expect(found?.milliseconds).toBe(40_000);
  });

  test('releases no more than two at once', () => {
    const known = learnDurations(['a', 'b', 'c'].map((name) => run(name, { [AMD]: 0.001 }, 10)));

    expect(Math.round(estimate([task('a'), task('b'), task('c')], known)!.milliseconds / 1000)).toBe(20);
  });

  test('takes the median of others for what was never built, and says so', () => {
    const known = learnDurations([run('a', { [AMD]: 10, [ARM]: 60 }), run('b', { [AMD]: 30 })]);

    const found = estimate([task('new', [], [AMD, ARM])], known);

    expect(found?.platforms.map(({ milliseconds }) => milliseconds)).toEqual([20_000, 60_000]);
    expect(found?.guessed).toEqual([
      { image: 'new', platform: AMD },
      { image: 'new', platform: ARM },
    ]);
  });

  test('does not learn from a build that was found in staging, nor the release from a run that failed', () => {
    const skipped = run('a', { [AMD]: 10 });
    const found = { ...skipped, steps: skipped.steps.map((step) => ({ ...step, state: 'skipped' as const })) };
    const failed = run('b', { [AMD]: 10 }, 100, { outcome: 'failed' });

    const known = learnDurations([found, failed]);

    expect(known.builds.size).toBe(1);
    expect([...known.releases.keys()]).toEqual(['a']);
  });

  test('counts mirror and smoke tests, which keep the queue busy as well', () => {
    const base = run('a', { [AMD]: 10 });
    const smoke = { ...base.steps[0]!, name: 'smoke', startedAt: START + 10_000, endedAt: START + 14_000 };

    expect(estimate([task('a')], learnDurations([{ ...base, steps: [...base.steps, smoke] }]))?.milliseconds).toBe(
      14_000,
    );
  });
});
