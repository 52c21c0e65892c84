import semver from 'semver';
import type { Image } from '../domain/fleet/model.ts';
import { atTag, type Reference } from '../domain/reference.ts';
import type { DiffView, HistoryView, ReleaseFigures } from '../domain/service/history.ts';
import { isOfLine, isVersionTag } from '../domain/version.ts';
import { diffImages } from '../flows/diff.ts';
import { readFigures } from '../flows/release-figures.ts';
import { messageOf } from '../flows/steps.ts';
import type { StoredHistory } from '../ledger/store.ts';
import { find } from './images.ts';
import { type FactoryParts, notFound, type ServiceParts } from './parts.ts';
import { type FactoryService, ServiceError } from './service.ts';

/** Releases that are read; older ones are in the registry, and of no interest on a page. */
const MOST = 20;
/** A list of tags this old is asked for again: one request, since a version that was read is never read again. */
const MAX_AGE_MS = 60_000;
/** The same when a release is known that was not read yet. */
const BEHIND_AGE_MS = 5_000;
const READERS = 2;
const DIFFS = 1;
/** How many may wait for the one that is made. */
const MOST_DIFFS = 10;
const DIFF_LIMIT_MS = 10 * 60_000;

export function createHistory(parts: ServiceParts): Pick<FactoryService, 'history' | 'diff'> {
  return { ...createFigures(parts), ...createDiffs(parts) };
}

function createFigures({ store, withFactory, now }: ServiceParts): Pick<FactoryService, 'history'> {
  const reading = new Map<string, Promise<void>>();
  const failed = new Map<string, { readonly why: string; readonly at: number }>();
  const enter = createGate(READERS);
  const start = (name: string, before: StoredHistory | undefined) => {
    const work = enter(() => withFactory((factory) => readAll(find(name, factory), before, factory)))
      .then(() => void failed.delete(name))
      .catch((error: unknown) => void failed.set(name, { why: messageOf(error), at: now().getTime() }))
      .finally(() => reading.delete(name));
    reading.set(name, work);
  };
  const readAll = async (image: Image, before: StoredHistory | undefined, factory: FactoryParts) => {
    const repository = factory.places.release(image.name);
    const versions = await versionsOf(image, repository, factory);
    const known = new Map((before?.releases ?? []).map((release) => [release.version, release]));
    const releases: ReleaseFigures[] = [];
    for (const version of versions.slice(0, MOST)) {
      const found = known.get(version) ?? (await readFigures(repository, version, factory, {}));
      if (found !== undefined) releases.push(found);
    }
    await store.putHistory(image.name, { releases, readAt: now().toISOString() });
  };
  return {
    async history(name): Promise<HistoryView> {
      await withFactory(async (factory) => find(name, factory));
      const kept = await store.history(name);
      const failure = failed.get(name);
      const isOld = (time: number, age = MAX_AGE_MS) => now().getTime() - time > age;
      const inUse = (await store.plan())?.entries.find(({ image }) => image === name)?.release?.version;
      const isBehind = inUse !== undefined && !kept?.releases.some(({ version }) => version === inUse);
      const isDue =
        (kept === undefined || isOld(Date.parse(kept.readAt), isBehind ? BEHIND_AGE_MS : MAX_AGE_MS)) &&
        (failure === undefined || isOld(failure.at));
      if (isDue && !reading.has(name)) start(name, kept);
      return {
        releases: kept?.releases ?? [],
        reading: reading.has(name),
        ...(kept && { readAt: kept.readAt }),
        ...(failure && { unknown: failure.why }),
      };
    },
  };
}

async function versionsOf({ line }: Image, repository: Reference, { registry }: FactoryParts) {
  const tags = await registry.tags(repository);
  return tags.filter((tag) => isVersionTag(tag) && isOfLine(line, tag)).sort(semver.rcompare);
}

function createDiffs({ store, withFactory }: ServiceParts): Pick<FactoryService, 'diff'> {
  const running = new Map<string, Promise<void>>();
  const failed = new Map<string, string>();
  const enter = createGate(DIFFS);
  return {
    async diff(name, { before, after }): Promise<DiffView> {
      const image = await withFactory(async (factory) => find(name, factory));
      for (const version of [before, after]) {
        if (!isVersionTag(version) || !isOfLine(image.line, version))
          throw notFound(`${name} has no release ${version}`);
      }
      const key = `${name}:${before}..${after}`;
      const kept = await store.diff(key);
      if (kept !== undefined) return { state: 'done', diff: kept };
      const why = failed.get(key);
      failed.delete(key); // told once; who asks again wants it tried again
      if (why !== undefined) return { state: 'failed', why };
      if (running.has(key)) return { state: 'running' };
      if (running.size >= MOST_DIFFS) {
        throw new ServiceError('too many comparisons are being made; try again in a minute', { code: 'unavailable' });
      }
      const make = () =>
        withFactory(async (factory) => {
          const repository = factory.places.release(name);
          const named = (version: string) => ({ name: `${name}:${version}`, reference: atTag(repository, version) });
          const deps = { ...factory, stateOf: factory.packages.stateOf };
          const signal = AbortSignal.timeout(DIFF_LIMIT_MS);
          await store.putDiff(key, await diffImages([named(before), named(after)], [], deps, { signal }));
        });
      const work = enter(make)
        .catch((error: unknown) => void failed.set(key, messageOf(error)))
        .finally(() => running.delete(key));
      running.set(key, work);
      return { state: 'running' };
    },
  };
}

/** So many at once; the others wait for their turn. */
function createGate(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (inside >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // who waits takes the place over
      if (next === undefined) inside -= 1;
      else next();
    }
  };
}
