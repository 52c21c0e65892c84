import type { Platform } from './platform.ts';
import type { Run, StepRecord } from './run.ts';

/** What to build, parents before children. */
export interface BuildTask {
  readonly image: string;
  /** Golden images that it is built from; those that are no task are passed over. */
  readonly parents: readonly string[];
  readonly platforms: readonly Platform[];
}

/** How long past runs took, in milliseconds. */
export interface Durations {
  /** Median time that a build of the image kept the queue of its platform busy. */
  readonly builds: ReadonlyMap<string, number>;
  /** Median time from the last platform to the end of the run: SBOM, scan, verdict, release. */
  readonly releases: ReadonlyMap<string, number>;
}

export interface Estimate {
  /** From the first build to the last release. */
  readonly milliseconds: number;
  /** How long each platform's queue is busy. */
  readonly platforms: readonly {
    readonly platform: Platform;
    readonly builds: number;
    readonly milliseconds: number;
  }[];
  /** Without a build in the history: the median of the others was taken. */
  readonly guessed: readonly { readonly image: string; readonly platform: Platform }[];
}

/** Runs that wait for a release worker at once: see the release queue of a session. */
const RELEASES_AT_ONCE = 2;

/** What happens in the queue of a platform, and keeps the next image of this platform waiting. */
const IN_PLATFORM_QUEUE: ReadonlySet<string> = new Set(['mirror', 'build', 'smoke']);

export function learnDurations(runs: readonly Run[]): Durations {
  const builds = new Map<string, number[]>();
  const releases = new Map<string, number[]>();
  for (const run of runs) {
    for (const platform of run.platforms) add(builds, key(run.image, platform), buildTime(run, platform));
    add(releases, run.image, releaseTime(run));
  }
  return { builds: mapValues(builds, median), releases: mapValues(releases, median) };
}

function key(image: string, platform: Platform): string {
  return `${image} ${platform}`;
}

function add(map: Map<string, number[]>, name: string, value: number | undefined): void {
  if (value === undefined) return;
  const known = map.get(name);
  if (known === undefined) map.set(name, [value]);
  else known.push(value);
}

/** Only of a build that was really made: one that was found in staging took no time. */
function buildTime({ steps }: Run, platform: Platform): number | undefined {
  const own = steps.filter((step) => step.platform === platform && IN_PLATFORM_QUEUE.has(step.name));
  if (!own.some(({ name, state }) => name === 'build' && state === 'done')) return undefined;
  return own.reduce((sum, step) => sum + timeOf(step), 0);
}

function timeOf({ startedAt, endedAt = startedAt }: StepRecord): number {
  return Math.max(0, endedAt - startedAt);
}

function releaseTime({ outcome, endedAt, steps }: Run): number | undefined {
  if (outcome !== 'released' || endedAt === undefined) return undefined;
  const built = steps.flatMap(({ name, endedAt: end }) =>
    IN_PLATFORM_QUEUE.has(name) && end !== undefined ? [end] : [],
  );
  return built.length === 0 ? undefined : Math.max(0, Date.parse(endedAt) - Math.max(...built));
}

/**
 * How long the tasks take when each platform builds one image at a time, in the order in which they become ready, and
 * children wait for the release of all their parents. `undefined` when no build was ever recorded.
 */
export function estimate(tasks: readonly BuildTask[], durations: Durations): Estimate | undefined {
  const { builds, releases } = durations;
  if (builds.size === 0) return undefined;
  const usual = usualBuilds(builds);
  const usualRelease = median([...releases.values()]);
  const build = (image: string, platform: Platform) => builds.get(key(image, platform)) ?? usual(platform);
  const milliseconds = schedule(tasks, build, (image) => releases.get(image) ?? usualRelease);
  const pairs = tasks.flatMap(({ image, platforms }) => platforms.map((platform) => ({ image, platform })));
  const platforms = [...Map.groupBy(pairs, ({ platform }) => platform)].map(([platform, own]) => ({
    platform,
    builds: own.length,
    milliseconds: own.reduce((sum, { image }) => sum + build(image, platform), 0),
  }));
  const guessed = pairs.filter(({ image, platform }) => !builds.has(key(image, platform)));
  return { milliseconds, platforms: platforms.sort((a, b) => (a.platform < b.platform ? -1 : 1)), guessed };
}

/** The median of the same platform, or of all where it has none. */
function usualBuilds(builds: ReadonlyMap<string, number>): (platform: Platform) => number {
  const byPlatform = Map.groupBy(builds, ([name]) => name.slice(name.indexOf(' ') + 1));
  const medians = mapValues(byPlatform, (known) => median(known.map(([, time]) => time)));
  const all = median([...builds.values()]);
  return (platform) => medians.get(platform) ?? all;
}

/** Plays the queues: who is ready first is built first. Returns the time at which the last release is out. */
function schedule(
  tasks: readonly BuildTask[],
  build: (image: string, platform: Platform) => number,
  release: (image: string) => number,
): number {
  const released = new Map<string, number>();
  const queues = new Map<Platform, number>();
  const workers = Array.from({ length: RELEASES_AT_ONCE }, () => 0);
  const names = new Set(tasks.map(({ image }) => image));
  const waiting = tasks.map((task) => ({ ...task, parents: task.parents.filter((parent) => names.has(parent)) }));
  while (waiting.length > 0) {
    const [task, ready] = takeFirstReady(waiting, released);
    const ends = task.platforms.map((platform) => {
      const end = Math.max(ready, queues.get(platform) ?? 0) + build(task.image, platform);
      queues.set(platform, end);
      return end;
    });
    const worker = workers.indexOf(Math.min(...workers));
    workers[worker] = Math.max(ready, ...ends, workers[worker]!) + release(task.image);
    released.set(task.image, workers[worker]);
  }
  return Math.max(0, ...released.values());
}

/** The task whose parents were all released the longest ago; tasks come parents first, so that there always is one. */
function takeFirstReady(waiting: BuildTask[], released: ReadonlyMap<string, number>): [BuildTask, number] {
  let [best, bestReady] = [0, Number.POSITIVE_INFINITY];
  for (const [index, { parents }] of waiting.entries()) {
    const ready = Math.max(0, ...parents.map((parent) => released.get(parent) ?? Number.POSITIVE_INFINITY));
    if (ready < bestReady) [best, bestReady] = [index, ready];
  }
  return [waiting.splice(best, 1)[0]!, Number.isFinite(bestReady) ? bestReady : 0];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function mapValues<V, W>(map: ReadonlyMap<string, V>, to: (value: V) => W): Map<string, W> {
  return new Map([...map].map(([name, value]) => [name, to(value)]));
}
