import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Content,
  type ContentEntry,
  diffContent,
  explainDifference,
  isSameContent,
} from '../../src/domain/content-diff.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { VOLATILE, volatileAt } from '../../src/domain/volatile.ts';

const entry = (more: Partial<ContentEntry> = {}): ContentEntry => ({
  ...{ type: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, digest: digestOf('a') },
  ...more,
});
const content = (files: Record<string, ContentEntry>, config: Content['config'] = {}): Content => ({
  files: new Map(Object.entries(files)),
  config,
});

describe('files', () => {
  test.each([
    ['content', entry({ digest: digestOf('b') })],
    ['mode', entry({ mode: 0o4644 })],
    ['owner', entry({ uid: 1 })],
    ['owner', entry({ gid: 1 })],
    ['attributes', entry({ attributes: { 'security.capability': 'x' } })],
  ])('differ by %s', (aspect, changed) => {
    const { files } = diffContent(content({ '/a': entry() }), content({ '/a': changed }));

    expect(files.changed).toEqual([{ path: '/a', what: [aspect] }]);
  });

  test('differ by attributes that are not known to be the same', () => {
    const capable = () => entry({ attributes: { 'security.capability': '\u0001\uFFFD' } });

    const { files } = diffContent(content({ '/a': capable() }), content({ '/a': capable() }));

    expect(files.changed).toEqual([{ path: '/a', what: ['attributes'] }]);
  });

  test('differ by target of a link, and by type', () => {
    const link = entry({ type: 'symlink', linkname: 'x', size: 0 });
    const { files } = diffContent(
      content({ '/a': link, '/b': link }),
      content({ '/a': { ...link, linkname: 'y' }, '/b': entry() }),
    );

    expect(files.changed).toEqual([
      { path: '/a', what: ['target'] },
      { path: '/b', what: ['type', 'target'] },
    ]);
  });

  test('are added and removed', () => {
    const diff = diffContent(content({ '/old': entry() }), content({ '/new': entry() }));

    expect(diff.files).toMatchObject({ added: ['/new'], removed: ['/old'] });
    expect(explainDifference(diff)).toBe('/new (added), /old (removed)');
    expect(explainDifference(diff, 1)).toBe('/new (added) and 1 more');
  });

  test('that do not count are told apart', () => {
    const before = content({ '/var/log/dpkg.log': entry(), '/tmp/x': entry() });
    const after = content({ '/var/log/dpkg.log': entry({ digest: digestOf('b') }) });

    const diff = diffContent(before, after);

    expect(isSameContent(diff)).toBe(true);
    expect(diff.files.ignored).toEqual(['/tmp/x', '/var/log/dpkg.log']);
  });
});

describe('config', () => {
  test('differs by key, without times, layers and what builders note', () => {
    const config = { Env: ['PATH=/bin', 'A=1'], Labels: { a: 'x' }, Cmd: ['sh'], User: '' };
    const before = { created: '1', rootfs: {}, history: [{ created: '1', created_by: 'x' }], config };
    const after = {
      ...{ created: '2', rootfs: { type: 'layers' }, 'moby.buildkit.buildinfo.v1': 'x' },
      history: [{ created: '2', created_by: 'x' }],
      config: { ...config, Env: ['PATH=/usr/bin', 'A=1'], Labels: { a: 'x', b: '' }, Volumes: null },
    };

    expect(diffContent(content({}, before), content({}, after)).config).toEqual([
      { key: 'Env.PATH', before: '/bin', after: '/usr/bin' },
      { key: 'Labels.b', after: '' },
    ]);
  });
});

test('nothing differs from itself', () => {
  const files = fc.dictionary(
    fc.string().map((name) => `/${name}`),
    fc.record({ mode: fc.nat(0o7777), uid: fc.nat(), digest: fc.string().map(digestOf) }).map(entry),
  );
  const config = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(files, config, (entries, value) => {
      const [one, other] = [content(entries, value), content(structuredClone(entries), structuredClone(value))];

      const { files: found, config: keys } = diffContent(one, other);

      expect([found, keys]).toEqual([{ added: [], removed: [], changed: [], ignored: [] }, []]);
    }),
  );
});

describe('volatile files', () => {
  test.each(['/var/log/apt/term.log', '/var/lib/dpkg/status-old', '/usr/lib/x/__pycache__/y.cpython-311.pyc'])(
    '%s does not count',
    (path) => expect(volatileAt(path)).toBe('files'),
  );

  test.each(['/var/log', '/var/lib/dpkg/status', '/var/lib/dpkg/info/x-old', '/etc/passwd', '/x/run/y', '/opt/y.pyc'])(
    '%s counts',
    (path) => expect(volatileAt(path)).toBeUndefined(),
  );

  test('are files: a folder, a link, a mode or an owner among them counts', () => {
    const log = entry({ mode: 0o640 });
    const before = content({ '/var/log/app': entry({ type: 'directory' }), '/var/log/x': log, '/var/log/y': log });
    const after = content({
      '/run/sshd': entry({ type: 'directory', mode: 0o755 }),
      '/var/log/nginx.log': entry({ type: 'symlink', linkname: '/dev/stdout' }),
      '/var/log/new': entry(),
      '/var/log/x': entry({ mode: 0o666 }),
      '/var/log/y': entry({ mode: 0o640, digest: digestOf('b') }),
      '/tmp/scratch': entry({ type: 'directory' }),
    });

    const { files } = diffContent(before, after);

    expect(files).toEqual({
      added: ['/run/sshd', '/var/log/nginx.log'],
      removed: ['/var/log/app'],
      changed: [{ path: '/var/log/x', what: ['mode'] }],
      ignored: ['/tmp/scratch', '/var/log/new', '/var/log/y'],
    });
  });

  test('are documented, each with its reason', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/diff.md'), 'utf8');

    const rows = VOLATILE.map(({ path, what, why }) => `| \`${path}\` | ${what} | ${why} |`);
    const missing = rows.filter((row) => !text.replace(/ +/g, ' ').includes(row));

    expect(missing).toEqual([]);
  });
});
