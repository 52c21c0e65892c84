import { describe, expect, test } from 'vitest';
import { RolloutFile } from '../../src/domain/fleet/settings-rollout.ts';
import { decideRollout, type RolloutMember } from '../../src/domain/rollout.ts';

const now = Date.parse('2026-08-22T12:00:00Z');
const HOUR = 3_600_000;
const digest = `sha256:${'b'.repeat(64)}` as const;
const settings = RolloutFile.parse({ canary: ['acme/shop'], share: ['10%', '50%'], soak: '1d', maxFailing: 1 });
const facts = { digest, urgent: false, now };

const others = (state: RolloutMember['state'], more: Partial<RolloutMember> = {}) =>
  Array.from({ length: 10 }, (_, index): RolloutMember => ({ repository: `acme/s${index}`, state, ...more }));
const canary = (state: RolloutMember['state'], more: Partial<RolloutMember> = {}): RolloutMember => ({
  ...{ repository: 'acme/shop', state },
  ...more,
});
const due = (members: readonly RolloutMember[], how = settings, what = facts) => {
  const { waits } = decideRollout(how, members, what);
  return members
    .filter(({ state }, index) => state === 'wanted' && !waits.has(index))
    .map(({ repository }) => repository);
};

test('canaries come first, and all others wait for them', () => {
  const members = [...others('wanted'), canary('wanted')];
  const { waits, nextAt } = decideRollout(settings, members, facts);

  expect(due(members)).toEqual(['acme/shop']);
  expect(waits.size).toBe(10);
  expect(waits.get(0)).toBe('waits for the canaries, until 2026-08-23 12:00 UTC at least');
  expect(nextAt).toBe(now + 24 * HOUR);
});

test.each(['open', 'merged'] as const)('the first share comes when the canary has been %s for long enough', (state) => {
  expect(due([...others('wanted'), canary(state, { at: now - 23 * HOUR })])).toEqual([]);
  expect(due([...others('wanted'), canary(state, { at: now - 24 * HOUR })])).toHaveLength(1);
});

test('each share waits for the one before, and the order is the same at each look', () => {
  const old = { at: now - 48 * HOUR };
  let members = [...others('wanted'), canary('merged', old)];
  const sizes: number[] = [];
  while (due(members).length > 0) {
    const first = due(members);
    expect(due([...members].reverse()).sort()).toEqual([...first].sort());
    sizes.push(first.length);
    members = members.map((member) =>
      first.includes(member.repository) ? { ...member, state: 'merged', ...old } : member,
    );
  }

  expect(sizes).toEqual([1, 4, 5]);
});

test('other releases begin with others', () => {
  const members = [...others('wanted'), canary('merged', { at: 0 })];
  const firsts = ['a', 'b', 'c', 'd', 'e', 'f'].map(
    (letter) => due(members, settings, { ...facts, digest: `sha256:${letter.repeat(64)}` })[0],
  );

  expect(new Set(firsts).size).toBeGreaterThan(1);
});

test('a canary that cannot be asked is waited for; another that cannot holds up nobody', () => {
  const { waits } = decideRollout(settings, [...others('wanted'), canary('unknown')], facts);
  expect(waits.get(0)).toBe('waits for the canary acme/shop, which could not be asked');
  const unasked = others('unknown').slice(0, 9);
  const last: RolloutMember = { repository: 'acme/s9', state: 'wanted' };
  expect(due([...unasked, last, canary('open', { at: now - 48 * HOUR })])).toEqual(['acme/s9']);
});

describe('when checks fail where it was merged', () => {
  const red = (count: number) =>
    others('merged', { at: 0 }).map((member, index) => ({ ...member, isRed: index < count }));

  test('nobody else gets it, and the reason names them', () => {
    const members = [canary('wanted'), ...red(2)];
    const { waits, nextAt } = decideRollout(settings, members, facts);

    expect(waits.get(0)).toBe(
      'stopped: checks fail in 2 of 10 downstreams that merged it (acme/s0, acme/s1); it goes on when they pass, or after "ingot rollback"',
    );
    expect(nextAt).toBeUndefined();
  });

  test('as many as are allowed stop nothing', () => {
    expect(due([canary('wanted'), ...red(1)])).toEqual(['acme/shop']);
  });

  test('a critical fix stops as well', () => {
    const how = { ...settings, critical: 'skip-soak' as const };

    expect(due([canary('wanted'), ...red(2)], how, { ...facts, urgent: true })).toEqual([]);
  });
});

test('a critical fix goes everywhere at once where that is asked for, and nowhere else', () => {
  const members = [...others('wanted'), canary('wanted')];
  const urgent = { ...facts, urgent: true };

  expect(due(members, { ...settings, critical: 'skip-soak' }, urgent)).toHaveLength(11);
  expect(due(members, settings, urgent)).toHaveLength(1);
});

test('where nobody is a canary the first share begins', () => {
  expect(due(others('wanted'))).toHaveLength(1);
});

test('with nothing but a soak all come at once', () => {
  expect(due(others('wanted'), RolloutFile.parse({}))).toHaveLength(10);
});

test.each([
  [{ share: ['50%', '10%'] }, 'must rise'],
  [{ share: ['0%'] }, 'more than 0%'],
  [{ soak: '1 day' }, 'is no duration'],
  [{ maxFailing: -1 }, 'Too small'],
])('%j is a mistake', (written, message) => {
  expect(RolloutFile.safeParse(written).error?.message).toContain(message);
});
