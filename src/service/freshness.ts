import type { FreshnessSample } from '../domain/freshness.ts';
import { findBreaches, type UnaskedUpstream } from '../domain/freshness-breaches.ts';
import type { FreshnessView } from '../domain/service/views.ts';
import { upstreamName } from '../domain/upstream.ts';
import type { StoredPlan } from '../ledger/store.ts';
import type { FactoryParts, ServiceParts } from './parts.ts';
import type { FactoryService } from './service.ts';

const DAY_MS = 24 * 3600_000;
const DEFAULT_DAYS = 90;

type Filter = Parameters<FactoryService['freshness']>[0];
export type FreshnessParts = Pick<ServiceParts, 'store' | 'freshness' | 'ledger' | 'now'> & {
  withFactory<T>(use: (factory: Pick<FactoryParts, 'fleet'>) => Promise<T>): Promise<T>;
};

/** What is known of changes on their way, and which goals are not kept; what is still open is there however old it is. */
export async function readFreshness(filter: Filter, parts: FreshnessParts): Promise<FreshnessView> {
  const { store, freshness, now, withFactory } = parts;
  const { image, since = new Date(now().getTime() - DEFAULT_DAYS * DAY_MS).toISOString() } = filter ?? {};
  const [fleet, plan, recent, open] = await Promise.all([
    withFactory(async (factory) => factory.fleet),
    store.plan(),
    freshness.samples({ image, since }),
    freshness.open(),
  ]);
  const goals = fleet.settings.freshness;
  const asked = goals.detectSeconds === undefined ? [] : await unaskedUpstreams(fleet, plan, parts);
  const unasked = asked.map((each) => ({ ...each, images: each.images.filter((name) => isWanted(name, image)) }));
  const samples = union(recent, open.filter((sample) => isWanted(sample.image, image)));
  const facts = { samples, goals, unasked, now: now().toISOString() };
  return { goals, samples, breaches: findBreaches({ ...facts, ...(plan && { entries: plan.entries }) }) };
}

function isWanted(name: string, image: string | undefined): boolean {
  return image === undefined || name === image;
}

function union(recent: readonly FreshnessSample[], open: readonly FreshnessSample[]): readonly FreshnessSample[] {
  const known = new Set(recent.map(({ id }) => id));
  const older = open.filter(({ id }) => !known.has(id));
  return [...recent, ...older.sort((a, b) => Date.parse(b.changedAt) - Date.parse(a.changedAt))];
}

async function unaskedUpstreams(
  { images }: FactoryParts['fleet'],
  plan: StoredPlan | undefined,
  { ledger }: Pick<FreshnessParts, 'ledger'>,
): Promise<readonly UnaskedUpstream[]> {
  const found = Object.entries(plan?.unasked ?? {}).map(async ([name, why]): Promise<readonly UnaskedUpstream[]> => {
    const observation = await ledger.observation(name);
    if (observation === undefined) return [];
    const uses = images.filter(({ inputs }) =>
      inputs.some(({ source }) => 'upstream' in source && upstreamName(source) === name),
    );
    return [{ name, why, checkedAt: observation.checkedAt, images: uses.map((each) => each.name) }];
  });
  return (await Promise.all(found)).flat();
}
