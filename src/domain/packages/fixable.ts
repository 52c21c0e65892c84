import type { FixableFinding, OfferedUpdate } from '../staleness.ts';
import type { Finding } from '../verdict.ts';

const WORST_FIRST = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;

/**
 * The findings that the updates would end: of the same source package, at or above the version that fixes it.
 * One by id and source package, the worst first.
 * @param compare the order of the package manager's versions
 */
export function fixableFindings(
  findings: readonly Finding[],
  updates: readonly OfferedUpdate[],
  compare: (a: string, b: string) => number,
): readonly FixableFinding[] {
  const bySource = Map.groupBy(updates, ({ source }) => source);
  const found = new Map<string, FixableFinding>();
  for (const { id, severity, source, installed, fix, exploited } of findings) {
    const update = bySource
      .get(source)
      ?.find(({ to }) => fix.state === 'fixed' && fix.versions.some((fixed) => compare(to, fixed) >= 0));
    if (update === undefined) continue;
    const more = { ...(fix.since && { since: fix.since }), ...(exploited && { exploited }) };
    found.set(`${id} ${source}`, { id, severity, source, installed, fixed: update.to, ...more });
  }
  return [...found.values()].sort(
    (a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity) || (a.id < b.id ? -1 : 1),
  );
}
