const CONTEXT = 3;

/**
 * A unified diff of two texts that differ within lines only, as bumps do.
 * @throws Error when lines came or went
 */
export function unifiedDiff(path: string, before: string, after: string): string[] {
  const [old, next] = [before.split('\n'), after.split('\n')];
  if (old.length !== next.length) throw new Error(`${path} has other lines than before`);
  const changed = [...old.keys()].filter((index) => old[index] !== next[index]);
  return changed.length === 0
    ? []
    : [`--- a/${path}`, `+++ b/${path}`, ...hunksOf(changed, old.length).flatMap((hunk) => hunkLines(hunk, old, next))];
}

interface Hunk {
  readonly start: number;
  readonly end: number;
}

function hunksOf(changed: readonly number[], length: number): Hunk[] {
  const hunks: Hunk[] = [];
  for (const index of changed) {
    const around = { start: Math.max(0, index - CONTEXT), end: Math.min(length, index + CONTEXT + 1) };
    const last = hunks.at(-1);
    if (last !== undefined && around.start <= last.end) hunks[hunks.length - 1] = { ...last, end: around.end };
    else hunks.push(around);
  }
  return hunks;
}

function hunkLines({ start, end }: Hunk, old: readonly string[], next: readonly string[]): string[] {
  // What follows the last newline is no line.
  const isEmptyEnd = end === old.length && old.at(-1) === '' && next.at(-1) === '';
  const stop = isEmptyEnd ? end - 1 : end;
  const range = `${start + 1},${stop - start}`;
  const lines = [`@@ -${range} +${range} @@`];
  for (let index = start; index < stop; ) {
    if (old[index] === next[index]) {
      lines.push(` ${old[index]}`);
      index += 1;
      continue;
    }
    let behind = index;
    while (behind < stop && old[behind] !== next[behind]) behind += 1;
    lines.push(...old.slice(index, behind).map((line) => `-${line}`));
    lines.push(...next.slice(index, behind).map((line) => `+${line}`));
    index = behind;
  }
  return isEmptyEnd || end < old.length ? lines : [...lines, '\\ No newline at end of file'];
}
