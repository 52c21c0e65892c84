import type { Run } from '../domain/run.ts';
import type { Priority, RunState, RunView } from '../domain/service/views.ts';
import type { Cancellation, Request } from '../ledger/store.ts';
import { priorityOf } from './priority.ts';

interface Known {
  readonly request?: Request | undefined;
  readonly cancelled?: Cancellation | undefined;
  readonly priority?: Priority | undefined;
}

/** A run that has begun, as the ledger keeps it. */
export function viewOfRun(run: Run, { request, cancelled, priority }: Known): RunView {
  return {
    ...run,
    state: stateOf(run),
    priority: priority ?? request?.priority ?? priorityOf(run.reasons),
    ...askedFor(request),
    ...(cancelled && { cancelled }),
  };
}

/** A rebuild that was asked for and has not begun, or was called off before it did. */
export function viewOfRequest(request: Request, cancelled: Cancellation | undefined, holds: RunView['holds']): RunView {
  const { runId: id, image, at, priority, by } = request;
  const ended = cancelled && {
    ...{ endedAt: cancelled.at, outcome: 'cancelled' as const, cancelled },
    summary: `cancelled by ${cancelled.by}`,
  };
  return {
    ...{ id, image, priority, holds, startedAt: at, platforms: [], steps: [] },
    state: cancelled === undefined ? 'waiting' : 'ended',
    reasons: [{ kind: 'requested', by }],
    ...askedFor(request),
    ...ended,
  };
}

function askedFor(request: Request | undefined): Pick<RunView, 'request'> {
  if (request === undefined) return {};
  const { by, at, reason } = request;
  return { request: { by, at, ...(reason && { reason }) } };
}

function stateOf({ outcome, steps }: Run): RunState {
  if (outcome !== undefined) return 'ended';
  return steps.length === 0 ? 'queued' : 'running';
}
