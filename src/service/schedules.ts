import type { Settings } from '../domain/fleet/model.ts';
import type { Schedule } from '../queue/run-queue.ts';

/** What a factory does by itself, and when. */
export function schedulesOf({ watch, rebuild }: Settings): readonly (Schedule & { readonly what: string })[] {
  const { nightly } = rebuild;
  return [
    { name: 'watch', everySeconds: watch.everySeconds, what: 'look at every upstream, and rebuild what is stale' },
    ...(nightly === undefined
      ? []
      : [{ name: 'nightly', ...nightly, what: 'a whole cycle: releases repaired, channels, replicas, pull requests' }]),
  ];
}
