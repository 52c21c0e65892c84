import { expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { Mark } from '../../src/domain/marks.ts';
import { quarantineOf, type Suspect, standingOf } from '../../src/domain/standing.ts';

const [bad, inputs, amd64, arm64] = [digestOf('bad'), digestOf('inputs'), digestOf('amd64'), digestOf('arm64')];
const platforms = { 'linux/amd64': amd64, 'linux/arm64': arm64 };
const mark: Mark = {
  ...{ kind: 'quarantine', at: '2026-11-01T00:00:00.000Z', by: 'ada', reason: 'it crashes' },
  ...{ digest: bad, inputs, version: '12.0.1', platforms },
};

test.each<[string, Suspect, boolean]>([
  ['its digest', { digest: bad }, true],
  ['the inputs that made it', { inputs }, true],
  ['the same content under another version', { digest: digestOf('x'), platforms }, true],
  ['another digest', { digest: digestOf('x'), inputs: digestOf('y') }, false],
  ['other content', { platforms: { ...platforms, 'linux/arm64': digestOf('x') } }, false],
  ['nothing known', {}, false],
])('a quarantine by %s', (_name, suspect, expected) => {
  const standing = standingOf([mark], '2026-11-02T00:00:00.000Z');

  expect(quarantineOf(standing, suspect)?.version).toBe(expected ? '12.0.1' : undefined);
});

test('a quarantine that was lifted holds nothing', () => {
  const lifted: Mark = { kind: 'unquarantine', at: '2026-11-02T00:00:00.000Z', by: 'ben', digest: bad };

  expect(quarantineOf(standingOf([mark, lifted], '2026-11-03T00:00:00.000Z'), { digest: bad })).toBeUndefined();
});
