import { AccessError, type Principal } from '../domain/access/principal.ts';
import { FactoryError } from '../domain/errors.ts';
import type { FactoryService } from '../service/service.ts';
import type { AuditEntry, AuditLog } from './audit.ts';

export interface AuditContext {
  readonly principal: Principal;
  /** Address. */
  readonly from: string;
  readonly request?: string | undefined;
}

type Subject = Pick<AuditEntry, 'what' | 'on' | 'reason'>;

/** The same service, and every change that is asked of it in the audit log: also what is refused, and what fails. */
export function auditService(service: FactoryService, log: AuditLog, context: AuditContext): FactoryService {
  const audit = createAuditor(log, context);
  return {
    ...service,
    startRebuild(request) {
      if (request.dryRun) return service.startRebuild(request);
      const on = [...(request.images ?? []), ...(request.upstreams ?? [])];
      return audit(
        { what: 'rebuild.start', on, reason: request.reason },
        () => service.startRebuild(request),
        (answer) => answer.runs.map(({ id }) => id).join(' '),
      );
    },
    cancelRun: (id, change) =>
      audit({ what: 'run.cancel', on: [id], reason: change.reason }, () => service.cancelRun(id, change)),
    retryRun: (id, change) =>
      audit(
        { what: 'run.retry', on: [id], reason: change.reason },
        () => service.retryRun(id, change),
        (run) => run.id,
      ),
    look: (change) => audit({ what: 'fleet.look', on: [], reason: change.reason }, () => service.look(change)),
    reloadFleet: (change) =>
      audit({ what: 'fleet.reload', on: [], reason: change.reason }, () => service.reloadFleet(change)),
    rollback: (image, change) =>
      audit(
        { what: 'image.rollback', on: [image], reason: change.reason },
        () => service.rollback(image, change),
        ({ version }) => `to ${version}`,
      ),
    quarantine: (image, what, change) =>
      audit({ what: 'image.quarantine', on: [image, what], reason: change.reason }, () =>
        service.quarantine(image, what, change),
      ),
    unquarantine: (image, what, change) =>
      audit({ what: 'image.unquarantine', on: [image, what], reason: change.reason }, () =>
        service.unquarantine(image, what, change),
      ),
    pause: (image, change) =>
      audit({ what: 'image.pause', on: [image ?? '*'], reason: change.reason }, () => service.pause(image, change)),
    resume: (image, change) =>
      audit({ what: 'image.resume', on: [image ?? '*'], reason: change.reason }, () => service.resume(image, change)),
  };
}

function createAuditor(log: AuditLog, { principal: { name: who, role }, from, request }: AuditContext) {
  return async <T>(subject: Subject, change: () => Promise<T>, told?: (end: T) => string): Promise<T> => {
    const entry = { who, role, ...subject, from, request };
    await log.write({ ...entry, outcome: 'begun' });
    try {
      const end = await change();
      await log.write({ ...entry, outcome: 'done', detail: told?.(end) });
      return end;
    } catch (error) {
      await log.write({ ...entry, outcome: outcomeOf(error), detail: messageOf(error) });
      throw error;
    }
  };
}

function outcomeOf(error: unknown): AuditEntry['outcome'] {
  return error instanceof AccessError && error.code === 'forbidden' ? 'refused' : 'failed';
}

function messageOf(error: unknown): string {
  return error instanceof FactoryError ? error.message : 'an error of ingot itself; its log says more';
}
