import { describe, expect, test } from 'vitest';
import { applyLayer, type Change, lookup, resolvePath, type TreeEntry } from '../../src/image/tree.ts';

const file: TreeEntry = { type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1 };
const directory: TreeEntry = { ...file, type: 'directory', mode: 0o755, size: 0 };
const link = (linkname: string): TreeEntry => ({ ...file, type: 'symlink', size: 0, linkname });
const add = (path: string, entry: TreeEntry = file): Change => ({ kind: 'add', path, entry });
const treeOf = (...layers: Change[][]) => {
  const tree = new Map<string, TreeEntry>();
  for (const layer of layers) applyLayer(tree, layer);
  return tree;
};
const paths = (...layers: Change[][]) => [...treeOf(...layers).keys()].sort();

describe('laying layers over each other', () => {
  test('a whiteout removes what is below, with all that is in it', () => {
    const below = [add('/a', directory), add('/a/b'), add('/ab')];

    expect(paths(below, [{ kind: 'remove', path: '/a' }])).toEqual(['/ab']);
  });

  test('a whiteout leaves what its own layer adds, before or after it', () => {
    const layer: Change[] = [add('/a/new'), { kind: 'remove', path: '/a' }, add('/a', directory)];

    expect(paths([add('/a', directory), add('/a/old')], layer)).toEqual(['/a', '/a/new']);
  });

  test('an opaque directory hides its old content, not itself', () => {
    const layer: Change[] = [add('/a', directory), { kind: 'opaque', path: '/a' }, add('/a/new')];

    expect(paths([add('/a', directory), add('/a/old'), add('/b')], layer)).toEqual(['/a', '/a/new', '/b']);
  });

  test('a file in place of a directory removes what was in it', () => {
    expect(paths([add('/a', directory), add('/a/b')], [add('/a')])).toEqual(['/a']);
  });

  test('a directory over a directory keeps what is in it', () => {
    expect(paths([add('/a', directory), add('/a/b')], [add('/a', directory)])).toEqual(['/a', '/a/b']);
  });

  test('a file below a symlinked directory lands where the link points', () => {
    const merged = [add('/usr', directory), add('/usr/bin', directory), add('/bin', link('usr/bin'))];

    expect(paths(merged, [add('/bin/tool')])).toContain('/usr/bin/tool');
    expect(paths(merged, [add('/bin/tool')], [{ kind: 'remove', path: '/bin/tool' }])).not.toContain('/usr/bin/tool');
  });

  test('a directory that becomes a symlink in the same layer leads on from there', () => {
    const layer = [add('/b', directory), add('/a', directory), add('/a/one'), add('/a', link('b')), add('/a/two')];

    expect(paths(layer)).toEqual(['/a', '/b', '/b/two']);
  });

  test('a hard link to a symlink of a directory leads on as well', () => {
    const linked: Change = { kind: 'link', path: '/c/to', target: '/a' };
    const layer = [add('/b', directory), add('/a', link('/b')), add('/c', directory), add('/c/one'), linked];

    expect(paths([...layer, add('/c/to/two')])).toContain('/b/two');
  });

  test('a hard link is the file itself', () => {
    const tree = treeOf([add('/a', { ...file, mode: 0o4755 }), { kind: 'link', path: '/b', target: '/a' }]);

    expect(tree.get('/b')).toEqual(tree.get('/a'));
  });
});

describe('looking up a path', () => {
  const tree = treeOf([
    add('/usr/lib/os-release'),
    add('/etc/os-release', link('../usr/lib/os-release')),
    add('/lib', link('usr/lib')),
    add('/absolute', link('/lib/os-release')),
    add('/out', link('../../../usr/lib/os-release')),
    add('/loop', link('pool')),
    add('/pool', link('loop')),
    add('/dangling', link('nowhere')),
  ]);

  test.each(['/usr/lib/os-release', '/etc/os-release', '/lib/os-release', '/absolute', '/out', 'lib/./os-release'])(
    '%s leads to the file',
    (path) => {
      expect(lookup(tree, path)).toBe(tree.get('/usr/lib/os-release'));
    },
  );

  test.each(['/loop', '/dangling', '/nowhere', '/etc/os-release/x'])('%s leads nowhere', (path) => {
    expect(lookup(tree, path)).toBeUndefined();
  });

  test('tells the path without links', () => {
    expect(resolvePath(tree, '/lib/os-release')).toBe('/usr/lib/os-release');
    expect(resolvePath(tree, '/loop')).toBeUndefined();
  });
});
