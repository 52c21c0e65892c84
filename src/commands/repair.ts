import type { App } from '../compose.ts';
import { type RepairReport, repairReleases } from '../flows/repair.ts';
import { repairDeps } from './flow-deps.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

export interface RepairCommandOptions {
  /** Empty: all. */
  readonly images: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** `ingot repair`: what the registry lacks of releases in use, put back where that can be. 1: something could not be; 4: something could not be asked. */
export async function repairCommand(app: App, output: Output, options: RepairCommandOptions): Promise<number> {
  const { images, dryRun, json, signal } = options;
  requireImages(images, app.fleet.images);
  const wanted = app.fleet.images.filter(({ name }) => images.length === 0 || images.includes(name));
  const reports = await repairReleases(wanted, repairDeps(app), signal, { dryRun });
  if (json) output.json(reports);
  else for (const report of reports) for (const line of toLines(report, dryRun)) output.line(line);
  const broken = reports.some(({ missing, lost }) => (dryRun ? missing.length > 0 : lost.length > 0));
  if (broken) return 1;
  return reports.some(({ unknown }) => unknown !== undefined) ? 4 : 0;
}

function toLines({ image, version, missing, restored, lost, unknown }: RepairReport, dryRun: boolean): string[] {
  const what = `${image} ${version}`.trimEnd();
  if (unknown !== undefined) return [`${what} could not be looked at: ${unknown}`];
  if (missing.length === 0) return [`${what} is whole`];
  if (dryRun) return [`${what} lacks`, ...missing.map(indent)];
  return [
    ...(restored.length === 0 ? [] : [`${what}: put back`, ...restored.map(indent)]),
    ...(lost.length === 0 ? [] : [`${what}: cannot be put back; the next cycle releases it anew`]),
    ...lost.map(({ what: gap, why }) => indent(`${gap}: ${why}`)),
  ];
}

function indent(text: string): string {
  return `    ${text}`;
}
