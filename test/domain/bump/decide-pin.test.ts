import { describe, expect, test } from 'vitest';
import { decideAdoption } from '../../../src/domain/bump/decide-adoption.ts';
import { decidePin } from '../../../src/domain/bump/decide-pin.ts';
import type { ImageChange, PinVersion } from '../../../src/domain/bump/format.ts';
import { type PinPolicy, parseUpdate } from '../../../src/domain/bump/policy.ts';
import type { Digest } from '../../../src/domain/digest.ts';
import { parseReference } from '../../../src/domain/reference.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(digest) as [Digest, Digest, Digest, Digest];

const change: ImageChange = {
  repository: 'ghcr.io/acme/golden/debian',
  line: '12',
  version: '12.4.0',
  digest: D,
  channels: ['stable'],
  known: new Map([
    [A, { version: '12.3.1' }],
    [B, { version: '12.3.2' }],
  ]),
  releases: [
    { version: '12.4.0', digest: D },
    { version: '12.3.2', digest: B },
    { version: '12.3.1', digest: A },
    { version: '11.9.3', digest: C },
  ],
};

const pinOf = (text: string): PinVersion => {
  const { tag, digest: pinned } = parseReference(`x.example/y${text}`);
  return { ...(tag && { tag }), ...(pinned && { digest: pinned }) };
};
const decide = (text: string, policy: Partial<PinPolicy> = {}, more: Partial<ImageChange> = {}) => {
  const decision = decidePin(pinOf(text), { ...change, policy, ...more });
  if (decision.kind === 'move')
    return `${decision.to.tag ?? ''}${decision.to.digest ? `@${decision.to.digest[7]}` : ''}`;
  return decision.kind === 'leave' ? decision.reason : decision.kind;
};
const update = (text: string) => ({ update: parseUpdate(text)! });

describe('how far a pin goes', () => {
  test.each([
    ['minor', ':12.3.1', '12.4.0'],
    ['minor', ':11.9.1', 'other-line'],
    ['patch', ':12.3.1', '12.3.2'],
    ['patch', `:12.3.1@${A}`, '12.3.2@b'],
    ['patch', `@${A}`, '@b'],
    ['patch', ':12.3.2', 'outside-policy'],
    ['patch', ':12.2.0', 'outside-policy'],
    ['patch', ':12.4.0', 'current'],
    ['major', ':11.9.1', '12.4.0'],
    ['major', ':11', '12'],
    ['major', ':12.3.1', '12.4.0'],
    ['digest-only', `:12@${A}`, '12@d'],
    ['digest-only', `:stable@${A}`, 'stable@d'],
    ['digest-only', `:12.3@${A}`, '12.3@b'],
    ['digest-only', `@${A}`, '@d'],
    ['digest-only', ':12.3.1', 'outside-policy'],
    ['digest-only', `:12.3.1@${A}`, 'outside-policy'],
    ['hold', ':12.3.1', 'held'],
    ['hold', ':12.4.0', 'current'],
    ['~12.3', ':12.3.1', '12.3.2'],
    ['~12.4', ':12.3.1', '12.4.0'],
    ['~11.9', ':11.9.1', '11.9.3'],
    ['~12.5', ':12.3.1', 'outside-policy'],
    ['>=12.3 <12.4', `@${A}`, '@b'],
  ])('%s: %s comes to %s', (policy, pin, expected) => {
    expect(decide(pin, update(policy))).toBe(expected);
  });

  test('an older release that is quarantined is none to go to', () => {
    expect(decide(':12.3.1', update('patch'), { quarantined: [{ digest: B, version: '12.3.2' }] })).toBe(
      'outside-policy',
    );
  });

  test.each(['', 'newest', 'latest', '~', '>=12 <', 'Minor'])('"%s" is no policy', (text) => {
    expect(parseUpdate(text)).toBeUndefined();
  });
});

describe('what floats', () => {
  test.each([
    ['keep', ':latest', 'floating'],
    ['keep', ':12', 'floating'],
    ['keep', '', 'floating'],
    ['pin', ':latest', '12.4.0@d'],
    ['pin', ':12', '12@d'],
    ['pin', ':stable', 'stable@d'],
    ['pin', '', '12.4.0@d'],
    ['pin', `:latest@${A}`, '12.4.0@d'],
    ['pin', ':12.3.1', '12.4.0'],
    ['pin', ':weird', 'unknown-tag'],
  ] as const)('float %s: "%s" comes to %s', (float, pin, expected) => {
    expect(decide(pin, { float })).toBe(expected);
  });
});

describe('a pin that is somewhere special', () => {
  const quarantined = [{ digest: A, version: '12.3.1' }];

  test('ahead of the release is named', () => {
    expect(decide(':12.9.0')).toBe('ahead');
    expect(decide(':12.9.0', update('major'))).toBe('ahead');
  });

  test('on a quarantined release it leaves, also backwards, and says so', () => {
    const bad = { digest: C, version: '12.6.0' };

    expect(decide(':12.6.0', {}, { quarantined: [bad] })).toBe('12.4.0');
    expect(decidePin(pinOf(`@${A}`), { ...change, quarantined })).toMatchObject({
      kind: 'move',
      note: '12.3.1 is quarantined, so that it does not stay there',
    });
  });

  test('on a quarantined release that it may not leave, that is what is told', () => {
    expect(decide(`@${A}`, update('hold'), { quarantined })).toBe('quarantined');
    expect(decide(':12.3.1', update('~12.5'), { quarantined })).toBe('quarantined');
  });

  test('past the end of life it is told what takes its place', () => {
    const ended = [{ line: '12', date: '2026-06-30', successor: 'debian-13', why: 'upstream ends' }];

    expect(decide(':12.4.0', {}, { ended })).toBe('end-of-life');
    expect(decide(':11.9.1', {}, { ended: [{ line: '11', date: '2025-06-30' }] })).toBe('end-of-life');
    expect(decidePin(pinOf(':12.3.1'), { ...change, ended })).toMatchObject({
      kind: 'move',
      note: '12 has not been rebuilt since 2026-06-30 (upstream ends); debian-13 takes its place',
    });
  });

  test('tags that no semver knows do not make it fail', () => {
    expect(decide(':24.04', {}, { line: '24', version: '24.4.0' })).toBe('24.4');
    expect(decide(':99999999999999999999.1')).toBe('other-line');
  });
});

describe('an upstream that a golden image takes the place of', () => {
  const adopts = [{ repository: 'docker.io/library/debian', tag: 'bookworm-slim' }];
  const offer = (text: string, adopt: PinPolicy['adopt']) =>
    decideAdoption(parseReference(text), { ...change, adopts, policy: { adopt } });

  test.each([
    ['debian:12', 'off', undefined],
    ['debian:12', 'report', 'leave'],
    ['debian:12-slim', 'propose', 'move'],
    ['debian:12.5', 'propose', 'move'],
    ['debian:bookworm-slim', 'propose', 'move'],
    ['debian:11', 'propose', undefined],
    ['debian', 'propose', undefined],
    ['alpine:12', 'propose', undefined],
  ] as const)('%s with adopt %s: %s', (text, adopt, expected) => {
    expect(offer(text, adopt)?.kind).toBe(expected);
  });

  test('keeps the form that the place had', () => {
    expect(offer('debian:12', 'propose')).toMatchObject({ reference: 'ghcr.io/acme/golden/debian:12.4.0' });
    expect(offer(`debian:12@${A}`, 'propose')).toMatchObject({
      reference: `ghcr.io/acme/golden/debian:12.4.0@${D}`,
      note: expect.stringContaining('takes the place of debian:12'),
    });
  });
});
