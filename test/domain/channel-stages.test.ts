import { describe, expect, test } from 'vitest';
import {
  channelsAtRelease,
  decideStages,
  explainWait,
  type StageFacts,
  versionsBetween,
} from '../../src/domain/channel-stages.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { Channel, Freeze } from '../../src/domain/fleet/settings-channels.ts';
import type { Mark } from '../../src/domain/marks.ts';

const NOW = '2026-03-10T12:00:00.000Z';
const HOUR = 3600;
const EDGE: Channel = { name: 'edge' };
const STABLE: Channel = { name: 'stable', afterSeconds: 24 * HOUR };
const YEAR_END: Freeze = {
  from: '2026-03-09T00:00:00.000Z',
  until: '2026-03-12T00:00:00.000Z',
  why: 'the fair',
  allowCritical: false,
};

function hoursAgo(hours: number): string {
  return new Date(Date.parse(NOW) - hours * HOUR * 1000).toISOString();
}

function release(version: string, hours: number, change: Partial<StageFacts['releases'][number]> = {}) {
  const digest: Digest = `sha256:${version.replaceAll('.', '').padStart(64, '0')}`;
  return { version, digest, releasedAt: hoursAgo(hours), critical: false, gates: new Map(), ...change };
}

function moved(channel: string, version: string, hours: number): Mark {
  return { kind: 'channel', at: hoursAgo(hours), by: 'ingot', channel, version };
}

function rolledBack(version: string, hours: number): Mark {
  return { ...moved('stable', version, hours), note: 'back' };
}

/** Where the last channel ends up, and what the newest release that is not there waits for. */
function decide(change: Partial<StageFacts>) {
  const facts = {
    ...{ channels: [EDGE, STABLE], freezes: [], releases: [], quarantined: new Set<Digest>(), marks: [], now: NOW },
    current: new Map([['edge', '12.0.9']]),
    ...change,
  };
  const { target, waiting } = decideStages(facts).at(-1)!;
  const [newest] = waiting;
  return { target: target?.version, waits: newest && [newest.release.version, ...newest.waits.map(explainWait)] };
}

describe('a channel with a soak time', () => {
  test.each([
    ['takes a release that has been out for so long', [release('12.0.1', 24)], '12.0.1', undefined],
    [
      'leaves a younger one to soak',
      [release('12.0.1', 23)],
      undefined,
      ['12.0.1', 'soaks until 2026-03-10 13:00 UTC'],
    ],
    [
      'does not make the older one wait again for a newer one',
      [release('12.0.1', 30), release('12.0.2', 2)],
      '12.0.1',
      ['12.0.2', 'soaks until 2026-03-11 10:00 UTC'],
    ],
    [
      'takes the newest of several that have soaked',
      [release('12.0.9', 30), release('12.0.10', 25)],
      '12.0.10',
      undefined,
    ],
  ])('%s', (_name, releases, target, waits) => {
    expect(decide({ releases, current: new Map([['edge', '12.0.10']]) })).toEqual({ target, waits });
  });

  test('counts from when the stage before had it, where the log tells', () => {
    const releases = [release('12.0.1', 30)];

    expect(decide({ releases, marks: [moved('edge', '12.0.1', 3)] })).toEqual({
      target: undefined,
      waits: ['12.0.1', 'soaks until 2026-03-11 09:00 UTC'],
    });
  });

  test('waits for the stage before, which may be frozen or turned back', () => {
    const current = new Map([['edge', '12.0.0']]);

    expect(
      decide({ releases: [release('12.0.1', 30)], current, freezes: [{ ...YEAR_END, channels: ['edge'] }] }),
    ).toEqual({
      target: undefined,
      waits: ['12.0.1', 'comes after it was in edge'],
    });
  });

  test('follows a channel that moves again after its freeze', () => {
    const current = new Map([['edge', '12.0.0']]);
    const facts = {
      channels: [EDGE, STABLE],
      freezes: [],
      quarantined: new Set<Digest>(),
      marks: [],
      now: NOW,
      current,
    };

    const targets = decideStages({ ...facts, releases: [release('12.0.1', 30)] }).map(({ target }) => target?.version);

    expect(targets).toEqual(['12.0.1', '12.0.1']);
  });

  test('is shorter for a fix of a critical vulnerability, if the channel says so', () => {
    const channels = [EDGE, { ...STABLE, afterCriticalSeconds: HOUR }];
    const releases = [release('12.0.1', 2, { critical: true }), release('12.0.2', 2)];

    expect(decide({ channels, releases })).toEqual({
      target: '12.0.1',
      waits: ['12.0.2', 'soaks until 2026-03-11 10:00 UTC'],
    });
  });
});

