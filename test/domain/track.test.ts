import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseTag, fits, isBelow, nearestTags, type Track, trackLabel } from '../../src/domain/track.ts';

const slim = (range: string): Track => ({ range, suffix: '-slim' });
const plain = (range: string): Track => ({ range, suffix: '' });

const NODE = [
  ...['22', '22-slim', '22.11', '22.11-slim', '22.12-slim', '22.9.0-slim', '22.11.0', '22.11.0-slim', '22.11.0-alpine'],
  ...['20.18.0-slim', '24.1.0-slim', '24-slim', 'lts-slim', 'slim', 'latest', '1f3a9bc', '22.99.0-rc.1-slim'],
];

describe('the highest tag', () => {
  test.each<[string, readonly string[], Track, string | undefined]>([
    ['is compared by number, not by text', NODE, slim('22.x'), '22.11.0-slim'],
    ['of a bare number is within that major', NODE, slim('22'), '22.11.0-slim'],
    ['without a suffix has none', NODE, plain('22.x'), '22.11.0'],
    ['keeps its suffix whatever else is newer', NODE, { range: '22', suffix: '-alpine' }, '22.11.0-alpine'],
    ['of an older major stays there', NODE, slim('20.x'), '20.18.0-slim'],
    ['of several majors is the highest of all', NODE, slim('>=20 <25'), '24.1.0-slim'],
    ['is none when nothing fits', NODE, slim('23.x'), undefined],
    ['is none without tags', [], slim('23.x'), undefined],
    ['is no moving tag, though that be ahead', ['22.12', '22.11.0'], plain('22.x'), '22.11.0'],
    ['is a moving tag where there is nothing else', ['22-slim', '24-slim'], slim('22.x'), '22-slim'],
    ['has two numbers where upstream writes no more', ['16', '16.3', '16.4'], plain('16'), '16.4'],
    ['may have zeros in front of a number', ['24.04', '24.10', '22.04'], plain('~24.04'), '24.04'],
    ['may have a range with zeros in front', ['24.04', '24.10', '22.04'], plain('24.04'), '24.04'],
    ['may begin with v', ['v1.2.3', 'v1.10.0', 'v2.0.0'], plain('1.x'), 'v1.10.0'],
    ['is no pre-release', ['3.13.0', '3.14.0-rc.1', '3.14.0rc1', '3.14.0b2'], plain('3.x'), '3.13.0'],
    ['is no hash', ['1234567', 'abcdef1', '1.0.0'], plain('>=1 <9999999'), '1.0.0'],
    ['has no more than three numbers', ['1.2.3', '1.2.3.4'], plain('1.x'), '1.2.3'],
    ['is no number beyond all bounds', ['1.0.0', '1.99999999999999999.0'], plain('1.x'), '1.0.0'],
    ['of a tilde stays within the minor', ['3.12.1', '3.12.10', '3.13.0'], plain('~3.12'), '3.12.10'],
    ['keeps to upper bounds', ['1.2.0', '1.9.9', '2.0.0'], plain('>=1.2 <2'), '1.9.9'],
  ])('%s', (_name, tags, track, tag) => {
    expect(chooseTag(tags, track)?.tag).toBe(tag);
  });

  const bookworm: Track = { pattern: String.raw`bookworm-(\d{8})-slim`, order: 'number' };
  test.each<[string, readonly string[], Track, string | undefined]>([
    [
      'is the latest day',
      ['bookworm-20251229-slim', 'bookworm-20260112-slim', 'bookworm-20260112'],
      bookworm,
      'bookworm-20260112-slim',
    ],
    ['fits as a whole or not at all', ['old-bookworm-20260112-slim'], bookworm, undefined],
    [
      'is compared group by group',
      ['jammy-20260101.9', 'jammy-20260101.10', 'jammy-20251201.99'],
      { pattern: String.raw`^jammy-(\d+)\.(\d+)$`, order: 'number' },
      'jammy-20260101.10',
    ],
    [
      'with a group more is above one without',
      ['j-2', 'j-2.1', 'j-1.9'],
      { pattern: String.raw`j-(\d+)(?:\.(\d+))?`, order: 'number' },
      'j-2.1',
    ],
    [
      'may be a pre-release where the pattern says so',
      ['1.0.0-rc.2', '1.0.0-rc.10', '0.9.0'],
      { pattern: '(.+)', order: 'semver' },
      '1.0.0-rc.10',
    ],
    ['may be compared as text', ['alpha', 'beta'], { pattern: '([a-z]+)', order: 'text' }, 'beta'],
    [
      'has groups with names, as RE2 writes them',
      ['21.0.4_7-jdk', '21.0.5_11-jdk'],
      { pattern: String.raw`(?P<version>21\.\d+\.\d+)_(?P<build>\d+)-jdk`, order: 'semver' },
      '21.0.5_11-jdk',
    ],
  ])('of a pattern %s', (_name, tags, track, tag) => {
    expect(chooseTag(tags, track)?.tag).toBe(tag);
  });
});

