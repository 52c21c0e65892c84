import { expect, test } from 'vitest';
import type { Image } from '../../src/domain/fleet/model.ts';
import { ancestorsOf, childrenOf, descendantsOf, findCycles, parentsFirst } from '../../src/domain/graph.ts';

const nodes = (edges: Record<string, string[]>) => Object.entries(edges).map(([name, parents]) => ({ name, parents }));

test('parents come before children, siblings by name', () => {
  const ordered = parentsFirst(nodes({ a: ['z'], c: [], b: ['a', 'c'], z: [], y: ['c'] }));

  expect(ordered.map(({ name }) => name)).toEqual(['c', 'y', 'z', 'a', 'b']);
});

test('a ring and what hangs on it are left out of the order', () => {
  const ordered = parentsFirst(nodes({ a: ['b'], b: ['a'], c: ['a'], d: ['unknown'] }));

  expect(ordered.map(({ name }) => name)).toEqual(['d']);
});

test('each ring is told once, from its first name', () => {
  expect(findCycles(nodes({ b: ['c'], c: ['a'], a: ['b'], d: ['d'], e: ['a'] }))).toEqual([['a', 'b', 'c'], ['d']]);
});

test('no ring, no report, also in a diamond', () => {
  expect(findCycles(nodes({ top: ['left', 'right'], left: ['root'], right: ['root'], root: [] }))).toEqual([]);
});

test('ancestors, children and descendants follow every input', () => {
  const image = (name: string, ...parents: string[]) =>
    ({
      name,
      inputs: parents.map((golden) => ({ role: 'input', written: `golden/${golden}`, source: { golden } })),
    }) as unknown as Image;
  const images = [image('root'), image('left', 'root'), image('right', 'root'), image('top', 'left', 'right')];

  expect(ancestorsOf('top', images)).toEqual(['left', 'right', 'root']);
  expect(childrenOf('root', images)).toEqual(['left', 'right']);
  expect(descendantsOf('root', images)).toEqual(['left', 'right', 'top']);
});
