/** Values by key that are loaded once, however many ask for them at the same time. */
export interface Kept<T> {
  /** What fails is loaded again by the next who asks. */
  get(key: string, load: () => Promise<T>): Promise<T>;
}

export interface KeptOptions {
  readonly now: () => Date;
  /** Milliseconds after which a value is loaded again. */
  readonly forMs: number;
  /** Counted from the last use, not from loading. */
  readonly sliding?: boolean;
}

export function createKept<T>({ now, forMs, sliding = false }: KeptOptions): Kept<T> {
  const entries = new Map<string, { at: number; readonly value: Promise<T> }>();
  return {
    get(key, load) {
      const time = now().getTime();
      for (const [other, { at }] of entries) if (time - at >= forMs) entries.delete(other);
      const known = entries.get(key);
      if (known !== undefined) {
        if (sliding) known.at = time;
        return known.value;
      }
      const entry = { at: time, value: load() };
      entries.set(key, entry);
      entry.value.catch(() => entries.get(key) === entry && entries.delete(key));
      return entry.value;
    },
  };
}
