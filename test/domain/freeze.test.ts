import { expect, test } from 'vitest';
import type { Freeze } from '../../src/domain/fleet/settings-channels.ts';
import { freezeHold } from '../../src/domain/freeze.ts';
import type { Mark } from '../../src/domain/marks.ts';
import type { Reason } from '../../src/domain/staleness.ts';

const NOW = '2026-12-24T12:00:00.000Z';
const FREEZE: Freeze = {
  from: '2026-12-20T00:00:00.000Z',
  until: '2027-01-05T00:00:00.000Z',
  why: 'end of the year',
  allowCritical: true,
};
const HELD = { kind: 'frozen', until: FREEZE.until, why: FREEZE.why };
const EMERGENCY: Mark = {
  ...{ kind: 'approval', at: '2026-12-24T11:00:00.000Z', by: 'ada', note: 'emergency', reason: 'it burns' },
  until: '2026-12-25T11:00:00.000Z',
};

function fixable(severity: 'critical' | 'high'): Reason[] {
  return [
    { kind: 'vulnerability-fixable', findings: [{ id: 'CVE-1', severity, source: 'x', installed: '1', fixed: '2' }] },
  ];
}

test.each<[string, Partial<Freeze>, Reason[], Mark[], unknown]>([
  ['a freeze of everything holds an image', {}, [], [], HELD],
  ['a freeze of channels does not', { channels: ['stable'] }, [], [], undefined],
  ['a fix of a high vulnerability is held', {}, fixable('high'), [], HELD],
  ['a fix of a critical one goes on', {}, fixable('critical'), [], undefined],
  ['unless the freeze allows none', { allowCritical: false }, fixable('critical'), [], HELD],
  ['an emergency goes through', {}, [], [EMERGENCY], undefined],
  ['for as long as was said', {}, [], [{ ...EMERGENCY, until: NOW }], HELD],
  ['one for a channel is none for the image', {}, [], [{ ...EMERGENCY, channel: 'stable' }], HELD],
  ['an approval is no emergency', {}, [], [{ ...EMERGENCY, note: undefined }], HELD],
])('%s', (_name, change, reasons, marks, hold) => {
  expect(freezeHold([{ ...FREEZE, ...change }], { reasons, marks, now: NOW })).toEqual(hold);
});

test('of two freezes at once the one that ends last is named', () => {
  const longer = { ...FREEZE, until: '2027-02-01T00:00:00.000Z', why: 'a move' };

  expect(freezeHold([longer, FREEZE], { reasons: [], marks: [], now: NOW })?.why).toBe('a move');
});
