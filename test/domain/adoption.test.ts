import { describe, expect, test } from 'vitest';
import { type AdoptionFacts, adoptionHold, decideAdoption, foreignTags } from '../../src/domain/adoption.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { Mark } from '../../src/domain/marks.ts';

const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;

function tags(names: readonly string[], own = false) {
  return names.map((tag) => ({ tag, digest: DIGEST, own }));
}

function decide(change: Partial<AdoptionFacts>) {
  const facts = { line: '12', channels: { atOnce: ['edge'], later: ['stable'] }, tags: [], marks: [], ...change };
  const { versions, moves, later, ...rest } = decideAdoption(facts);
  const names = (found: typeof moves) => found.map(({ tag }) => tag);
  return { ...rest, versions: names(versions), moves: names(moves), later: names(later) };
}

describe('adopting a repository', () => {
  test('that others filled counts their versions and names what would move', () => {
    const found = tags(['12', '12.3', '12.3.10', '12.3.9', '11.2.0', '12.3.4-rc.1', 'stable', 'latest', 'edge']);

    expect(decide({ tags: found })).toEqual({
      ...{ versions: ['12.3.9', '12.3.10'], nextVersion: '12.3.11', makes: ['12.3.11'] },
      ...{ moves: ['12', '12.3', 'edge'], later: ['stable'], open: ['12', '12.3', 'edge', 'stable'] },
      leaves: ['11.2.0', '12.3.4-rc.1', 'latest'],
    });
  });

  test('that is empty changes nothing of others', () => {
    expect(decide({})).toEqual({
      ...{ versions: [], moves: [], later: [], leaves: [], open: [], nextVersion: '12.0.0' },
      makes: ['edge', '12.0', '12', '12.0.0'],
    });
  });

  test('leaves ingot’s own tags, and what registries and signers keep, out of it', () => {
    const found = [...tags(['12', '12.0.0'], true), ...tags([`sha256-${'a'.repeat(64)}.sig`, 'ingot-marks'])];

    expect(decide({ tags: found })).toMatchObject({ open: [], leaves: [], nextVersion: '12.0.1' });
  });

  test('goes above a version that only an annotation names', () => {
    expect(decide({ tags: [{ ...tags(['stable'])[0]!, version: '12.7.0' }] }).nextVersion).toBe('12.7.1');
  });

  test('is done once a person said so, for these tags', () => {
    const marks: Mark[] = [{ kind: 'adopted', at: '2026-01-01T00:00:00.000Z', by: 'ada', channel: '12' }];

    expect(decide({ tags: tags(['12', 'stable']), marks }).open).toEqual(['stable']);
  });
});

test('a tag that ingot moved before is its own, whoever moved it since', () => {
  const mark = {
    kind: 'channel',
    at: '2026-01-01T00:00:00.000Z',
    by: 'ingot',
    version: '12.0.0',
    digest: DIGEST,
  } as const;

  expect(foreignTags(tags(['12', 'stable']), [{ ...mark, channel: '12' }])).toEqual(['stable']);
});

test.each([
  ['a release of others is a hold', { foreign: true }, [], { kind: 'not-adopted', tags: ['12'] }],
  [
    'one that a person let ingot move is none',
    { foreign: true },
    [{ kind: 'adopted', at: 'x', by: 'ada', channel: '12' } as Mark],
    undefined,
  ],
  ['a release of ingot is none', {}, [], undefined],
  ['no release is none', undefined, [], undefined],
])('%s', (_name, release, marks, hold) => {
  expect(adoptionHold('12', release, marks)).toEqual(hold);
});
