/** The candidate that a person most likely meant, if any is near enough. */
export function nearestOf(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** `did you mean "install"?` or what else is possible, when the list is short enough to read. */
export function suggestion(word: string, candidates: readonly string[]): string | undefined {
  const nearest = nearestOf(word, candidates);
  if (candidates.includes(word)) return undefined; // known elsewhere, and not here
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  return candidates.length > 0 && candidates.length <= 30 ? `known: ${candidates.join(', ')}` : undefined;
}

/** Damerau-Levenshtein, adjacent letters swapped counting as one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      row.push(swapped ? Math.min(best, rows[i - 2]![j - 2]! + 1) : best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
