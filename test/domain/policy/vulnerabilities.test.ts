import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/domain/policy/defaults.ts';
import { vulnerabilitiesCheck } from '../../../src/domain/policy/vulnerabilities.ts';
import type { Finding } from '../../../src/domain/verdict.ts';
import { candidateFacts, finding, platformFacts } from '../../support/candidate-facts.ts';

const now = new Date('2026-08-22T12:00:00Z');
const settings = {
  ...DEFAULT_POLICY,
  vulnerabilities: {
    ...DEFAULT_POLICY.vulnerabilities,
    high: { level: 'block', leewayDays: 30 },
  },
} as const;

function run(...findings: Finding[]) {
  return vulnerabilitiesCheck.run(
    candidateFacts({ platforms: [platformFacts('linux/amd64', { findings })] }),
    settings,
    now,
  );
}

const fix = (since?: string): Finding['fix'] => ({ state: 'fixed', versions: ['2'], ...(since ? { since } : {}) });

test.each<[string, Finding, string[]]>([
  ['a critical one with a fix blocks at once', finding('CVE-1', 'critical', { fix: fix('2026-08-22') }), ['block']],
  ['a critical one with a fix of unknown age blocks', finding('CVE-1', 'critical', { fix: fix() }), ['block']],
  ['one without a fix is no finding', finding('CVE-1', 'critical', { fix: { state: 'not-fixed', versions: [] } }), []],
  [
    'one that will not be fixed is no finding',
    finding('CVE-1', 'critical', { fix: { state: 'wont-fix', versions: [] } }),
    [],
  ],
  ['within the leeway a blocking one only warns', finding('CVE-1', 'high', { fix: fix('2026-08-20') }), ['warn']],
  ['after the leeway it blocks', finding('CVE-1', 'high', { fix: fix('2026-07-01') }), ['block']],
  ['a fix of unknown age gets no leeway', finding('CVE-1', 'high', { fix: fix() }), ['block']],
  ['within the leeway a warning is not given', finding('CVE-1', 'medium', { fix: fix('2026-08-20') }), []],
  ['after the leeway the warning is given', finding('CVE-1', 'medium', { fix: fix('2026-07-01') }), ['warn']],
  ['a severity that is off is passed over', finding('CVE-1', 'low', { fix: fix('2020-01-01') }), []],
])('%s', (_name, vulnerability, levels) => {
  expect(run(vulnerability).map(({ level }) => level)).toEqual(levels);
});

test('the message says what to update, to what, and since when the fix is there', () => {
  expect(run(finding('CVE-1', 'critical'))[0]).toMatchObject({
    subject: 'CVE-1',
    package: 'perl',
    message: 'CVE-1 (critical) in perl 5.36.0-7+deb12u2, fixed in 5.36.0-7+deb12u4 since 2026-08-01',
  });
});

test('the message says when the leeway ends, or why there is none', () => {
  const messages = run(finding('CVE-1', 'high', { fix: fix('2026-08-20') }), finding('CVE-2', 'high', { fix: fix() }));

  expect(messages[0]!.message).toMatch(/since 2026-08-20; blocks in 28 days$/);
  expect(messages[1]!.message).toMatch(/since when is not known, so that no leeway is given$/);
});
