import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { diffLayers, groupByFolder, nameLayers } from '../../src/domain/image-diff.ts';
import { parseImageName } from '../../src/domain/image-name.ts';
import { placesBelow } from '../../src/domain/places.ts';
import { formatReference } from '../../src/domain/reference.ts';

const layer = (name: string, size = 1) => ({ digest: digestOf(name), size });

test('layers that both begin with are told apart from those above', () => {
  const diff = diffLayers([layer('a', 5), layer('b', 2)], [layer('a', 5), layer('c', 4), layer('b', 2)]);

  expect(diff).toEqual({
    size: { before: 7, after: 11 },
    common: { count: 1, size: 5 },
    before: [layer('b', 2)],
    after: [layer('c', 4), layer('b', 2)],
  });
});

test('layers have the instruction that made them, unless the history does not fit', () => {
  const history = [{ created_by: 'COPY' }, { created_by: 'ENV', empty_layer: true }, { created_by: 'RUN' }];

  expect(nameLayers([layer('a'), layer('b')], history).map(({ createdBy }) => createdBy)).toEqual(['COPY', 'RUN']);
  expect(nameLayers([layer('a')], history)).toEqual([layer('a')]);
  expect(nameLayers([layer('a')], undefined)).toEqual([layer('a')]);
});

describe('files by folder', () => {
  test('are grouped where they are', () => {
    const files = { added: ['/etc/x', '/y'], removed: [], changed: [{ path: '/etc/b/c', what: ['mode'] as const }] };

    expect(groupByFolder({ ...files, ignored: [] })).toEqual([
      { folder: '/', names: ['y (added)'], added: 1, removed: 0, changed: 0 },
      { folder: '/etc', names: ['x (added)'], added: 1, removed: 0, changed: 0 },
      { folder: '/etc/b', names: ['c (mode)'], added: 0, removed: 0, changed: 1 },
    ]);
  });

  test('are grouped less deep when there are too many folders', () => {
    const added = Array.from({ length: 40 }, (_, index) => `/usr/share/doc/p${index}/copyright`);

    const folders = groupByFolder({ added, removed: [], changed: [], ignored: [] });

    expect(folders).toMatchObject([{ folder: '/usr/share/doc', added: 40 }]);
    expect(folders[0]?.names[0]).toBe('p0/copyright (added)');
  });
});

describe('an image by name', () => {
  const images = [{ name: 'python', line: '3.11' }];
  const places = placesBelow({ registry: 'registry.example', path: 'golden' });
  const digest = digestOf('x');

  test.each([
    ['python', 'registry.example/golden/python:3.11'],
    ['python:3.11.4', 'registry.example/golden/python:3.11.4'],
    ['python@3.11.4', 'registry.example/golden/python:3.11.4'],
    [`python@${digest}`, `registry.example/golden/python@${digest}`],
    [`python:3.11.4@${digest}`, `registry.example/golden/python@${digest}`],
    ['debian', 'docker.io/library/debian:latest'],
    ['docker.io/library/python:3.11', 'docker.io/library/python:3.11'],
    [`localhost:5000/x@${digest}`, `localhost:5000/x@${digest}`],
  ])('%s is %s', (text, expected) => {
    expect(formatReference(parseImageName(text, images, places).reference)).toBe(expected);
  });
});
