import type { PolicySettings } from './fleet/model.ts';
import type { CandidateFacts, Finding, PolicyFinding } from './verdict.ts';

/**
 * A candidate that is better than the release in use need not wait until it is clean (decisions 10): nothing but
 * vulnerabilities blocks it, the release has every one of them, too, and at least one of the release's is gone.
 * @returns the note that says so, or `undefined` when the rule does not apply
 */
export function betterThanRelease(
  blocked: readonly PolicyFinding[],
  { platforms, previousFindings }: CandidateFacts,
  { unlessBetter = true }: PolicySettings,
): string | undefined {
  if (!unlessBetter || previousFindings === undefined || blocked.length === 0) return undefined;
  const hasItToo = ({ check, platform, subject, package: source }: PolicyFinding) =>
    check === 'vulnerabilities' &&
    platform !== undefined &&
    (previousFindings[platform] ?? []).some((finding) => finding.id === subject && finding.source === source);
  if (!blocked.every(hasItToo)) return undefined;
  const gone = platforms.flatMap(({ platform, findings }) => {
    const left = new Set(findings.map(keyOf));
    return (previousFindings[platform] ?? []).filter((finding) => !left.has(keyOf(finding)));
  });
  if (gone.length === 0) return undefined;
  const [fixed, still] = [gone.map(({ id }) => id), blocked.map(({ subject }) => subject)];
  return `not clean, but better than the release in use: ${list(fixed)} gone; ${list(still)} in both`;
}

function keyOf({ id, source }: Finding): string {
  return `${id} ${source}`;
}

function list(ids: readonly string[]): string {
  const unique = [...new Set(ids)].sort();
  const shown = unique.slice(0, 5).join(', ');
  return unique.length > 5 ? `${shown} and ${unique.length - 5} more` : shown;
}
