import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PIN_FORMATS } from '../../../src/domain/bump/formats.ts';
import { roundTrip } from '../../support/pin-corpus.ts';

const corpus = new URL('../../corpus/', import.meta.url);

/** Formats count as supported with ten files of five repositories that hold pins which move; the rest is experimental. */
const SUPPORTED = ['compose', 'dockerfile', 'github-actions', 'kubernetes', 'other-yaml'];

describe.each(readdirSync(corpus).filter((name) => !name.startsWith('.')))('public files: %s', (id) => {
  const folder = new URL(`${id}/`, corpus);
  const format = PIN_FORMATS.find((each) => each.id === id)!;
  const names = readdirSync(folder).filter((name) => name !== 'SOURCES.md');

  test.each(names)('%s goes there and back', (name) => {
    expect(roundTrip(format, readFileSync(new URL(name, folder))).problems).toEqual([]);
  });

  const sources = readFileSync(new URL('SOURCES.md', folder), 'utf8');
  const rows = sources.split('\n').filter((line) => line.startsWith('| `'));

  test('each has a source', () => {
    expect(rows.map((row) => row.split('`')[1]).sort()).toEqual([...names].sort());
  });

  test.runIf(SUPPORTED.includes(id))('ten of them hold pins that move, from five repositories or more', () => {
    const moved = names.filter((name) => roundTrip(format, readFileSync(new URL(name, folder))).moved > 0);

    expect(moved.length).toBeGreaterThanOrEqual(10);
    expect(new Set(rows.map((row) => row.split('|')[2]!.trim())).size).toBeGreaterThanOrEqual(5);
  });
});