describe('a version beyond the range', () => {
  test.each<[string, Track, string | undefined]>([
    ['is told', slim('22.x'), '24.1.0-slim'],
    ['is not told when the range has the highest', slim('>=20 <25'), undefined],
    ['is told of a minor as well', slim('~22.9'), '24.1.0-slim'],
  ])('%s', (_name, track, newer) => {
    expect(chooseTag(NODE, track)?.newer).toBe(newer);
  });

  test('is told only where it is as precise', () => {
    expect(chooseTag(['22.1.0', '24', '20260101'], plain('22.x'))).toEqual({ tag: '22.1.0' });
  });
});

test.each<[Track, readonly string[]]>([
  [slim('23.x'), ['24.1.0-slim', '24-slim', '22.12-slim']],
  [{ range: '22.11.0', suffix: '-bookworm' }, ['22.11.0-slim', '22.11.0-alpine', '22.11.0']],
  [{ pattern: String.raw`^lts-(\d+)$`, order: 'number' }, ['lts-slim']],
])('where nothing fits %o the nearest are named', (track, nearest) => {
  expect(nearestTags(NODE, track)).toEqual(nearest);
});

test('names of tracks can be no tags, and differ where tracks differ', () => {
  const tracks: Track[] = [
    slim('22.x'),
    plain('22.x'),
    { pattern: 'a-(.*)', order: 'number' },
    { pattern: 'a-(.*)', order: 'text' },
  ];

  expect(new Set(tracks.map(trackLabel)).size).toBe(tracks.length);
  for (const track of tracks) expect(trackLabel(track)).toMatch(/^\{/);
});

const version = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const suffix = fc.constantFrom('', '-slim', '-alpine', '-rc.1', '-slim-2');
const anyTag = fc.oneof(
  fc.tuple(fc.constantFrom('', 'v'), version, suffix).map((parts) => parts.join('')),
  fc.stringMatching(/^[a-f0-9]{7}$/),
  fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,12}$/),
);
const anyTrack: fc.Arbitrary<Track> = fc.oneof(
  fc.record({
    range: fc.constantFrom('12.x', '3', '~3.12', '>=2 <20', '*', '1.x || 7.x', '24.04'),
    suffix: fc.constantFrom('', '-slim'),
  }),
  fc.record({
    pattern: fc.constantFrom(String.raw`v?(\d+)(?:\.(\d+))?.*`, '([a-z]+).*', '(.*)-slim'),
    order: fc.constantFrom<'number' | 'semver' | 'text'>('number', 'semver', 'text'),
  }),
);

describe('always', () => {
  test('the tag is one of those that are there, and never leaves the track', () => {
    fc.assert(
      fc.property(fc.array(anyTag), anyTrack, (tags, track) => {
        const choice = chooseTag(tags, track);
        if (choice === undefined) return;
        expect(tags).toContain(choice.tag);
        expect(fits(choice.tag, track)).toBe(true);
        if ('suffix' in track) expect(choice.tag.replace(/^v?[\d.]+/, '')).toBe(track.suffix);
      }),
    );
  });

  test('the order in which a registry lists tags does not matter, nor that it lists some twice', () => {
    fc.assert(
      fc.property(fc.array(anyTag), anyTrack, fc.infiniteStream(fc.nat()), (tags, track, random) => {
        const shuffled = [...tags, ...tags].map((tag) => ({ tag, at: random.next().value! }));
        const other = shuffled.sort((a, b) => a.at - b.at).map(({ tag }) => tag);

        expect(chooseTag(other, track)).toEqual(chooseTag(tags, track));
      }),
    );
  });

  test('no two tags are equal, none is above and below another, and above is passed on', () => {
    fc.assert(
      fc.property(anyTag, anyTag, anyTag, anyTrack, (a, b, c, track) => {
        expect(isBelow(a, b, track) || isBelow(b, a, track)).toBe(a !== b);
        expect(isBelow(a, b, track) && isBelow(b, a, track)).toBe(false);
        if (isBelow(a, b, track) && isBelow(b, c, track)) expect(isBelow(a, c, track)).toBe(true);
      }),
    );
  });

  test('a tag that was added moves the choice to itself or not at all, and with a pattern only up', () => {
    fc.assert(
      fc.property(fc.array(anyTag), anyTag, anyTrack, (tags, added, track) => {
        const [before, after] = [chooseTag(tags, track), chooseTag([...tags, added], track)];
        if (after?.tag !== added) expect(after?.tag).toBe(before?.tag);
        else if (before !== undefined && 'pattern' in track) expect(isBelow(added, before.tag, track)).toBe(false);
      }),
    );
  });
});
