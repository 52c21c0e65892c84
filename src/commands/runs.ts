import Table from 'cli-table3';
import { ClientLogs, ClientRun, ClientRuns, exitCodeOfOutcomes } from '../client/runs.ts';
import type { Output } from './output.ts';
import { type ClientDeps, waitForRuns } from './rebuild.ts';

const PLAIN = { head: [], border: [] };

export interface ListRunsOptions {
  readonly image?: string | undefined;
  readonly state?: string | undefined;
  readonly outcome?: string | undefined;
  readonly limit: number;
}

/** `ingot runs list` */
export async function listRunsCommand(
  { limit, ...filter }: ListRunsOptions,
  output: Output,
  { client, signal, json }: ClientDeps,
): Promise<number> {
  const runs: ClientRun[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter, limit: String(Math.min(200, limit - runs.length)), cursor };
    const page = await client.get('/v1/runs', ClientRuns, { query, signal });
    runs.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined && runs.length < limit);
  if (json) output.json(runs);
  else output.line(runs.length === 0 ? 'there are no such runs' : runsText(runs));
  return 0;
}

function runsText(runs: readonly ClientRun[]): string {
  const table = new Table({ head: ['run', 'image', 'started', 'state', 'what came of it'], style: PLAIN });
  for (const { id, image, startedAt, state, outcome, version, summary, reasons, holds } of runs) {
    const words = summary ?? [...holds, ...reasons][0]?.text ?? '';
    table.push([id, image, startedAt.slice(0, 16), outcome ?? state, [version, words].filter(Boolean).join(': ')]);
  }
  return table.toString();
}

/** `ingot runs show`: the exit code is that of its outcome. */
export async function showRunCommand(
  id: string,
  output: Output,
  { client, signal, json }: ClientDeps,
): Promise<number> {
  const run = await client.get(`/v1/runs/${encodeURIComponent(id)}`, ClientRun, { signal });
  if (json) output.json(run);
  else for (const line of runLines(run)) output.line(line);
  return exitCodeOfOutcomes([run.outcome]);
}

function runLines(run: ClientRun): readonly string[] {
  const { id, image, state, outcome, summary, version, digest, request, reasons, holds, steps } = run;
  return [
    `${image}: ${outcome ?? state}${summary === undefined ? '' : `: ${summary}`}`,
    `run ${id}, started ${run.startedAt}${run.endedAt === undefined ? '' : `, ended ${run.endedAt}`}`,
    ...(request === undefined ? [] : [`asked for by ${request.by}${request.reason ? `: ${request.reason}` : ''}`]),
    ...(digest === undefined ? [] : [`${version ?? ''} ${digest}`.trim()]),
    ...reasons.map(({ text }) => `because ${text}`),
    ...holds.map(({ text }) => `held: ${text}`),
    ...steps.map((step) => {
      const seconds = step.endedAt === undefined ? '' : ` in ${((step.endedAt - step.startedAt) / 1000).toFixed(1)} s`;
      const error = step.error === undefined ? '' : `: ${step.error}`;
      return `    ${[step.name, step.platform].filter(Boolean).join(' ')}: ${step.state}${seconds}${error}`;
    }),
  ];
}

/** `ingot runs cancel` */
export async function cancelRunCommand(
  id: string,
  reason: string | undefined,
  output: Output,
  { client, signal, json }: ClientDeps,
): Promise<number> {
  const path = `/v1/runs/${encodeURIComponent(id)}/cancel`;
  const run = await client.post(path, { reason }, ClientRun, { signal });
  if (json) output.json(run);
  else output.line(`${run.image}: ${run.outcome ?? 'is being cancelled'}`);
  return 0;
}

/** `ingot runs retry` */
export async function retryRunCommand(
  id: string,
  {
    reason,
    wait,
    timeoutMs,
  }: { readonly reason?: string | undefined; readonly wait: boolean; readonly timeoutMs: number },
  output: Output,
  deps: ClientDeps,
): Promise<number> {
  const path = `/v1/runs/${encodeURIComponent(id)}/retry`;
  const run = await deps.client.post(path, { reason }, ClientRun, { signal: deps.signal });
  if (wait) return waitForRuns([run], output, { ...deps, timeoutMs });
  if (deps.json) output.json(run);
  else output.line(`${run.image}: run ${run.id}`);
  return 0;
}

/** `ingot runs logs` */
export async function logsCommand(
  id: string,
  platform: string | undefined,
  output: Output,
  { client, signal, json }: ClientDeps,
): Promise<number> {
  const path = `/v1/runs/${encodeURIComponent(id)}/logs`;
  const { items } = await client.get(path, ClientLogs, { query: { platform }, signal });
  if (json) output.json(items);
  for (const log of json ? [] : items) {
    if (items.length > 1) output.line(`== ${log.platform}`);
    for (const line of log.lines) output.line(line);
  }
  return 0;
}
