/** What `within` answers for work that was not over in time. */
export const LATE = Symbol('late');

/** What comes of work, unless it takes longer; it goes on then, and what it says is not heard. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  const { promise: late, resolve } = Promise.withResolvers<typeof LATE>();
  const timer = setTimeout(resolve, ms, LATE).unref();
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether something ends by itself in time. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  return (await within(work, ms)) !== LATE;
}
