import { expect, test } from 'vitest';
import { proposalLines } from '../../../src/commands/live/proposal-lines.ts';

test('what was done, what is stuck and what could not be had is told, and what is in order is not', () => {
  const stuck = { kind: 'checks-failing', since: '2026-08-22T02:00:00Z', failing: ['test'] };
  const results = [
    { repository: 'acme/a', action: 'none' },
    { repository: 'acme/b', action: 'unchanged', number: 1, title: 'Bump' },
    { repository: 'acme/c', action: 'unchanged', number: 2, title: 'Bump', message: 'its checks fail: test', stuck },
    { repository: 'acme/d', base: 'release-1', action: 'opened', number: 3, title: 'Bump', troubles: ['no labels'] },
  ];

  expect(proposalLines({ image: 'debian', results })).toEqual([
    'debian: pull request in acme/c unchanged: #2 Bump (its checks fail: test)',
    'debian: pull request in acme/d (release-1) opened: #3 Bump (no labels)',
  ]);
});

test('many that wait for the same are one line, a few are told one by one', () => {
  const waiting = (count: number, message: string) =>
    Array.from({ length: count }, (_, index) => ({ repository: `acme/${index}`, action: 'waiting', message }));
  const results = [...waiting(312, 'waits for the canaries'), ...waiting(1, 'stopped')];

  expect(
    proposalLines({ image: 'debian', results, forecasts: ['312 pull requests at github.com, until about 23:40'] }),
  ).toEqual([
    'debian: pull request in acme/0 waiting (stopped)',
    'debian: 312 pull requests waiting (waits for the canaries)',
    'debian: still to come: 312 pull requests at github.com, until about 23:40',
  ]);
});
