import { describe, expect, test } from 'vitest';
import type { PlanEntry } from '../../src/domain/plan.ts';
import { findProblems } from '../../src/domain/problems.ts';
import type { Outcome, Run } from '../../src/domain/run.ts';
import { bareRun } from '../support/bare-run.ts';

describe('the runs of an image', () => {
  test.each([
    [[], []],
    [['released'], []],
    [['blocked', 'released'], ['blocked']],
    [['cancelled', 'superseded', 'blocked'], ['blocked']],
    [['released', 'blocked'], []],
    [['failed', 'failed', 'released'], []],
    [['failed', 'failed', 'failed', 'released'], ['failing']],
    [['failed', 'cancelled', 'failed', 'failed'], ['failing']],
    [['unchanged', 'failed', 'failed', 'failed'], []],
  ] as [Outcome[], string[]][])('that ended %j are %j', (outcomes, kinds) => {
    const { problems } = findProblems({ failingAfter: 3, runs: runsOf('base', outcomes) });

    expect(problems.map(({ kind }) => kind)).toEqual(kinds);
  });

  test('are of one group with those of another image that ended for the same reason', () => {
    const reason = (image: string, number: number) => `CVE-2026-${number} in ${image} (sha256:${'a'.repeat(64)})`;
    const runs = new Map([
      ...runsOf('base', ['blocked'], reason('base', 1)),
      ...runsOf('tool', ['blocked'], reason('tool', 2)),
      ...runsOf('web', ['blocked'], 'it runs as root'),
    ]);

    const { problems } = findProblems({ failingAfter: 3, runs });

    expect(problems[0]!.group).toBe(problems[1]!.group);
    expect(problems[2]!.group).not.toBe(problems[0]!.group);
    expect(new Set(problems.map(({ key }) => key)).size).toBe(3);
  });
});

test('a hold for disk space is one problem of the fleet', () => {
  const hold = { kind: 'disk-low', freeBytes: 2 ** 30, neededBytes: 20 * 2 ** 30 } as const;
  const entries = ['a', 'b'].map((image): PlanEntry => ({ image, state: 'held', reasons: [], holds: [hold] }));

  const { problems } = findProblems({ failingAfter: 3, entries });

  expect(problems).toMatchObject([
    { kind: 'disk-low', severity: 'critical', reason: expect.stringMatching(/^1.0 GiB/), link: '/workers' },
  ]);
});

test('freshness, pull requests and definitions say what is wrong, and where', () => {
  const { problems, asked } = findProblems({
    failingAfter: 3,
    definitions: { refused: 'images/base/image.yaml:2:1: unknown key "linee"\nanother' },
    freshness: [{ image: 'base', goal: 'release', goalSeconds: 6 * 3600, seconds: 9 * 3600 }],
    pulls: {
      stuck: [{ repository: 'acme/shop', number: 7, title: 'Bump', days: 9, url: 'https://git.acme.example/7' }],
      unasked: [],
    },
  });

  expect(asked).toEqual(['definitions-refused', 'freshness', 'pull-stuck']);
  expect(problems).toMatchObject([
    { kind: 'definitions-refused', reason: 'images/base/image.yaml:2:1: unknown key "linee"' },
    { kind: 'freshness', image: 'base', reason: 'the goal "release" is 6 h, and it is 9 h' },
    { kind: 'pull-stuck', link: 'https://git.acme.example/7' },
  ]);
});

test('a breach that grows is the same problem', () => {
  const at = (seconds: number) =>
    findProblems({ failingAfter: 3, freshness: [{ image: 'base', goal: 'release', goalSeconds: 60, seconds }] });

  expect(at(7300).problems[0]!.key).toBe(at(99_000).problems[0]!.key);
});

function runsOf(image: string, outcomes: readonly Outcome[], summary = 'why'): ReadonlyMap<string, readonly Run[]> {
  const runs = outcomes.map((outcome, index) =>
    bareRun(image, { id: `01KB00000000000000000000${10 + index}`, outcome, summary }),
  );
  return new Map([[image, runs]]);
}
