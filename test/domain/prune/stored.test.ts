import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Digest, digestOf, hexOf } from '../../../src/domain/digest.ts';
import { bytesWithout, closureOf, contentOf, inOrderOfRemoval, type Stored } from '../../../src/domain/prune/stored.ts';

const id = (name: string): Digest => digestOf(name);

function stored(name: string, more: Partial<Stored> = {}): [Digest, Stored] {
  return [id(name), { digest: id(name), size: 10, tags: [], blobs: [], children: [], ...more }];
}

const release = new Map([
  stored('index', { tags: ['12.0.0'], children: [id('amd64'), id('arm64')] }),
  stored('amd64', { blobs: [{ digest: id('base layer'), size: 100 }] }),
  stored('arm64', { blobs: [{ digest: id('arm layer'), size: 50 }] }),
  stored('bundle', { subject: id('index') }),
  stored('legacy', { tags: [`sha256-${hexOf(id('amd64'))}.sig`] }),
  stored('list', { tags: [`sha256-${hexOf(id('index'))}`], children: [id('bundle')] }),
  stored('next', { tags: ['12.0.1'], children: [id('amd64')] }),
]);
const names = (digests: Iterable<Digest>) => {
  const all = ['index', 'amd64', 'arm64', 'bundle', 'legacy', 'list', 'next'];
  return [...digests].map((digest) => all.find((name) => id(name) === digest)).sort();
};

test('an index stays with its children, and with all that is attached to either', () => {
  expect(names(closureOf(release, [id('index')]))).toEqual(['amd64', 'arm64', 'bundle', 'index', 'legacy', 'list']);
});

test('a platform that another index has stays, with what is attached to it', () => {
  expect(names(closureOf(release, [id('next')]))).toEqual(['amd64', 'legacy', 'next']);
});

test('what is attached to a platform that was lost stays, too: it may be put back', () => {
  const { [id('amd64')]: _, ...left } = Object.fromEntries(release);

  expect(names(closureOf(new Map(Object.entries(left)) as never, [id('next')]))).toEqual(['legacy', 'next']);
});

test('what names others goes before what it names', () => {
  const order = inOrderOfRemoval(release, [id('list'), id('bundle'), id('arm64'), id('index')]);

  expect(order).toEqual(['index', 'arm64', 'bundle', 'list'].map(id));
});

test('bytes that something else has are not free', () => {
  const gone = contentOf(release, [id('index'), id('amd64'), id('arm64')]);

  expect(bytesWithout(gone, new Set([id('amd64'), id('base layer')]))).toBe(10 + 10 + 50);
});

/** Whatever is in a repository: what stays needs nothing that goes. */
test('nothing that stays ever misses anything', () => {
  const member = fc.record({
    tags: fc.array(fc.constantFrom('12', '12.0.0', ...[0, 1, 2].map((n) => `sha256-${hexOf(id(`${n}`))}`)), {
      maxLength: 2,
    }),
    children: fc.array(fc.nat(9), { maxLength: 3 }),
    subject: fc.option(fc.nat(9), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(member, { maxLength: 10 }), fc.array(fc.nat(9), { maxLength: 4 }), (members, roots) => {
      const all = new Map(
        members.map(({ tags, children, subject }, index) =>
          stored(`${index}`, {
            tags,
            children: children.map((child) => id(`${child}`)),
            ...(subject !== undefined && { subject: id(`${subject}`) }),
          }),
        ),
      );
      const kept = closureOf(
        all,
        roots.map((root) => id(`${root}`)),
      );
      for (const digest of kept) {
        for (const child of all.get(digest)!.children) if (all.has(child)) expect(kept).toContain(child);
      }
      for (const { digest, subject } of all.values()) {
        if (subject !== undefined && kept.has(subject)) expect(kept).toContain(digest);
      }
    }),
  );
});
