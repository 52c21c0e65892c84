import type { Settings } from '../domain/fleet/model.ts';
import type { Schedule } from '../queue/run-queue.ts';

const SCAN_EVERY_SECONDS = 6 * 3600;

/** What a factory does by itself, and when. */
export function schedulesOf(settings: Settings): readonly (Schedule & { readonly what: string })[] {
  const { watch, rebuild, scan, retention } = settings;
  const { nightly, timezone = 'UTC' } = rebuild;
  const everySeconds = scan.everySeconds ?? SCAN_EVERY_SECONDS;
  return [
    { name: 'watch', everySeconds: watch.everySeconds, what: 'look at every upstream, and rebuild what is stale' },
    { name: 'scan', everySeconds, what: 'fetch the vulnerability database, and scan what is in use with it' },
    ...(nightly === undefined
      ? []
      : [
          {
            ...{ name: 'nightly', cron: nightly, timezone },
            what: 'a whole cycle: releases repaired, channels, replicas, pull requests',
          },
        ]),
    ...(retention.prune === undefined
      ? []
      : [{ name: 'prune', cron: retention.prune, timezone, what: 'remove what nothing needs' }]),
  ];
}
