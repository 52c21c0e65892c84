import type { ServiceEvent } from '../domain/service/events.ts';
import type { FleetState } from '../domain/service/views.ts';
import { createDecisions } from './decisions.ts';
import { createHistory } from './history.ts';
import { createImageQuestions } from './images.ts';
import { createObservations } from './observations.ts';
import type { ServiceParts } from './parts.ts';
import { createRunDecisions } from './rebuilds.ts';
import { createRunQuestions } from './runs.ts';
import { type FactoryService, ServiceError, type Subscription } from './service.ts';

/** What an organisation asks of a factory that keeps running; the same in every process on its Redis and registry. */
export function createService(parts: ServiceParts): FactoryService {
  const questions = createRunQuestions(parts);
  return {
    fleet: () => readFleetState(parts),
    async reloadFleet() {
      await parts.reload();
      return readFleetState(parts);
    },
    async look() {
      await parts.store.changed(['*']);
      await parts.runs.look();
    },
    ...questions,
    ...createRunDecisions(parts, questions.run),
    ...createImageQuestions(parts),
    ...createHistory(parts),
    ...createDecisions(parts),
    ...createObservations(parts),
    subscribe: (subscription) => subscribe(subscription, parts),
  };
}

async function readFleetState({ store }: ServiceParts): Promise<FleetState> {
  const [pointer, plan] = await Promise.all([store.definitions(), store.plan()]);
  if (pointer === undefined) throw new ServiceError('no definitions have been read yet', { code: 'unavailable' });
  const { fleet: name, source, commit, digest, loadedAt, checkedAt, refused, base, images, platforms } = pointer;
  // A pause of the whole fleet is one of each image
  const pauses = Object.values(plan?.standing ?? {}).map(({ paused }) => paused);
  const [first] = pauses;
  const all = first !== undefined && pauses.every((paused) => paused?.at === first.at);
  return {
    ...{ name, source, digest, loadedAt, checkedAt, images, platforms, registry: base },
    ...(commit && { commit }),
    ...(refused && { refused }),
    ...(all && { paused: first }),
  };
}

const POLL_MS = 400;
const AT_ONCE = 200;

async function* subscribe(
  { run, image, after, signal }: Subscription,
  { store, sleep }: ServiceParts,
): AsyncGenerator<ServiceEvent> {
  let { last } = after === undefined ? await store.events(undefined, 0) : { last: after };
  while (!signal.aborted) {
    const page = await store.events(last, AT_ONCE);
    last = page.last;
    for (const event of page.events) {
      if (run !== undefined && !('run' in event && event.run === run)) continue;
      if (image !== undefined && !('image' in event && (event.image === image || event.image === '*'))) continue;
      yield event;
    }
    if (page.events.length < AT_ONCE) await sleep(POLL_MS, signal).catch(() => undefined);
  }
}
