import { isCritical } from '../domain/freeze.ts';
import type { Priority } from '../domain/service/views.ts';
import type { Reason } from '../domain/staleness.ts';

/** How urgent a run is, for its reasons. */
export function priorityOf(reasons: readonly Reason[]): Priority {
  if (isCritical(reasons)) return 'critical';
  if (reasons.some(({ kind }) => kind === 'requested')) return 'requested';
  const isNightly = reasons.every(({ kind }) => kind === 'package-updates' || kind === 'recipe-changed');
  return isNightly ? 'nightly' : 'base-change';
}
