import type { ApiClient } from '../client/api-client.ts';
import { ClientRebuild, type ClientRun, exitCodeOfOutcomes } from '../client/runs.ts';
import { waitForEnd } from '../client/wait.ts';
import type { Output } from './output.ts';

export interface ClientDeps {
  readonly client: ApiClient;
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface RebuildOptions {
  readonly images: readonly string[];
  readonly upstreams: readonly string[];
  readonly reason?: string | undefined;
  readonly priority?: string | undefined;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly timeoutMs: number;
  /** Sent again, when the first try may or may not have arrived, it starts nothing more. */
  readonly idempotencyKey: string;
}

/** `ingot rebuild`: asks a served factory; with `wait` it prints the digest that came of it. */
export async function rebuildCommand(options: RebuildOptions, output: Output, deps: ClientDeps): Promise<number> {
  const { images, upstreams, reason, priority, dryRun, idempotencyKey } = options;
  const body = {
    ...(images.length > 0 && { images }),
    ...(upstreams.length > 0 && { upstreams }),
    ...(reason && { reason }),
    ...(priority && { priority }),
    ...(dryRun && { dryRun }),
  };
  const headers = { 'idempotency-key': idempotencyKey };
  const answer = await deps.client.post('/v1/rebuilds', body, ClientRebuild, { headers, signal: deps.signal });
  if (dryRun) return printPlan(answer, output, deps);
  if (options.wait) return waitForRuns(answer.runs, output, { ...deps, timeoutMs: options.timeoutMs });
  if (deps.json) output.json(answer);
  else for (const { image, id } of answer.runs) output.line(`${image}: run ${id}`);
  return 0;
}

function printPlan(answer: ClientRebuild, output: Output, { json }: ClientDeps): number {
  if (json) output.json(answer);
  for (const { image, state, reasons, holds } of json ? [] : (answer.plan ?? [])) {
    output.line(`${image}: ${state}`);
    for (const { text } of [...reasons, ...holds]) output.line(`    ${text}`);
  }
  return 0;
}

/** Waits for all of them. A single image prints its digest alone, so that a script can use it as it is. */
export async function waitForRuns(
  runs: readonly ClientRun[],
  output: Output,
  { client, json, ...options }: ClientDeps & { readonly timeoutMs: number },
): Promise<number> {
  const onChange = ({ image, state, holds, outcome, summary }: ClientRun) => {
    const why = holds.map(({ text }) => text).join('; ');
    const words =
      state === 'ended' ? [outcome, summary].filter(Boolean).join(': ') : [state, why].filter(Boolean).join(': ');
    output.progress.write(`${image}: ${words}\n`);
  };
  const ended = await Promise.all(runs.map(({ id }) => waitForEnd(client, id, { ...options, onChange })));
  if (json) output.json(ended.length === 1 ? ended[0] : ended);
  else {
    for (const { image, digest } of ended) {
      if (digest !== undefined) output.line(ended.length === 1 ? digest : `${image} ${digest}`);
    }
  }
  const late = ended.filter(({ state }) => state !== 'ended');
  for (const { image, id } of late) output.progress.write(`${image}: run ${id} has not ended in that time\n`);
  // A script that asked for a digest must not go on without one: another run took over, say
  const hasAll = ended.every(({ digest }) => digest !== undefined);
  return exitCodeOfOutcomes(ended.map(({ outcome }) => outcome)) || (late.length > 0 || !hasAll ? 4 : 0);
}
