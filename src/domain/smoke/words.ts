const MAX_SHOWN = 200;

/** A text on one line, in quotes; of a long one the beginning. */
export function quote(text: string): string {
  return text.length <= MAX_SHOWN ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, MAX_SHOWN))}…`;
}

/** `exit code: expected 0, got 1` */
export function mismatch(what: string, expected: string, got: string): string {
  return `${what}: expected ${expected}, got ${got}`;
}
