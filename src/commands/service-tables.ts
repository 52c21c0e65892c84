import Table from 'cli-table3';
import { explainRoom } from '../domain/reasons.ts';
import type { FleetState } from '../domain/service/views.ts';
import type { BudgetView, QueueView, WorkerView } from '../domain/service/workers.ts';

const PLAIN = { head: [], border: [] };

/** `ingot workers`: who takes work, and what each has. */
export function workersText(workers: readonly WorkerView[], now: number): string {
  if (workers.length === 0) return 'no worker is there; "ingot worker" starts one';
  const table = new Table({ head: ['worker', 'host', 'roles', 'platforms', 'up', 'jobs'], style: PLAIN });
  for (const { id, host, pid, roles, platforms, startedAt, stopping, lowDisk, jobs } of workers) {
    const kinds = platforms.map(({ platform, how }) => (how === 'emulated' ? `${platform} (emulated)` : platform));
    const work = jobs.map(({ role, image, platform }) => [role, image, platform].filter(Boolean).join(' '));
    const full = lowDisk && `builds nothing: ${explainRoom(lowDisk)}`;
    const doing = [...(stopping ? ['stopping'] : []), ...(full ? [full] : []), ...work].join('\n');
    table.push([id, `${host} ${pid}`, roles.join('\n'), kinds.join('\n'), age(startedAt, now), doing]);
  }
  return table.toString();
}

/** `ingot queues`: what waits, per role and platform. */
export function queuesText(queues: readonly QueueView[], now: number): string {
  const head = ['queue', 'waiting', 'oldest', 'running', 'stalled', 'failed in a day', 'workers'];
  const table = new Table({ head, style: PLAIN });
  for (const { name, waiting, delayed, blocked, oldest, running, stalled, failed, workers, role } of queues) {
    const more = [...(delayed > 0 ? [`${delayed} later`] : []), ...(blocked > 0 ? [`${blocked} for platforms`] : [])];
    const all = [String(waiting), ...more].join(', ');
    const able = role === 'scheduler' ? '' : workers;
    table.push([name, all, oldest === undefined ? '' : age(oldest, now), running, stalled, failed, able]);
  }
  return table.toString();
}

/** `ingot budgets`: what outside hosts allow. */
export function budgetsText(budgets: readonly BudgetView[], now: number): string {
  if (budgets.length === 0) return 'no host has said that it limits us';
  const table = new Table({ head: ['host', 'as', 'left', 'waiting', 'counted today', 'paused'], style: PLAIN });
  for (const { host, identity, limit, remaining, windowSeconds, waiting, spentToday, pausedUntil, why } of budgets) {
    const per = windowSeconds === undefined ? '' : ` in ${seconds(windowSeconds)}`;
    const left = remaining === undefined ? '' : `${remaining}${limit === undefined ? '' : ` of ${limit}${per}`}`;
    const paused = pausedUntil === undefined ? '' : `${seconds((Date.parse(pausedUntil) - now) / 1000)}: ${why ?? ''}`;
    table.push([host, identity, left, waiting, spentToday, paused]);
  }
  return table.toString();
}

/** What is wrong with the definitions, where something is. */
export function refusedLines({ refused, commit, loadedAt }: FleetState): readonly string[] {
  if (refused === undefined) return [];
  const kept = commit === undefined ? `those of ${loadedAt}` : `commit ${commit.slice(0, 12)}`;
  return [
    `the newest definitions are not used, ${kept} stay:`,
    ...refused.message.split('\n').map((line) => `    ${line}`),
  ];
}

function age(time: string, now: number): string {
  return seconds((now - Date.parse(time)) / 1000);
}

function seconds(count: number): string {
  const whole = Math.max(0, Math.round(count));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.round(whole / 60)}m`;
  return whole < 172_800 ? `${Math.round(whole / 3600)}h` : `${Math.round(whole / 86_400)}d`;
}
