import { describe, expect, test } from 'vitest';
import type { Waiver } from '../../src/domain/fleet/model.ts';
import { explainVerdict, judge } from '../../src/domain/judge.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy/defaults.ts';
import type { Finding } from '../../src/domain/verdict.ts';
import { candidateFacts, finding, imageConfig, platformFacts } from '../support/candidate-facts.ts';

const now = new Date('2026-08-22T12:00:00Z');

function withFindings(findings: readonly Finding[], previous?: readonly Finding[]) {
  const platforms = [platformFacts('linux/amd64', { findings }), platformFacts('linux/arm64', { findings })];
  const before = previous && { previousFindings: { 'linux/amd64': previous, 'linux/arm64': previous } };
  return candidateFacts({ platforms, ...before });
}

const waiver = (change: Partial<Waiver> = {}): Waiver => ({
  id: 'CVE-1',
  reason: 'not reachable',
  until: '2026-08-22',
  ...change,
});

test('a clean candidate is allowed, and one line says so', () => {
  const verdict = judge(candidateFacts(), DEFAULT_POLICY, [], now);

  expect(verdict).toMatchObject({ allowed: true, blocked: [], warnings: [], waived: [], notes: [] });
  expect(explainVerdict(verdict)).toEqual(['allowed: 9 checks found nothing']);
});

test('a finding on both platforms is one line', () => {
  const verdict = judge(withFindings([finding('CVE-1', 'critical')]), DEFAULT_POLICY, [], now);

  expect(verdict.allowed).toBe(false);
  expect(verdict.blocked).toHaveLength(2);
  expect(explainVerdict(verdict)).toEqual([
    'blocked: vulnerabilities: CVE-1 (critical) in perl 5.36.0-7+deb12u2, fixed in 5.36.0-7+deb12u4 since 2026-08-01 [linux/amd64, linux/arm64]',
  ]);
});

describe('waivers', () => {
  const facts = withFindings([finding('CVE-1', 'critical')]);

  test.each<[string, Waiver, boolean]>([
    ['holds on its last day', waiver(), true],
    ['does not hold the day after', waiver({ until: '2026-08-21' }), false],
    ['limited to the package holds', waiver({ package: 'perl' }), true],
    ['limited to another package does not hold', waiver({ package: 'openssl' }), false],
    ['for another vulnerability does not hold', waiver({ id: 'CVE-2' }), false],
  ])('one that %s', (_name, each, allowed) => {
    expect(judge(facts, DEFAULT_POLICY, [each], now).allowed).toBe(allowed);
  });

  test('an ended one is named in the finding', () => {
    const verdict = judge(facts, DEFAULT_POLICY, [waiver({ until: '2026-08-01' })], now);

    expect(verdict.blocked[0]?.message).toMatch(/; its waiver ended on 2026-08-01$/);
  });

  test('a check is waived by its id, and the reason is shown', () => {
    const root = candidateFacts({
      platforms: [platformFacts('linux/amd64', { config: imageConfig('linux/amd64', { User: '' }) })],
      declared: ['linux/amd64'],
    });
    const verdict = judge(root, DEFAULT_POLICY, [waiver({ id: 'user', until: '2026-12-31' })], now);

    expect(verdict.allowed).toBe(true);
    expect(explainVerdict(verdict)[0]).toMatch(
      /^waived: user: .* \(until 2026-12-31: not reachable\) \[linux\/amd64\]$/,
    );
  });
});

describe('a candidate that is better than the release, though not clean,', () => {
  const [one, two] = [finding('CVE-1', 'critical'), finding('CVE-2', 'critical')];
  const allowed = (facts: ReturnType<typeof withFindings>, settings = DEFAULT_POLICY) =>
    judge(facts, settings, [], now).allowed;

  test('is allowed, and the verdict says why', () => {
    const verdict = judge(withFindings([one], [one, two]), DEFAULT_POLICY, [], now);

    expect(verdict.allowed).toBe(true);
    expect(verdict.blocked).toEqual([]);
    expect(verdict.warnings.map(({ subject, level }) => [subject, level])).toEqual([
      ['CVE-1', 'warn'],
      ['CVE-1', 'warn'],
    ]);
    expect(verdict.notes).toEqual(['not clean, but better than the release in use: CVE-2 gone; CVE-1 in both']);
  });

  test('waits when it brings a blocking finding of its own', () => {
    expect(allowed(withFindings([one, finding('CVE-3', 'critical')], [one, two]))).toBe(false);
  });

  test('waits when nothing is gone', () => {
    expect(allowed(withFindings([one], [one]))).toBe(false);
  });

  test('waits when the same id is in another package', () => {
    expect(allowed(withFindings([{ ...one, source: 'openssl' }], [one, two]))).toBe(false);
  });

  test('waits when something else than a vulnerability blocks', () => {
    const facts = withFindings([one], [one, two]);
    const platforms = facts.platforms.map((each) => ({ ...each, config: imageConfig(each.platform, { User: '' }) }));

    expect(allowed({ ...facts, platforms })).toBe(false);
  });

  test('waits when the rule is off, or there is no release', () => {
    expect(allowed(withFindings([one], [one, two]), { ...DEFAULT_POLICY, unlessBetter: false })).toBe(false);
    expect(allowed(withFindings([one]))).toBe(false);
  });
});
