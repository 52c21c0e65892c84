import { betterThanRelease } from './better.ts';
import type { PolicySettings, Waiver } from './fleet/model.ts';
import { POLICY_CHECKS } from './policy/checks.ts';
import type { CandidateFacts, PolicyFinding, Verdict } from './verdict.ts';
import { applyWaivers } from './waivers.ts';

/** Decides whether a candidate may be released. Pure: the same facts on the same day give the same verdict. */
export function judge(facts: CandidateFacts, settings: PolicySettings, waivers: readonly Waiver[], now: Date): Verdict {
  const findings = POLICY_CHECKS.flatMap((check) => check.run(facts, settings, now));
  const { open, waived } = applyWaivers(findings, waivers, now);
  const blocked = open.filter(({ level }) => level === 'block');
  const warnings = open.filter(({ level }) => level === 'warn');
  const checks = POLICY_CHECKS.map(({ id }) => id);
  const better = betterThanRelease(blocked, facts, settings);
  if (better === undefined) return { allowed: blocked.length === 0, blocked, warnings, waived, checks, notes: [] };
  const tolerated = blocked.map((finding) => ({ ...finding, level: 'warn' as const }));
  return { allowed: true, blocked: [], warnings: [...tolerated, ...warnings], waived, checks, notes: [better] };
}

/** One line for each thing that was found, what blocks first; the same finding on several platforms once. */
export function explainVerdict(verdict: Verdict): string[] {
  const waived = verdict.waived.map(({ finding, waiver }) => ({
    ...finding,
    message: `${finding.message} (until ${waiver.until}: ${waiver.reason})`,
  }));
  const lines = [
    ...explainFindings('blocked', verdict.blocked),
    ...verdict.notes.map((note) => `note: ${note}`),
    ...explainFindings('warning', verdict.warnings),
    ...explainFindings('waived', waived),
  ];
  return lines.length > 0 ? lines : [`allowed: ${verdict.checks.length} checks found nothing`];
}

function explainFindings(word: string, findings: readonly PolicyFinding[]): string[] {
  const platforms = new Map<string, string[]>();
  for (const { check, message, platform } of findings) {
    const text = `${check}: ${message}`;
    platforms.set(text, [...(platforms.get(text) ?? []), ...(platform === undefined ? [] : [platform])]);
  }
  return [...platforms].map(([text, on]) => `${word}: ${text}${on.length === 0 ? '' : ` [${on.join(', ')}]`}`);
}
