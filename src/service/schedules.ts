import type { Settings } from '../domain/fleet/model.ts';
import type { Schedule } from '../queue/run-queue.ts';

/** What a factory does by itself, and when. */
export function schedulesOf({ watch, rebuild }: Settings): readonly Schedule[] {
  const { nightly } = rebuild;
  return [
    { name: 'watch', everySeconds: watch.everySeconds },
    ...(nightly === undefined ? [] : [{ name: 'nightly', ...nightly }]),
  ];
}
