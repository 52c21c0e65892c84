import type { Fleet } from '../domain/fleet/model.ts';
import type { FreshnessSample } from '../domain/freshness.ts';
import { findBreaches, type UnaskedUpstream } from '../domain/freshness-breaches.ts';
import type { FreshnessView } from '../domain/service/views.ts';
import { upstreamName } from '../domain/upstream.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { StoredPlan } from '../ledger/store.ts';

export interface FreshnessFilter {
  readonly image?: string | undefined;
  /** Changed outside at or after, RFC 3339; default 90 days ago. */
  readonly since?: string | undefined;
  /** Only what is not released yet. */
  readonly open?: boolean | undefined;
}

export interface ReportDeps {
  readonly fleet: Pick<Fleet, 'settings' | 'images'>;
  readonly freshness: Pick<FreshnessStore, 'samples' | 'open'>;
  readonly ledger: Pick<Ledger, 'observation'>;
  /** The last plan; `undefined` where none is kept. */
  plan(): Promise<StoredPlan | undefined>;
  readonly now: Date;
}

const DAY_MS = 24 * 3600_000;
const DEFAULT_DAYS = 90;

/** What is known of changes on their way, and which goals are not kept; what is still open is there however old it is. */
export async function readFreshness(filter: FreshnessFilter, deps: ReportDeps): Promise<FreshnessView> {
  const { fleet, freshness, now } = deps;
  const { image, since = new Date(now.getTime() - DEFAULT_DAYS * DAY_MS).toISOString() } = filter;
  const isWanted = (name: string) => image === undefined || name === image;
  const [plan, recent, open] = await Promise.all([
    deps.plan(),
    filter.open ? [] : freshness.samples({ image, since }),
    freshness.open(),
  ]);
  const goals = fleet.settings.freshness;
  const asked = goals.detectSeconds === undefined ? [] : await unaskedUpstreams(plan, deps);
  const unasked = asked.map((each) => ({ ...each, images: each.images.filter(isWanted) }));
  const samples = union(
    recent,
    open.filter((sample) => isWanted(sample.image)),
  );
  const facts = { samples, goals, unasked, now: now.toISOString() };
  return { goals, samples, breaches: findBreaches({ ...facts, ...(plan && { entries: plan.entries }) }) };
}

function union(recent: readonly FreshnessSample[], open: readonly FreshnessSample[]): readonly FreshnessSample[] {
  const known = new Set(recent.map(({ id }) => id));
  const older = open.filter(({ id }) => !known.has(id));
  return [...recent, ...older.sort((a, b) => Date.parse(b.changedAt) - Date.parse(a.changedAt))];
}

async function unaskedUpstreams(
  plan: StoredPlan | undefined,
  { ledger, fleet }: ReportDeps,
): Promise<readonly UnaskedUpstream[]> {
  const found = Object.entries(plan?.unasked ?? {}).map(async ([name, why]): Promise<readonly UnaskedUpstream[]> => {
    const observation = await ledger.observation(name);
    if (observation === undefined) return [];
    const uses = fleet.images.filter(({ inputs }) =>
      inputs.some(({ source }) => 'upstream' in source && upstreamName(source) === name),
    );
    return [{ name, why, checkedAt: observation.checkedAt, images: uses.map((each) => each.name) }];
  });
  return (await Promise.all(found)).flat();
}
