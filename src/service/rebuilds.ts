import { digestOf } from '../domain/digest.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import { suggestion } from '../domain/fleet/nearest.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { planFleet } from '../domain/plan.ts';
import { formatReference } from '../domain/reference.ts';
import type { RebuildAnswer, RebuildRequest, RunView } from '../domain/service/views.ts';
import { lookAtFacts } from '../flows/gather.ts';
import type { Request } from '../ledger/store.ts';
import { conflict, notFound, type ServiceParts } from './parts.ts';
import { viewOfRequest } from './run-views.ts';
import { type FactoryService, ServiceError } from './service.ts';

type RunDecisions = Pick<FactoryService, 'startRebuild' | 'cancelRun' | 'retryRun'>;

/** How long cancelling waits for those who have the run to let go of it. */
const CANCEL_MS = 4_000;
const POLL_MS = 200;

export function createRunDecisions(parts: ServiceParts, run: FactoryService['run']): RunDecisions {
  const startRebuild = (request: RebuildRequest) => rebuild(request, parts, run);
  return {
    startRebuild,
    cancelRun: (id, change) => cancelRun(id, change, parts, run),
    async retryRun(id, { by, reason }) {
      const before = await run(id);
      if (before.state !== 'ended') throw conflict(`run ${id} of ${before.image} has not ended; cancel it first`);
      const answer = await startRebuild({ images: [before.image], by, reason: reason ?? `again after run ${id}` });
      return answer.runs[0]!;
    },
  };
}

async function rebuild(
  request: RebuildRequest,
  parts: ServiceParts,
  run: FactoryService['run'],
): Promise<RebuildAnswer> {
  const images = await parts.withFactory(async ({ fleet }) => wantedImages(request, fleet));
  if (request.dryRun) return dryRun(images, request, parts);
  const key = request.idempotencyKey;
  const { idempotencyKey: _, ...asked } = request;
  const question = digestOf(canonicalJson(asked));
  const before = key === undefined ? undefined : await parts.store.kept(key);
  if (before !== undefined) return sameAnswer(before, question, run);
  const at = parts.now().toISOString();
  const { by, reason, priority = 'requested' } = request;
  const requests = images.map((image): Request => {
    return { runId: parts.newRunId(), image, by, priority, at, ...(reason && { reason }) };
  });
  if (key !== undefined) {
    const kept = await parts.store.once(key, { question, answer: requests.map(({ runId }) => runId).join(' ') });
    if (kept.answer !== requests.map(({ runId }) => runId).join(' ')) return sameAnswer(kept, question, run);
  }
  const waiting = await Promise.all(requests.map((each) => parts.store.request(each)));
  for (const each of waiting) {
    if (requests.includes(each)) await parts.store.tell({ type: 'run.requested', run: each.runId, image: each.image });
  }
  await parts.runs.look();
  return { runs: waiting.map((each) => viewOfRequest(each, undefined, [])) };
}

async function sameAnswer(
  kept: { readonly question: string; readonly answer: string },
  question: string,
  run: FactoryService['run'],
): Promise<RebuildAnswer> {
  if (kept.question !== question) throw conflict('another request was made under this idempotency key');
  return { runs: await Promise.all(kept.answer.split(' ').map(run)) };
}

function wantedImages({ images = [], upstreams = [] }: RebuildRequest, fleet: Fleet): readonly string[] {
  const names = fleet.images.map(({ name }) => name);
  for (const image of images) if (!names.includes(image)) throw unknownName('image', image, names);
  const using = upstreams.flatMap((upstream) => imagesUsing(upstream, fleet));
  const wanted = names.filter((name) => images.includes(name) || using.includes(name));
  if (wanted.length === 0) throw new ServiceError('name images or upstreams to rebuild', { code: 'usage' });
  return wanted;
}

function imagesUsing(upstream: string, { images }: Fleet): readonly string[] {
  const isMeant = (written: string, whole: string) => written === upstream || whole === upstream;
  const using = images.filter((image) =>
    image.inputs.some(
      ({ written, source }) => 'upstream' in source && isMeant(written, formatReference(source.upstream)),
    ),
  );
  if (using.length > 0) return using.map(({ name }) => name);
  const known = images.flatMap(({ inputs }) =>
    inputs.flatMap(({ source }) => ('upstream' in source ? [source.upstream] : [])),
  );
  throw unknownName('upstream', upstream, [...new Set(known.map(formatReference))]);
}

function unknownName(kind: string, name: string, known: readonly string[]): ServiceError {
  const hint = suggestion(name, known);
  return notFound(`the fleet has no ${kind} ${name}${hint === undefined ? '' : `; ${hint}`}`);
}

async function dryRun(
  images: readonly string[],
  { by }: RebuildRequest,
  { withFactory, now }: ServiceParts,
): Promise<RebuildAnswer> {
  const requested = new Map(images.map((image) => [image, { by, at: now().toISOString() }]));
  return withFactory(async ({ cycle }) => {
    const facts = await lookAtFacts({ ...cycle, requested }, new AbortController().signal);
    return { runs: [], plan: planFleet(facts).filter(({ image }) => images.includes(image)) };
  });
}

async function cancelRun(
  id: string,
  { by, reason }: { readonly by: string; readonly reason?: string | undefined },
  parts: ServiceParts,
  run: FactoryService['run'],
): Promise<RunView> {
  const view = await run(id);
  if (view.state === 'ended') throw conflict(`run ${id} of ${view.image} has ended as ${view.outcome}`);
  const { store, now } = parts;
  await store.cancel(id, { by, at: now().toISOString(), ...(reason && { reason }) });
  if (view.state === 'waiting') await store.ended(view.image, id);
  const until = now().getTime() + CANCEL_MS;
  while (!(await isOver(id, view.image, by, parts)) && now().getTime() < until) await parts.sleep(POLL_MS);
  return run(id);
}

/** What nobody has begun is taken out of the queues; who has the rest ends it, and says so. */
async function isOver(id: string, image: string, by: string, { store, runs, ledger, now }: ServiceParts) {
  const known = await ledger.run(id);
  if (known?.outcome !== undefined) return true;
  const active = (await store.active()).find(({ runId }) => runId === id);
  if (active === undefined) return known === undefined;
  if (!(await runs.remove(active))) return false;
  if ((await ledger.run(id))?.outcome !== undefined) return true; // its worker was faster
  const summary = `cancelled by ${by}`;
  const cancelled = (await store.cancelled([id])).get(id);
  const who = cancelled && { cancelled };
  await ledger.finishRun(id, { outcome: 'cancelled', summary, ...who, endedAt: now().toISOString() });
  await store.changed([image]);
  await store.ended(image, id);
  await store.tell({ type: 'run.ended', run: id, image, outcome: 'cancelled', summary });
  await runs.look();
  return true;
}
