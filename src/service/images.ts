import semver from 'semver';
import type { Image } from '../domain/fleet/model.ts';
import { childrenOf, childrenOfEach, parentsOf } from '../domain/graph.ts';
import type { PlanEntry } from '../domain/plan.ts';
import { planFleet } from '../domain/plan.ts';
import { atTag, formatReference, repositoryOf } from '../domain/reference.ts';
import type { ImageView, Page, Paging, PlanView, ReleaseView, UpstreamView } from '../domain/service/views.ts';
import type { Release } from '../domain/staleness.ts';
import { standingOf } from '../domain/standing.ts';
import { isOfLine, isVersionTag } from '../domain/version.ts';
import { lookAtFacts } from '../flows/gather.ts';
import { readMarks } from '../flows/marks.ts';
import { ANNOTATIONS, childDigests } from '../flows/releases.ts';
import type { StoredPlan } from '../ledger/store.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type FactoryParts, notFound, type ServiceParts } from './parts.ts';
import { viewOfRun } from './run-views.ts';
import type { FactoryService } from './service.ts';

type ImageQuestions = Pick<FactoryService, 'images' | 'image' | 'releases' | 'plan' | 'upstreams' | 'waivers'>;

export function createImageQuestions(parts: ServiceParts): ImageQuestions {
  const { withFactory, store } = parts;
  return {
    images: ({ state } = {}) =>
      withFactory(async (factory) => {
        const plan = await store.plan();
        const around = aroundOf(plan, childrenOfEach(factory.fleet.images));
        const views = await Promise.all(factory.fleet.images.map((image) => viewOf(image, around, factory)));
        return views.filter((view) => state === undefined || view.state === state);
      }),
    image: (name) =>
      withFactory(async (factory) => {
        const children = new Map([[name, childrenOf(name, factory.fleet.images)]]);
        return viewOf(find(name, factory), aroundOf(await store.plan(), children), factory);
      }),
    releases: (name, paging) => withFactory((factory) => releasesOf(find(name, factory), paging, factory, parts)),
    plan: ({ fresh = false, signal = new AbortController().signal } = {}) =>
      withFactory(async (factory) => (fresh ? freshPlan(factory, parts, signal) : lastPlan(factory, parts, signal))),
    upstreams: () => withFactory(async (factory) => upstreamsOf(factory, await store.plan())),
    waivers: () =>
      withFactory(async ({ fleet }) =>
        fleet.images.flatMap(({ name, waivers }) => waivers.map((waiver) => ({ image: name, waiver }))),
      ),
  };
}

export function find(name: string, { fleet }: Pick<FactoryParts, 'fleet'>): Image {
  const image = fleet.images.find((each) => each.name === name);
  if (image === undefined) throw notFound(`the fleet has no image ${name}`);
  return image;
}

/** What the views of all images are taken from. */
interface Around {
  readonly plan: StoredPlan | undefined;
  readonly entries: ReadonlyMap<string, PlanEntry>;
  readonly children: ReadonlyMap<string, readonly string[]>;
}

function aroundOf(plan: StoredPlan | undefined, children: Around['children']): Around {
  return { plan, children, entries: new Map(plan?.entries.map((entry) => [entry.image, entry])) };
}

async function viewOf(image: Image, around: Around, { places, ledger }: FactoryParts): Promise<ImageView> {
  const { plan } = around;
  const entry = around.entries.get(image.name);
  const { paused, quarantined = [] } = plan?.standing[image.name] ?? {};
  const [last] = await ledger.runs({ image: image.name, limit: 1 });
  const children = around.children.get(image.name) ?? [];
  return {
    ...{ name: image.name, definition: image, repository: repositoryOf(places.release(image.name)) },
    ...{ parents: parentsOf(image), children, quarantined },
    ...stateOf(entry),
    ...(paused && { paused }),
    ...(last && { lastRun: viewOfRun(last, {}) }),
    ...(entry && plan && { checkedAt: plan.at }),
  };
}

