export interface Cached<T> {
  /** What was found last, and when; what is older than it should be is asked for again behind the caller's back. */
  get(): Promise<{ readonly value: T; readonly at: Date }>;
}

/** Asks at most once in so many milliseconds, and never twice at the same time. */
export function createCached<T>(load: () => Promise<T>, maxAgeMs: number, now: () => Date): Cached<T> {
  let kept: { readonly value: T; readonly at: Date } | undefined;
  let asking: Promise<{ readonly value: T; readonly at: Date }> | undefined;
  const ask = () => {
    asking ??= load()
      .then((value) => {
        kept = { value, at: now() };
        return kept;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  return {
    async get() {
      if (kept === undefined) return ask();
      if (now().getTime() - kept.at.getTime() > maxAgeMs) void ask().catch(() => undefined); // what is kept is shown
      return kept;
    },
  };
}
