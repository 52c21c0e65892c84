import { secondsBetween } from '../domain/freshness.ts';
import type { Run, StepRecord } from '../domain/run.ts';
import type { Reason } from '../domain/staleness.ts';

/** The reason that names a run; `none` where it has none. */
export function namingReason({ reasons }: Pick<Run, 'reasons'>): Reason['kind'] | 'none' {
  return reasons[0]?.kind ?? 'none';
}

/** Seconds from its start to its end; `undefined` while it has none. */
export function runSeconds({ startedAt }: Pick<Run, 'startedAt'>, endedAt: string | undefined): number | undefined {
  return endedAt === undefined ? undefined : secondsBetween(startedAt, endedAt);
}

/** The same of a step that was run; one that was done already took no time. */
export function stepSeconds({ state, startedAt, endedAt }: StepRecord): number | undefined {
  if (endedAt === undefined || (state !== 'done' && state !== 'failed')) return undefined;
  return Math.max(0, (endedAt - startedAt) / 1000);
}

/** From what upstream says of when it made the image that a release came from; `undefined` where it does not. */
export function changeToReleaseSeconds({ reasons }: Pick<Run, 'reasons'>, releasedAt: string): number | undefined {
  const created = reasons.flatMap((reason) => ('created' in reason && reason.created ? [reason.created] : []));
  const seconds = created.map((time) => secondsBetween(time, releasedAt)).filter(Number.isFinite);
  return seconds.length === 0 ? undefined : Math.max(...seconds);
}