function stateOf(entry: PlanEntry | undefined): Pick<ImageView, 'state' | 'reasons' | 'holds' | 'unknown' | 'release'> {
  if (entry === undefined) return { state: 'unknown', reasons: [], holds: [], unknown: 'it was not looked at yet' };
  const { state, reasons, holds, unknown, release } = entry;
  return { state, reasons, holds, ...(unknown && { unknown }), ...(release && { release: toView(release) }) };
}

function toView({ version, digest, created, platforms }: Release): ReleaseView {
  return { version, digest, platforms, ...(created && { created }) };
}

async function releasesOf(
  image: Image,
  { limit = 50, cursor }: Paging = {},
  { registry, places }: FactoryParts,
  { now }: ServiceParts,
): Promise<Page<ReleaseView & { quarantined: boolean }>> {
  const repository = places.release(image.name);
  const tags = (await registry.tags(repository)).filter((tag) => isVersionTag(tag) && isOfLine(image.line, tag));
  const older = tags.sort(semver.rcompare).filter((tag) => cursor === undefined || semver.lt(tag, cursor));
  const page = older.slice(0, Math.min(Math.max(limit, 1), 200));
  const { quarantined } = standingOf(await readMarks(registry, repository, {}), now().toISOString());
  const items = await Promise.all(
    page.map(async (tag) => {
      const stored = await registry.manifest(atTag(repository, tag));
      if (stored === undefined) return [];
      const index = parseManifest(stored.bytes, 'an index');
      const created = index.annotations?.[ANNOTATIONS.created];
      const { digest } = stored.descriptor;
      const view = { version: tag, digest, platforms: childDigests(index), ...(created && { created }) };
      return [{ ...view, quarantined: quarantined.some((each) => each.digest === digest) }];
    }),
  );
  return { items: items.flat(), ...(older.length > page.length && { next: page.at(-1)! }) };
}

async function lastPlan(factory: FactoryParts, parts: ServiceParts, signal: AbortSignal): Promise<PlanView> {
  const plan = await parts.store.plan();
  return plan === undefined ? freshPlan(factory, parts, signal) : { at: plan.at, entries: plan.entries };
}

async function freshPlan(
  { cycle }: FactoryParts,
  { store, now }: ServiceParts,
  signal: AbortSignal,
): Promise<PlanView> {
  const [requests, active] = await Promise.all([store.requests(), store.active()]);
  const requested = new Map(requests.map(({ image, by, at }) => [image, { by, at }]));
  const at = now().toISOString();
  const facts = await lookAtFacts({ ...cycle, requested }, signal);
  const runs = new Map(active.map(({ image }) => [image, 'running'] as const));
  return { at, entries: planFleet({ ...facts, runs }) };
}

async function upstreamsOf(
  { fleet, ledger, cycle }: FactoryParts,
  plan: StoredPlan | undefined,
): Promise<readonly UpstreamView[]> {
  const using = new Map<string, string[]>();
  const sources = new Map<string, string>();
  for (const { name, inputs } of fleet.images) {
    for (const { source } of inputs) {
      if ('golden' in source) continue;
      const upstream = formatReference(source.upstream);
      using.set(upstream, [...(using.get(upstream) ?? []), name]);
      sources.set(upstream, formatReference(cycle.sourceOf(source.upstream)));
    }
  }
  const views = [...using].map(async ([name, images]): Promise<UpstreamView> => {
    const seen = await ledger.observation(name);
    const unknown = plan?.unasked[name];
    const elsewhere = sources.get(name);
    return {
      name,
      images,
      platforms: seen?.platforms ?? {},
      ...(elsewhere !== name && elsewhere && { source: elsewhere }),
      ...(seen && { digest: seen.digest, firstSeenAt: seen.firstSeenAt, checkedAt: seen.checkedAt }),
      ...(seen?.created && { created: seen.created }),
      ...(unknown && { unknown }),
    };
  });
  return (await Promise.all(views)).sort((a, b) => (a.name < b.name ? -1 : 1));
}
