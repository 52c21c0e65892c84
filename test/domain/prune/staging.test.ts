import { expect, test } from 'vitest';
import { digestOf } from '../../../src/domain/digest.ts';
import { decideStaging, type StagingFacts } from '../../../src/domain/prune/staging.ts';

const candidate = (key: string, created?: string) => {
  return { key, digests: [digestOf(key)], ...(created === undefined ? {} : { created }) };
};
const CANDIDATES = [
  candidate('aaaaaaaaaaaaaaaa', '2026-01-01T00:00:00Z'),
  candidate('bbbbbbbbbbbbbbbb', '2026-01-20T00:00:00Z'),
  candidate('cccccccccccccccc', '2026-01-10T00:00:00Z'),
];
const facts = (change: Partial<StagingFacts> = {}): StagingFacts => {
  const now = '2026-03-01T00:00:00Z';
  return { candidates: CANDIDATES, inUse: new Map(), all: [], seconds: 14 * 86_400, now, ...change };
};
const lines = (given: StagingFacts) =>
  decideStaging(given).map(({ name, goes, why }) => `${name} ${goes ? 'goes' : 'stays'}: ${why.join('; ')}`);

test('old candidates go, and the newest stays', () => {
  expect(lines(facts())).toEqual([
    'candidate bbbbbbbbbbbb stays: the newest candidate',
    'candidate cccccccccccc goes: 50 days old, and not the newest',
    'candidate aaaaaaaaaaaa goes: 59 days old, and not the newest',
  ]);
});

test('young ones stay', () => {
  expect(lines(facts({ now: '2026-01-21T00:00:00Z' }))).toEqual([
    'candidate bbbbbbbbbbbb stays: the newest candidate; 1 day old; candidates stay for 14 days',
    'candidate cccccccccccc stays: 11 days old; candidates stay for 14 days',
    'candidate aaaaaaaaaaaa goes: 20 days old, and not the newest',
  ]);
});

test('the evidence of what is in use stays', () => {
  const [, , last] = lines(facts({ inUse: new Map([['aaaaaaaaaaaaaaaa', 'stable']]) }));

  expect(last).toBe('candidate aaaaaaaaaaaa stays: it became what stable is at, and its evidence repairs that');
});

test('one of unknown age is not old, and not the newest either', () => {
  const given = facts({ candidates: [...CANDIDATES, candidate('dddddddddddddddd')] });

  expect(lines(given).at(-1)).toBe(
    'candidate dddddddddddd stays: nothing tells how old it is; its days are counted from now on',
  );
  expect(lines(given)[0]).toContain('the newest candidate');
});

test('while a run is under way, all stay', () => {
  const decisions = decideStaging(facts({ all: ['a run of base is under way'] }));

  expect(decisions.map(({ goes }) => goes)).toEqual([false, false, false]);
});
