import type { App } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { type ReplicaReport, replicateAll } from '../flows/replicate.ts';
import { replicateDeps } from './flow-deps.ts';
import type { Output } from './output.ts';

/** `ingot replicate`: brings every replica to where our own registry is. 4: one could not be asked. */
export async function replicateCommand(
  app: App,
  output: Output,
  { json, signal }: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<number> {
  if (app.fleet.settings.replicas.length === 0) {
    throw new FactoryError('there is no replica; name one under "replicas" in ingot.yaml', { code: 'usage' });
  }
  const reports = await replicateAll(replicateDeps(app), signal);
  if (json) output.json(reports);
  else for (const report of reports) for (const line of linesOf(report)) output.line(line);
  if (reports.some(({ unreachable }) => unreachable !== undefined)) return 4;
  return reports.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

function linesOf(report: ReplicaReport): string[] {
  const lines = replicaLines([report]);
  return lines.length === 0 ? [`${report.replica}: nothing to do`] : lines;
}

/** What was done at replicas, and what could not be, a line each. */
export function replicaLines(reports: readonly ReplicaReport[]): string[] {
  return reports.flatMap(({ replica, unreachable, copied, moved, problems }) => [
    ...copied.map(({ image, version }) => `${replica}: ${image} ${version} copied`),
    ...moved.map(({ image, channel, version }) => `${replica}: ${image} ${channel} moved to ${version ?? 'it'}`),
    ...problems.map(({ message }) => `${replica}: ${message}`),
    ...(unreachable === undefined
      ? []
      : [`${replica}: ${unreachable}; what it lacks is made up for by the next cycle`]),
  ]);
}
