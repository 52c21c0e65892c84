import type { Level, PolicySettings } from '../fleet/model.ts';
import type { Platform } from '../platform.ts';
import type { Finding, PolicyFinding } from '../verdict.ts';
import type { PolicyCheck } from './check.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Vulnerabilities that an update would mend, once the leeway of their severity is over. One without a fix is no
 * finding: nobody could act on it.
 */
export const vulnerabilitiesCheck: PolicyCheck = {
  id: 'vulnerabilities',
  run: ({ platforms }, settings, now) =>
    platforms.flatMap(({ platform, findings }) => judgeFindings(findings, platform, settings, now)),
};

/** The same rule for any list of findings, so that a release can be compared with its candidate. */
export function judgeFindings(
  findings: readonly Finding[],
  platform: Platform,
  settings: PolicySettings,
  now: Date,
): readonly PolicyFinding[] {
  return findings.flatMap((finding) => judgeFinding(finding, platform, settings, now) ?? []);
}

function judgeFinding(
  finding: Finding,
  platform: Platform,
  settings: PolicySettings,
  now: Date,
): PolicyFinding | undefined {
  const { level, leewayDays } = settings.vulnerabilities[finding.severity];
  if (level === 'off' || finding.fix.state !== 'fixed') return undefined;
  const left = leewayLeft(finding.fix.since, leewayDays, now);
  if (left > 0 && level === 'warn') return undefined;
  const effective: Level = left > 0 ? 'warn' : level;
  const { id, severity, source, installed } = finding;
  const what = `${id} (${severity}) in ${source} ${installed}, fixed in ${finding.fix.versions.join(' or ') || 'a newer version'}`;
  return {
    check: 'vulnerabilities',
    level: effective,
    platform,
    subject: id,
    package: source,
    message: `${what}${explainTime(finding.fix.since, leewayDays, left)}`,
  };
}

/** Days until the leeway is over. A fix of unknown age counts as old: leeway is for what is known to be new. */
function leewayLeft(since: string | undefined, leewayDays: number, now: Date): number {
  const start = Date.parse(since ?? '');
  if (leewayDays === 0 || !Number.isFinite(start)) return 0;
  return Math.max(0, leewayDays - (now.getTime() - start) / DAY_MS);
}

function explainTime(since: string | undefined, leewayDays: number, left: number): string {
  if (since === undefined) return leewayDays === 0 ? '' : ', since when is not known, so that no leeway is given';
  if (left === 0) return ` since ${since.slice(0, 10)}`;
  return ` since ${since.slice(0, 10)}; blocks in ${Math.ceil(left)} ${Math.ceil(left) === 1 ? 'day' : 'days'}`;
}