describe('a channel never moves', () => {
  const releases = [release('12.0.1', 50), release('12.0.2', 40), release('12.0.3', 30)];

  test('backwards', () => {
    const current = new Map([['edge', '12.0.9'], ['stable', '12.0.3']]); // biome-ignore format: a table of two

    expect(decide({ releases, current }).target).toBeUndefined();
  });

  test('onto what is quarantined', () => {
    expect(decide({ releases, quarantined: new Set([releases[2]!.digest]) }).target).toBe('12.0.2');
  });

  test('onto what a rollback left behind, but onto what comes after it', () => {
    const marks = [moved('stable', '12.0.3', 5), rolledBack('12.0.1', 4)];
    const current = new Map([['edge', '12.0.9'], ['stable', '12.0.1']]); // biome-ignore format: a table of two

    expect(decide({ releases, marks, current }).target).toBeUndefined();
    expect(decide({ releases: [...releases, release('12.0.4', 25)], marks, current }).target).toBe('12.0.4');
  });

  test('onto less because of what a process wrote that had slept', () => {
    const marks = [moved('stable', '12.0.2', 5), moved('stable', '12.0.1', 4)];
    const current = new Map([['edge', '12.0.9'], ['stable', '12.0.2']]); // biome-ignore format: a table of two

    expect(decide({ releases, marks, current }).target).toBe('12.0.3');
  });

  test('back onto what was left behind, until a person moved it on by hand', () => {
    const marks = [moved('stable', '12.0.3', 5), rolledBack('12.0.1', 4), moved('stable', '12.0.2', 3)];
    const current = new Map([['edge', '12.0.9'], ['stable', '12.0.2']]); // biome-ignore format: a table of two

    expect(decide({ releases, marks, current }).target).toBeUndefined();
    const last = [...marks, moved('stable', '12.0.3', 2), rolledBack('12.0.2', 1), moved('stable', '12.0.3', 0)];
    expect(decide({ releases: [...releases, release('12.0.4', 25)], marks: last, current }).target).toBe('12.0.4');
  });
});

describe('an approval', () => {
  const releases = [release('12.0.1', 30), release('12.0.2', 30)];
  const approved: Mark = { kind: 'approval', at: hoursAgo(1), by: 'ada', channel: 'stable', version: '12.0.1' };
  const byAnybody = [EDGE, { name: 'stable', approval: {} }];
  const byBen = [EDGE, { name: 'stable', approval: { by: ['ben'] } }];

  test.each([
    ['is waited for', byAnybody, [], undefined, ['12.0.2', 'waits for an approval']],
    ['lets that release in, and no other', byAnybody, [approved], '12.0.1', ['12.0.2', 'waits for an approval']],
    ['counts only from who may', byBen, [approved], undefined, ['12.0.2', 'waits for an approval of ben']],
    [
      'for another channel says nothing',
      byAnybody,
      [{ ...approved, channel: 'edge' }],
      undefined,
      ['12.0.2', 'waits for an approval'],
    ],
    [
      'for other content says nothing',
      byAnybody,
      [{ ...approved, digest: releases[1]!.digest }],
      undefined,
      ['12.0.2', 'waits for an approval'],
    ],
  ])('%s', (_name, channels, marks, target, waits) => {
    expect(decide({ channels, releases, marks })).toEqual({ target, waits });
  });
});

describe('a gate after the release', () => {
  const channels = [EDGE, { name: 'stable', gates: ['canary'] }];

  test.each([
    ['that was not tried yet is waited for', undefined, undefined, ['12.0.1', 'waits for the gate canary']],
    [
      'that failed keeps it out',
      { passed: false, message: 'exit 1' },
      undefined,
      ['12.0.1', 'failed the gate canary: exit 1'],
    ],
    ['that passed lets it in', { passed: true, message: 'passed' }, '12.0.1', undefined],
  ])('%s', (_name, result, target, waits) => {
    const gates = new Map(result === undefined ? [] : [['canary', result]]);

    expect(decide({ channels, releases: [release('12.0.1', 1, { gates })] })).toEqual({ target, waits });
  });
});

describe('a freeze', () => {
  const releases = [release('12.0.1', 30)];
  const frozen = ['12.0.1', 'is frozen out until 2026-03-12 00:00 UTC: the fair'];

  test.each([
    ['of everything holds a channel', YEAR_END, false, undefined, frozen],
    ['of this channel holds it', { ...YEAR_END, channels: ['stable'] }, false, undefined, frozen],
    ['of another channel does not', { ...YEAR_END, channels: ['lts'] }, false, '12.0.1', undefined],
    ['that is over does not', { ...YEAR_END, until: NOW }, false, '12.0.1', undefined],
    ['that is to come does not', { ...YEAR_END, from: '2026-03-11T00:00:00.000Z' }, false, '12.0.1', undefined],
    ['holds a critical fix as well', YEAR_END, true, undefined, frozen],
    ['lets a critical fix through if it says so', { ...YEAR_END, allowCritical: true }, true, '12.0.1', undefined],
    ['lets nothing else through then', { ...YEAR_END, allowCritical: true }, false, undefined, frozen],
  ])('%s', (_name, freeze, critical, target, waits) => {
    expect(decide({ freezes: [freeze], releases: releases.map((each) => ({ ...each, critical })) })).toEqual({
      target,
      waits,
    });
  });

  test('keeps a release from moving a channel without conditions, too', () => {
    const freezes = [{ ...YEAR_END, channels: ['edge'] }];
    const channels = [EDGE, { name: 'nightly' }, STABLE];

    expect(channelsAtRelease({ channels, freezes }, { critical: false, now: NOW })).toEqual(['nightly']);
    expect(channelsAtRelease({ channels, freezes: [] }, { critical: false, now: NOW })).toEqual(['edge', 'nightly']);
  });
});

test.each([
  ['newest first', [], ['12.0.10', '12.0.2', '12.0.1']],
  ['only above where the last channel is', ['12.0.2', '12.0.1'], ['12.0.10', '12.0.2']],
])('versions that may be waiting are those of the line up to the one in use, %s', (_name, oldest, versions) => {
  const tags = ['12', '12.0', '12.0.1', '12.0.2', '12.0.10', '12.1.0', '12.0.3-rc.1', '11.9.9', 'stable'];

  expect(versionsBetween(tags, { line: '12', newest: '12.0.10', oldest })).toEqual(versions);
});
