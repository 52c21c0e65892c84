import type { FreshnessSample } from '../../src/domain/freshness.ts';
import { findBreaches } from '../../src/domain/freshness-breaches.ts';
import type { ServiceEvent } from '../../src/domain/service/events.ts';
import type { FreshnessView, ImageView, RebuildRequest, RunView } from '../../src/domain/service/views.ts';
import { type FactoryService, ServiceError } from '../../src/service/service.ts';

const AT = '2026-11-23T02:00:00.000Z';
export const DIGEST = `sha256:${'a'.repeat(64)}` as const;
export const RUN = '01KB0000000000000000000001';

export interface FakeService extends FactoryService {
  /** Every change that reached it, as `method(arguments)`. */
  readonly changes: { readonly method: string; readonly args: readonly unknown[] }[];
  readonly stored: Map<string, RunView>;
  tell(event: ServiceEvent): void;
  /** Makes the next call of anything fail so. */
  failWith(error: Error): void;
  /** How many follow events now. */
  followers(): number;
}

/** A factory of the images `base` and `child` that decides nothing: it remembers what it was asked to do. */
export function createFakeService(): FakeService {
  const changes: FakeService['changes'] = [];
  const stored = new Map([[RUN, runOf(RUN, 'base')]]);
  const events = createEvents();
  const keys = new Map<string, { question: string; runs: readonly RunView[] }>();
  let failure: Error | undefined;
  const change = (method: string, ...args: readonly unknown[]) => {
    fail();
    changes.push({ method, args });
  };
  const fail = () => {
    const error = failure;
    failure = undefined;
    if (error !== undefined) throw error;
  };
  const run = async (id: string) => {
    fail();
    const found = stored.get(id);
    if (found === undefined) throw new ServiceError(`there is no run ${id}`, { code: 'not-found' });
    return found;
  };
  const image = async (name: string) => {
    fail();
    if (!['base', 'child'].includes(name)) throw new ServiceError(`no image ${name}`, { code: 'not-found' });
    return imageOf(name);
  };
  const quarantine = (image: string) => ({ image, digest: DIGEST, version: '12.0.0', changed: true });
  return {
    ...{ changes, stored, run, image },
    ...{ tell: events.tell, followers: events.followers, subscribe: events.subscribe },
    failWith(error) {
      failure = error;
    },
    fleet: async () => fleetState(),
    async reloadFleet(by) {
      change('reloadFleet', by);
      return fleetState();
    },
    async images() {
      fail();
      return [imageOf('base'), imageOf('child')];
    },
    async releases(name) {
      await image(name);
      return { items: [{ ...imageOf(name).release!, quarantined: false }] };
    },
    async history(name) {
      const { release } = await image(name);
      const platforms = { 'linux/amd64': { digest: DIGEST, size: 30_000_000, packages: 100, findings: { low: 2 } } };
      return { releases: [{ ...release!, platforms }], readAt: AT, reading: false };
    },
    async diff(name, { before, after }) {
      await image(name);
      const side = (version: string) => ({ name: version, reference: `${name}:${version}`, digest: DIGEST });
      const same = { platform: 'linux/amd64', state: 'same', digest: DIGEST } as const;
      return { state: 'done', diff: { before: side(before), after: side(after), platforms: [same] } };
    },
    async runs({ limit = 50, cursor } = {}) {
      const all = [...stored.values()].toReversed();
      const from = cursor === undefined ? 0 : all.findIndex(({ id }) => id === cursor) + 1;
      const items = all.slice(from, from + limit);
      return { items, ...(from + limit < all.length && { next: items.at(-1)!.id }) };
    },
    async waitForRun(id, { timeoutMs, signal }) {
      const end = Date.now() + timeoutMs;
      while ((await run(id)).state !== 'ended' && Date.now() < end && !signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return run(id);
    },
    async startRebuild(request) {
      change('startRebuild', request);
      if (request.dryRun) return { runs: [], plan: [] };
      return { runs: once(request, keys, () => start(request, stored)) };
    },
    async cancelRun(id, by) {
      const before = await run(id);
      if (before.state === 'ended') throw new ServiceError(`run ${id} has ended`, { code: 'conflict' });
      change('cancelRun', id, by);
      stored.set(id, { ...before, state: 'ended', outcome: 'cancelled', endedAt: AT });
      return run(id);
    },
    async retryRun(id, by) {
      const { image: name } = await run(id);
      change('retryRun', id, by);
      return start({ images: [name], by: by.by }, stored)[0]!;
    },
    async runLogs(id) {
      await run(id);
      return [{ platform: 'linux/amd64', lines: ['step 1', 'step 2'] }];
    },
    plan: async () => ({ at: AT, entries: [entryOf('base'), entryOf('child')] }),
    async look(by) {
      change('look', by);
    },
    upstreams: async () => [{ name: 'debian:12-slim', digest: DIGEST, platforms: {}, images: ['base', 'child'] }],
    pulls: async () => ({ pulls: [], unknown: [] }),
    async rollback(name, by) {
      await image(name);
      change('rollback', name, by);
      return { image: name, version: '12.0.0', digest: DIGEST, left: [], channels: ['12'], already: false };
    },
    async quarantine(name, what, by) {
      change('quarantine', name, what, by);
      return quarantine(name);
    },
    async unquarantine(name, what, by) {
      change('unquarantine', name, what, by);
      return quarantine(name);
    },
    async pause(name, by) {
      change('pause', name, by);
    },
    async resume(name, by) {
      change('resume', name, by);
      return true;
    },
    waivers: async () => [{ image: 'child', waiver: { id: 'CVE-1', reason: 'not reached', until: '2026-12-31' } }],
    freshness: async () => freshnessOf(),
    workers: async () => [],
    queues: async () => [],
    schedules: async () => [],
    budgets: async () => [],
    hooks: async () => [],
    notifications: async () => [],
  };
}

function start({ images = [], by }: RebuildRequest, stored: Map<string, RunView>): readonly RunView[] {
  return images.map((image) => {
    const id = `01KB${String(stored.size + 1).padStart(22, '0')}`;
    const view: RunView = { ...runOf(id, image), state: 'waiting', request: { by, at: AT } };
    stored.set(id, view);
    return view;
  });
}

function once(
  { idempotencyKey, ...request }: RebuildRequest,
  keys: Map<string, { question: string; runs: readonly RunView[] }>,
  begin: () => readonly RunView[],
): readonly RunView[] {
  if (idempotencyKey === undefined) return begin();
  const question = JSON.stringify(request);
  const kept = keys.get(idempotencyKey) ?? { question, runs: begin() };
  keys.set(idempotencyKey, kept);
  if (kept.question !== question) throw new ServiceError('another request was made under it', { code: 'conflict' });
  return kept.runs;
}

function createEvents() {
  const kept: ServiceEvent[] = [];
  let wake = Promise.withResolvers<void>();
  let following = 0;
  return {
    tell(event: ServiceEvent) {
      kept.push(event);
      wake.resolve();
      wake = Promise.withResolvers();
    },
    followers: () => following,
    async *subscribe({ run, image, after, signal }: Parameters<FactoryService['subscribe']>[0]) {
      let next = after === undefined ? kept.length : kept.findIndex(({ id }) => id === after) + 1;
      const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      following += 1;
      try {
        while (!signal.aborted) {
          const event = kept[next];
          if (event === undefined) {
            await Promise.race([wake.promise, over]);
            continue;
          }
          next += 1;
          if (run !== undefined && !('run' in event && event.run === run)) continue;
          if (image !== undefined && !('image' in event && event.image === image)) continue;
          yield event;
        }
      } finally {
        following -= 1;
      }
    },
  };
}

function fleetState() {
  const times = { loadedAt: AT, checkedAt: AT };
  const about = { name: 'acme', source: '/srv/golden', digest: DIGEST, images: 2, registry: 'localhost:5000/golden' };
  return { ...about, ...times, platforms: ['linux/amd64' as const] };
}

function entryOf(image: string) {
  return { image, state: 'fresh' as const, reasons: [], holds: [] };
}

function imageOf(name: string): ImageView {
  const { state, reasons, holds } = entryOf(name);
  return {
    ...{ name, state, reasons, holds },
    definition: {
      ...{ name, folder: `/srv/golden/images/${name}`, owners: [], line: '12', platforms: ['linux/amd64'] },
      recipe: { kind: 'own', dockerfile: '/srv/golden/Dockerfile', context: '/srv/golden' },
      ...{ inputs: [], definition: {}, waivers: [], secrets: [] },
    },
    repository: `localhost:5000/golden/${name}`,
    ...{ parents: [], children: [], quarantined: [] },
    release: { version: '12.0.0', digest: DIGEST, platforms: { 'linux/amd64': DIGEST } },
  };
}

export function runOf(id: string, image: string): RunView {
  return {
    ...{ id, image, state: 'running', priority: 'requested', inputs: DIGEST, startedAt: AT },
    reasons: [{ kind: 'requested', by: 'token ci' }],
    ...{ holds: [], platforms: ['linux/amd64'], steps: [] },
  };
}

function freshnessOf(): FreshnessView {
  const [changedAt, detectedAt] = ['2026-11-22T18:00:00.000Z', '2026-11-22T18:10:00.000Z'];
  const about = { kind: 'upstream', upstream: 'docker.io/library/debian:12-slim', digest: DIGEST } as const;
  const open: FreshnessSample = {
    id: 'child|1',
    image: 'child',
    ...about,
    changedAt,
    detectedAt,
    detectedBy: 'webhook',
  };
  const done: FreshnessSample = {
    ...{ ...open, id: 'base|1', image: 'base', platforms: { 'linux/amd64': { createdAt: changedAt, builtAt: AT } } },
    ...{ run: RUN, version: '12.0.0', release: DIGEST, outcome: 'released', releasedAt: AT },
  };
  const goals = { releaseSeconds: 6 * 3600 };
  const samples = [open, done];
  return { goals, samples, breaches: findBreaches({ samples, goals, now: '2026-11-23T03:00:00.000Z' }) };
}
