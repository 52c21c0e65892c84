/** Replaces the UTF-16 units from `start` up to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text of a UTF-8 file, byte order mark kept; `undefined` when it is anything else. */
export function decodeUtf8(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/** Applies edits that do not overlap; the same edit twice counts once. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const once = new Map(edits.map((edit) => [`${edit.start}`, edit]));
  const fromTheEnd = [...once.values()].sort((a, b) => b.start - a.start);
  return fromTheEnd.reduce((result, { start, end, text: by }) => result.slice(0, start) + by + result.slice(end), text);
}

export function sameEdit(a: Edit, b: Edit): boolean {
  return a.start === b.start && a.end === b.end && a.text === b.text;
}

export function overlaps(a: { start: number; end: number }, b: { start: number; end: number }): boolean {
  return a.start < b.end && b.start < a.end;
}
