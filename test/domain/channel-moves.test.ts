import { describe, expect, test } from 'vitest';
import { channelPositions } from '../../src/domain/channel-journal.ts';
import { type ChannelTag, decideMoves, unfinishedMoves } from '../../src/domain/channel-moves.ts';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import { BACK, type Mark } from '../../src/domain/marks.ts';

const at = (minute: number) => `2026-11-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
const moved = (minute: number, version: string, more: Partial<Mark> = {}): Mark => {
  const mark = { kind: 'channel', channel: '12', version, digest: digestOf(version) } as const;
  return { ...mark, at: at(minute), by: 'ingot', ...more };
};
const quarantine = (minute: number, version: string): Mark => {
  const mark = { kind: 'quarantine', version, digest: digestOf(version), reason: 'it crashes' } as const;
  return { ...mark, at: at(minute), by: 'ada' };
};
const tagAt = (version: string): [string, ChannelTag] => ['12', { version, digest: digestOf(version) }];
const move = (version: string, back = false) => ({ channel: '12', version, digest: digestOf(version), back });
const wanted = (marks: readonly Mark[]) => channelPositions(marks).get('12')?.version;

describe('the position of a channel', () => {
  test.each<[string, Mark[], string | undefined]>([
    ['is nowhere without a mark', [], undefined],
    ['is that of the last mark', [moved(1, '12.0.0'), moved(2, '12.0.1')], '12.0.1'],
    ['does not go back by a late mark', [moved(1, '12.0.2'), moved(2, '12.0.1')], '12.0.2'],
    ['goes back when that is meant', [moved(1, '12.0.2'), moved(2, '12.0.1', { note: BACK })], '12.0.1'],
    [
      'does not come onto what is quarantined',
      [moved(1, '12.0.1'), quarantine(2, '12.0.2'), moved(3, '12.0.2')],
      '12.0.1',
    ],
    [
      'may come onto what is quarantined no longer',
      [
        moved(1, '12.0.1'),
        quarantine(2, '12.0.2'),
        { ...quarantine(3, '12.0.2'), kind: 'unquarantine' },
        moved(4, '12.0.2'),
      ],
      '12.0.2',
    ],
    ['stays when only a quarantine is said', [moved(1, '12.0.1'), quarantine(2, '12.0.1')], '12.0.1'],
  ])('%s', (_name, marks, expected) => {
    expect(wanted(marks)).toBe(expected);
  });
});

describe('a move', () => {
  test.each<[string, ReturnType<typeof move>, Mark[], [string, ChannelTag][], string]>([
    ['of a channel that is nowhere is made', move('12.0.0'), [], [], 'move'],
    ['forward is made', move('12.0.1'), [moved(1, '12.0.0')], [tagAt('12.0.0')], 'move'],
    ['that was made is done', move('12.0.1'), [moved(1, '12.0.1')], [tagAt('12.0.1')], 'done'],
    ['without its mark is journalled', move('12.0.1'), [], [tagAt('12.0.1')], 'move'],
    ['to less than what is in place is refused', move('12.0.1'), [], [tagAt('12.0.2')], 'newer-in-place'],
    [
      'to less than what is decided upon is refused',
      move('12.0.1'),
      [moved(1, '12.0.2')],
      [tagAt('12.0.0')],
      'newer-in-place',
    ],
    ['back on purpose is made', move('12.0.1', true), [moved(1, '12.0.2')], [tagAt('12.0.2')], 'move'],
    ['onto what is quarantined is refused', move('12.0.1'), [quarantine(1, '12.0.1')], [], 'quarantined'],
    ['back onto what is quarantined too', move('12.0.1', true), [quarantine(1, '12.0.1')], [], 'quarantined'],
    ['over what ingot did not release is made', move('12.0.1'), [], [['12', { digest: digestOf('foreign') }]], 'move'],
  ])('%s', (_name, wish, marks, tags, expected) => {
    const [decision] = decideMoves([wish], marks, new Map(tags));

    expect(decision?.kind === 'refused' ? decision.because : decision?.kind).toBe(expected);
  });

  test('that is refused says why', () => {
    const wish = move('12.0.1');
    const why = (marks: Mark[], tags: [string, ChannelTag][]) => decideMoves([wish], marks, new Map(tags))[0];

    expect(why([quarantine(1, '12.0.1')], [])).toMatchObject({ why: '12.0.1 is quarantined by ada: it crashes' });
    expect(why([], [tagAt('12.0.2')])).toMatchObject({ why: '12 is at 12.0.2 already, which is newer than 12.0.1' });
  });
});

describe('a move that the journal decided upon', () => {
  const rollback = [
    moved(1, '12.0.1'),
    moved(2, '12.0.2'),
    quarantine(3, '12.0.2'),
    moved(3, '12.0.1', { note: BACK }),
  ];

  test.each<[string, Mark[], [string, ChannelTag][], string[]]>([
    ['is finished when the tag shows it', [moved(1, '12.0.1')], [tagAt('12.0.1')], []],
    ['is open when the tag is older', [moved(1, '12.0.1')], [tagAt('12.0.0')], ['12.0.1']],
    ['is open when the tag is missing', [moved(1, '12.0.1')], [], ['12.0.1']],
    ['is open when a rollback did not move the tag', rollback, [tagAt('12.0.2')], ['12.0.1']],
    ['leaves a tag that somebody moved on', [moved(1, '12.0.1')], [tagAt('12.0.7')], []],
    ['leaves a tag that is not ours', [moved(1, '12.0.1')], [['12', { digest: digestOf('foreign') }]], []],
  ])('%s', (_name, marks, tags, expected) => {
    expect(unfinishedMoves(marks, new Map(tags)).map(({ version }) => version)).toEqual(expected);
  });

  test('is open when the tag is where the channel was before, also without a quarantine', () => {
    const marks = [moved(1, '12.0.1'), moved(2, '12.0.2'), moved(3, '12.0.1', { note: BACK })];

    expect(unfinishedMoves(marks, new Map([tagAt('12.0.2')]))).toHaveLength(1);
  });
});

test('a digest is one release: the same version elsewhere says nothing', () => {
  const other: Digest = digestOf('other');
  const [decision] = decideMoves([{ ...move('12.0.1'), digest: other }], [moved(1, '12.0.1')], new Map());

  expect(decision?.kind).toBe('move');
});
