import type { Waiver } from './fleet/model.ts';
import type { PolicyFinding, Verdict } from './verdict.ts';

/**
 * Takes out what was accepted for a time. A waiver that has ended does not count, and the finding says so; one
 * that nothing needs any more is no mistake.
 */
export function applyWaivers(
  findings: readonly PolicyFinding[],
  waivers: readonly Waiver[],
  now: Date,
): { open: readonly PolicyFinding[]; waived: Verdict['waived'] } {
  const today = now.toISOString().slice(0, 10);
  const matched = findings
    .filter(({ level }) => level !== 'off')
    .map((finding) => {
      const fitting = waivers.filter((waiver) => covers(waiver, finding));
      return { finding, valid: fitting.find(({ until }) => until >= today), ended: newest(fitting) };
    });
  return {
    open: matched
      .filter(({ valid }) => valid === undefined)
      .map(({ finding, ended }) => (ended === undefined ? finding : withEnded(finding, ended))),
    waived: matched.flatMap(({ finding, valid }) => (valid === undefined ? [] : [{ finding, waiver: valid }])),
  };
}

function covers({ id, package: source }: Waiver, finding: PolicyFinding): boolean {
  return id === finding.subject && (source === undefined || source === finding.package);
}

function newest(waivers: readonly Waiver[]): Waiver | undefined {
  return [...waivers].sort((a, b) => (a.until < b.until ? -1 : 1)).at(-1);
}

function withEnded(finding: PolicyFinding, { until }: Waiver): PolicyFinding {
  return { ...finding, message: `${finding.message}; its waiver ended on ${until}` };
}
