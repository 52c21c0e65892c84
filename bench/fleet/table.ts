import Table from 'cli-table3';
import type { ScenarioResult } from './scenario.ts';

/** With what the package archive saw of it. */
export interface PlayedScenario extends ScenarioResult {
  readonly archiveRequests: number;
}

const STEPS_SHOWN = 6;

/** One row a scenario, then the requests by kind and the steps that took longest. */
export function toTable(results: readonly PlayedScenario[]): string {
  const kinds = [...new Set(results.flatMap(({ requests }) => Object.keys(requests)))];
  return [
    table(
      ['scenario', 'wall s', 'of it start s', 'own CPU s', 'peak MiB', 'builds', 'requests', 'to archives', 'outcomes'],
      results.map(toRow),
    ),
    table(
      ['requests', ...results.map(({ scenario }) => scenario)],
      kinds.map((kind) => toKindRow(kind, results)),
    ),
    ...results.filter(({ builds }) => builds > 0).map(stepsOf),
  ].join('\n');
}

function toRow(result: PlayedScenario): string[] {
  const { scenario, seconds, startSeconds, cpuSeconds, peakMiB, builds, requests, outcomes, archiveRequests } = result;
  const ends = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const total = Object.values(requests).reduce((sum, count) => sum + count, 0);
  const numbers = [seconds, startSeconds, cpuSeconds, peakMiB, builds, total, archiveRequests];
  return [scenario, ...numbers.map(String), ends.join(', ') || 'no runs'];
}

function toKindRow(kind: string, results: readonly PlayedScenario[]): string[] {
  return [kind, ...results.map(({ requests }) => String(requests[kind] ?? 0))];
}

function stepsOf({ scenario, stepSeconds }: ScenarioResult): string {
  const longest = Object.entries(stepSeconds).slice(0, STEPS_SHOWN);
  return `${scenario}: ${longest.map(([name, seconds]) => `${name} ${seconds} s`).join(', ')} (sums, steps overlap)`;
}

function table(head: string[], rows: string[][]): string {
  const made = new Table({ head, style: { head: [], border: [] } });
  made.push(...rows);
  return made.toString();
}
