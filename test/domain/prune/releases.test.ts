import { expect, test } from 'vitest';
import { type Digest, digestOf } from '../../../src/domain/digest.ts';
import { BACK, type Mark } from '../../../src/domain/marks.ts';
import { decideReleases, type ReleaseFact, type ReleaseFacts } from '../../../src/domain/prune/releases.ts';

const NOW = '2026-12-31T00:00:00Z';
const at = (version: string): Digest => digestOf(version);

/** Releases of a year, a month apart; 12.0.11 is the newest and in use. */
function facts(
  change: Partial<Omit<ReleaseFacts, 'releases'>> & { releases?: Partial<ReleaseFact>[] } = {},
): ReleaseFacts {
  const releases = Array.from({ length: 12 }, (_, index): ReleaseFact => {
    const version = `12.0.${index}`;
    return {
      digest: at(version),
      platforms: { 'linux/amd64': digestOf(`${version} amd64`) },
      versions: [version],
      tags: index === 11 ? ['12.0', '12'] : [],
      created: `2026-${String(index + 1).padStart(2, '0')}-01T00:00:00Z`,
      ours: true,
      ...change.releases?.[index],
    };
  });
  const retention = { keep: 2, ageSeconds: 180 * 86_400 };
  return { line: '12', marks: [], needs: new Map(), all: [], retention, now: NOW, ...change, releases };
}

function going(given: ReleaseFacts) {
  return decideReleases(given).flatMap(({ goes, name }) => (goes ? [name] : []));
}

const why = (given: ReleaseFacts, version: string) => decideReleases(given).find(({ name }) => name === version)!.why;

test('what goes is beyond the count and beyond the age', () => {
  expect(going(facts())).toEqual(['12.0.6', '12.0.5', '12.0.4', '12.0.3', '12.0.2', '12.0.1', '12.0.0']);
  expect(going(facts({ retention: { keep: 8, ageSeconds: 180 * 86_400 } }))).toEqual([
    '12.0.3',
    '12.0.2',
    '12.0.1',
    '12.0.0',
  ]);
  expect(going(facts({ retention: { keep: 1, ageSeconds: 400 * 86_400 } }))).toEqual([]);
  expect(why(facts(), '12.0.0')).toEqual(['364 days old, with 11 newer ones of its line, and nothing needs it']);
});

const mark = (kind: Mark['kind'], version: string, more: Partial<Mark> = {}): Mark => {
  return { kind, at: '2026-11-01T00:00:00Z', by: 'ada', version, digest: at(version), ...more };
};

test.each<[string, Partial<Omit<ReleaseFacts, 'releases'>> & { releases?: Partial<ReleaseFact>[] }, string]>([
  ['a channel', { releases: [{ tags: ['lts'] }] }, 'lts is at it'],
  [
    'a channel that is about to move back',
    { marks: [mark('channel', '12.0.0', { channel: '12', note: BACK })] },
    '12 is at it',
  ],
  [
    'a pin by digest',
    { needs: new Map([[at('12.0.0'), ['pinned by acme/shop (Dockerfile:1)']]]) },
    'pinned by acme/shop (Dockerfile:1)',
  ],
  [
    'a pin of one platform',
    { needs: new Map([[digestOf('12.0.0 amd64'), ['pinned by acme/shop (Dockerfile:1)']]]) },
    'pinned by acme/shop (Dockerfile:1)',
  ],
  [
    'a pin by version',
    { needs: new Map([['12.0.0', ['pinned by acme/shop (Dockerfile:1)']]]) },
    'pinned by acme/shop (Dockerfile:1)',
  ],
  ['a quarantine', { marks: [mark('quarantine', '12.0.0')] }, 'it is quarantined, and its record is on it'],
  ['somebody else who made it', { releases: [{ ours: false }] }, 'ingot did not make it'],
  ['no age', { releases: [{ created: undefined as never }] }, 'it does not say how old it is'],
  ['what could not be asked', { all: ['acme/shop could not be asked: 503'] }, 'acme/shop could not be asked: 503'],
])('%s keeps a release', (_, change, reason) => {
  const given = facts(change);

  expect(going(given)).not.toContain('12.0.0');
  expect(why(given, '12.0.0')).toContain(reason);
});

test('the release that a rollback would go back to stays, past those that are quarantined', () => {
  const given = facts({ retention: { keep: 1, ageSeconds: 0 }, marks: [mark('quarantine', '12.0.10')] });

  expect(why(given, '12.0.9')).toEqual(['a rollback would go back to it']);
  expect(going(given)).toContain('12.0.8');
});

test('the way back from a release that is quarantined, and that a channel is still at, stays', () => {
  const given = facts({ retention: { keep: 1, ageSeconds: 0 }, marks: [mark('quarantine', '12.0.11')] });

  expect(why(given, '12.0.10')).toEqual(['a rollback would go back to it']);
});

test('the way back from where only the journal has a channel stays', () => {
  const releases = Array.from({ length: 12 }, () => ({ tags: [] }));
  const marks = [mark('channel', '12.0.8', { channel: '12' })];

  expect(why(facts({ releases, marks, retention: { keep: 1, ageSeconds: 0 } }), '12.0.7')).toEqual([
    'a rollback would go back to it',
  ]);
});

test('what has two versions counts as the newer one', () => {
  const releases = Array.from({ length: 12 }, (_, index) => ({
    tags: [],
    ...(index === 11 && { versions: ['12.0.1', '12.0.11'] }),
  }));

  expect(going(facts({ releases, retention: { keep: 1, ageSeconds: 0 } }))[0]).toBe('12.0.10');
});

test('what may still come to a channel stays: after its time there, or an approval', () => {
  const releases = Array.from({ length: 12 }, (_, index) => ({ tags: { 8: ['stable'], 11: ['12'] }[index] ?? [] }));
  const quarantined = mark('quarantine', '12.0.9');
  const given = facts({ releases, marks: [quarantined], staged: ['stable'], retention: { keep: 1, ageSeconds: 0 } });

  expect(why(given, '12.0.10')).toContain('it may still come to stable');
  expect(why(given, '12.0.9').join()).not.toContain('may still come');
  expect(going(given)[0]).toBe('12.0.6');
});

test('each line keeps its own newest', () => {
  const old = { versions: ['11.0.7'], tags: [] };

  expect(going(facts({ releases: [old], retention: { keep: 1, ageSeconds: 180 * 86_400 } }))).not.toContain('11.0.7');
});
