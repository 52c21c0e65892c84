import type { Reference } from '../domain/reference.ts';
import type { Change } from '../domain/service/views.ts';
import { parseUntil } from '../domain/until.ts';
import type { MarkDeps } from '../flows/mark-log.ts';
import { pause, resume } from '../flows/pause.ts';
import { liftQuarantine, quarantineRelease } from '../flows/quarantine.ts';
import { rollBack } from '../flows/rollback.ts';
import { find } from './images.ts';
import type { FactoryParts, ServiceParts } from './parts.ts';
import { type FactoryService, ServiceError } from './service.ts';

type Decisions = Pick<FactoryService, 'rollback' | 'quarantine' | 'unquarantine' | 'pause' | 'resume'>;

/** What people decide against what the machine would do: written into the registry, then looked at. */
export function createDecisions(parts: ServiceParts): Decisions {
  const { withFactory } = parts;
  const deps = ({ registry, ledger }: FactoryParts): MarkDeps => ({ registry, ledger, now: parts.now });
  const never = new AbortController().signal;
  return {
    rollback: (name, { by, reason, to }) =>
      withFactory(async (factory) => {
        const image = find(name, factory);
        const repository = factory.places.release(name);
        const channels = factory.fleet.settings.channels.map((channel) => channel.name);
        const request = { image, repository, channels, by, reason: required(reason, 'a rollback'), to };
        const end = await rollBack(request, { ...deps(factory), attestor: factory.attestor }, never);
        await tell(parts, name, `rolled back to ${end.version}`, by);
        await factory.propose(name, never);
        return { image: name, ...end };
      }),
    quarantine: (name, what, { by, reason }) =>
      withFactory(async (factory) => {
        const request = { ...requestOf(name, what, by, factory), reason: required(reason, 'a quarantine') };
        const end = await quarantineRelease(request, deps(factory), never);
        await tell(parts, name, `quarantined ${end.version ?? end.digest}`, by);
        return { image: name, ...end };
      }),
    unquarantine: (name, what, { by, reason }) =>
      withFactory(async (factory) => {
        const request = { ...requestOf(name, what, by, factory), ...(reason && { reason }) };
        const end = await liftQuarantine(request, deps(factory), never);
        await tell(parts, name, `let ${end.version ?? end.digest} in again`, by);
        return { image: name, ...end };
      }),
    pause: (name, { by, reason, until }) =>
      withFactory(async (factory) => {
        const end = until === undefined ? {} : { until: parseUntil(until, parts.now()) };
        const request = { repository: subject(name, factory), by, reason: required(reason, 'a pause'), ...end };
        await pause(request, deps(factory), never);
        await tell(parts, name, 'paused', by);
      }),
    resume: (name, { by }) =>
      withFactory(async (factory) => {
        const ended = await resume({ repository: subject(name, factory), by }, deps(factory), never);
        await tell(parts, name, 'resumed', by);
        return ended !== undefined;
      }),
  };
}

function requestOf(name: string, what: string, by: string, factory: FactoryParts) {
  return { image: find(name, factory).name, repository: factory.places.release(name), what, by };
}

function subject(name: string | undefined, factory: FactoryParts): Reference {
  return name === undefined ? factory.places.fleet() : factory.places.release(find(name, factory).name);
}

function required(reason: string | undefined, what: string): string {
  if (reason) return reason;
  throw new ServiceError(`${what} needs a reason, which is said wherever it matters`, { code: 'usage' });
}

async function tell({ store, runs }: ServiceParts, image: string | undefined, what: string, by: Change['by']) {
  await store.changed([image ?? '*']);
  await store.tell({ type: 'image.changed', image: image ?? '*', what, by });
  await runs.look();
}
