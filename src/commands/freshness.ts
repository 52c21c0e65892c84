import Table from 'cli-table3';
import type { App } from '../compose.ts';
import { formatDuration } from '../domain/duration.ts';
import { FRESHNESS_STAGES, type FreshnessGroup, type FreshnessSample, type Percentiles } from '../domain/freshness.ts';
import { summariseFreshness } from '../domain/freshness-summary.ts';
import { familiarName } from '../domain/upstream.ts';
import { readFreshness } from '../flows/freshness-report.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

export interface FreshnessOptions {
  readonly image?: string | undefined;
  /** RFC 3339; absent: 90 days ago. */
  readonly since?: string | undefined;
  readonly json: boolean;
  readonly now: Date;
}

/** `ingot freshness`: how long changes take, and which goals are not kept. Exit code 1 while one is not. */
export async function freshnessCommand(
  app: Pick<App, 'fleet' | 'freshness' | 'ledger' | 'storedPlan'>,
  output: Output,
  { image, since, json, now }: FreshnessOptions,
): Promise<number> {
  if (image !== undefined) requireImages([image], app.fleet.images);
  const { fleet, freshness, ledger } = app;
  const report = await readFreshness({ image, since }, { fleet, freshness, ledger, plan: app.storedPlan, now });
  const summary = summariseFreshness(report);
  const { breaches, byImage, byMonth, items: samples } = summary;
  if (json) output.json(summary);
  else {
    for (const line of breachLines(breaches)) output.line(line);
    for (const line of openLines(samples, now)) output.line(line);
    if (samples.length === 0) output.line('nothing changed outside that a release did not have');
    if (byImage.length > 0) output.line(groupTable('image', byImage));
    if (byMonth.length > 1) output.line(groupTable('month', byMonth));
  }
  return breaches.some(({ running }) => running) ? 1 : 0;
}

const PAST = 10;

type ExplainedBreach = ReturnType<typeof summariseFreshness>['breaches'][number];

function breachLines(breaches: readonly ExplainedBreach[]): string[] {
  const past = breaches.filter(({ running }) => !running);
  const more = past.length > PAST ? [`${past.length - PAST} more breaches are over; --json names them all`] : [];
  return [
    ...breaches.filter(({ running }) => running).map(({ image, reason }) => `${image}: ${reason}`),
    ...past.slice(0, PAST).map(({ image, releasedAt, reason }) => `${image}: over since ${releasedAt}: ${reason}`),
    ...more,
  ];
}

function openLines(samples: readonly FreshnessSample[], now: Date): string[] {
  const open = samples.filter(({ releasedAt }) => releasedAt === undefined);
  return open.map(({ image, kind, upstream, changedAt }) => {
    const passed = formatDuration(now.getTime() - Date.parse(changedAt));
    const what = kind === 'fix' ? `the fix of ${upstream}` : familiarName(upstream);
    return `${image}: ${what} ${kind === 'fix' ? 'is to be had for' : 'changed'} ${passed}${kind === 'fix' ? '' : ' ago'}, and is not released yet`;
  });
}

function groupTable(what: string, groups: readonly FreshnessGroup[]): string {
  const table = new Table({ head: [what, 'changes', ...FRESHNESS_STAGES], style: { head: [], border: [] } });
  for (const { key, count, stages } of groups) {
    table.push([key, count, ...FRESHNESS_STAGES.map((stage) => percentilesText(stages[stage]))]);
  }
  return table.toString();
}

function percentilesText({ p50, p95 }: Percentiles): string {
  if (p50 === undefined || p95 === undefined) return '';
  return `${formatDuration(p50 * 1000)} / ${formatDuration(p95 * 1000)}`;
}
