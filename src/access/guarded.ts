import {
  AccessError,
  type AccessRole,
  coversFleet,
  coversImage,
  hasRole,
  type Principal,
} from '../domain/access/principal.ts';
import type { ServiceEvent } from '../domain/service/events.ts';
import type { RebuildRequest } from '../domain/service/views.ts';
import type { FactoryService, Subscription } from '../service/service.ts';

/**
 * The service as one principal may use it: the one place that says which role a method needs, and that keeps those whose
 * credential is limited to some images to these. Lists leave out the others; naming one is refused.
 */
export function guardService(service: FactoryService, principal: Principal): FactoryService {
  const guard = createGuard(principal);
  const sees = <T>(items: readonly T[], imageOf: (item: T) => string) =>
    items.filter((item) => coversImage(principal, imageOf(item)));
  const ownRun = async (id: string, role: AccessRole) => {
    guard.role(role);
    const run = await service.run(id);
    guard.image(run.image);
    return run;
  };
  return {
    ...decisions(service, guard),
    fleet: () => service.fleet(),
    images: async (filter) => sees(await service.images(filter), ({ name }) => name),
    async image(name) {
      const found = await service.image(name); // one that is not there is told to everybody
      guard.image(name);
      return found;
    },
    async releases(image, paging) {
      guard.image(image);
      return service.releases(image, paging);
    },
    async history(image) {
      guard.image(image);
      return service.history(image);
    },
    async diff(image, pair) {
      guard.image(image);
      return service.diff(image, pair);
    },
    async runs(filter) {
      const page = await service.runs(filter);
      return { ...page, items: sees(page.items, ({ image }) => image) };
    },
    run: (id) => ownRun(id, 'viewer'),
    async waitForRun(id, options) {
      await ownRun(id, 'viewer');
      return service.waitForRun(id, options);
    },
    async runLogs(id, options) {
      await ownRun(id, 'viewer');
      return service.runLogs(id, options);
    },
    async cancelRun(id, change) {
      await ownRun(id, 'operator');
      return service.cancelRun(id, change);
    },
    async retryRun(id, change) {
      await ownRun(id, 'operator');
      return service.retryRun(id, change);
    },
    async plan(options) {
      const plan = await service.plan(options);
      return { ...plan, entries: sees(plan.entries, ({ image }) => image) };
    },
    async upstreams() {
      const found = await service.upstreams();
      return found.map((upstream) => ({ ...upstream, images: sees(upstream.images, (image) => image) }));
    },
    async pulls() {
      const found = await service.pulls();
      return {
        ...found,
        pulls: found.pulls.filter(({ image }) => guard.isWhole || (image !== undefined && guard.covers(image))),
      };
    },
    waivers: async () => sees(await service.waivers(), ({ image }) => image),
    async freshness(filter) {
      const { goals, samples, breaches } = await service.freshness(filter);
      return { goals, samples: sees(samples, ({ image }) => image), breaches: sees(breaches, ({ image }) => image) };
    },
    async workers() {
      const found = await service.workers();
      return found.map((worker) => ({ ...worker, jobs: sees(worker.jobs, ({ image }) => image) }));
    },
    queues: () => service.queues(),
    schedules: () => service.schedules(),
    budgets: () => service.budgets(),
    hooks: () => service.hooks(),
    notifications: () => service.notifications(),
    subscribe: (subscription) => subscribe(service, guard, subscription),
  };
}

type Guard = ReturnType<typeof createGuard>;
type Decisions = Pick<
  FactoryService,
  'startRebuild' | 'look' | 'reloadFleet' | 'rollback' | 'quarantine' | 'unquarantine' | 'pause' | 'resume'
>;

function decisions(service: FactoryService, guard: Guard): Decisions {
  return {
    async startRebuild(request) {
      guard.role(request.dryRun ? 'viewer' : 'operator');
      requireSubjects(request, guard);
      return service.startRebuild(request);
    },
    async look(change) {
      guard.role('operator');
      return service.look(change);
    },
    async reloadFleet(change) {
      guard.role('operator');
      return service.reloadFleet(change);
    },
    async rollback(image, change) {
      guard.role('admin');
      guard.image(image);
      return service.rollback(image, change);
    },
    async quarantine(image, what, change) {
      guard.role('admin');
      guard.image(image);
      return service.quarantine(image, what, change);
    },
    async unquarantine(image, what, change) {
      guard.role('admin');
      guard.image(image);
      return service.unquarantine(image, what, change);
    },
    async pause(image, change) {
      requirePausable(image, guard);
      return service.pause(image, change);
    },
    async resume(image, change) {
      requirePausable(image, guard);
      return service.resume(image, change);
    },
  };
}

/** One image stands still: operators. All of them: admins. */
function requirePausable(image: string | undefined, guard: Guard): void {
  guard.role(image === undefined ? 'admin' : 'operator');
  if (image === undefined) guard.fleet('a pause of the whole fleet');
  else guard.image(image);
}

function requireSubjects({ images = [], upstreams = [] }: RebuildRequest, guard: Guard): void {
  for (const image of images) guard.image(image);
  if (upstreams.length > 0) guard.fleet('a rebuild of everything that uses an upstream');
}

function createGuard(principal: Principal) {
  const refuse = (message: string): never => {
    throw new AccessError(message, { code: 'forbidden' });
  };
  return {
    role(needed: AccessRole) {
      if (!hasRole(principal, needed)) refuse(`${principal.name} is ${principal.role}, and this is for ${needed}s`);
    },
    image(name: string) {
      if (!coversImage(principal, name)) refuse(`${principal.name} has nothing to do with the image ${name}`);
    },
    fleet(what: string) {
      if (!coversFleet(principal))
        refuse(`${principal.name} is limited to some images, and ${what} concerns others too`);
    },
    covers: (image: string) => coversImage(principal, image),
    isWhole: coversFleet(principal),
  };
}

async function* subscribe(
  service: FactoryService,
  guard: Guard,
  subscription: Subscription,
): AsyncGenerator<ServiceEvent> {
  if (subscription.image !== undefined) guard.image(subscription.image);
  if (subscription.run !== undefined) guard.image((await service.run(subscription.run)).image);
  const isNamed = subscription.run !== undefined || subscription.image !== undefined;
  for await (const event of service.subscribe(subscription)) {
    if (isNamed || guard.isWhole || isVisible(event, guard)) yield event;
  }
}

function isVisible(event: ServiceEvent, guard: Guard): boolean {
  if (!('image' in event) || event.image === undefined) return event.type !== 'run.step';
  return event.image === '*' || guard.covers(event.image);
}
