import { z } from 'zod';
import { OUTCOMES, type Outcome } from '../domain/run.ts';

const Worded = z.object({ kind: z.string(), text: z.string() });

/** Of a run what its followers need; what a newer service says besides is left out. */
export const ClientRun = z.object({
  id: z.string(),
  image: z.string(),
  state: z.enum(['waiting', 'queued', 'running', 'ended']),
  priority: z.string(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  outcome: z.enum(OUTCOMES).optional(),
  summary: z.string().optional(),
  version: z.string().optional(),
  digest: z.string().optional(),
  reasons: z.array(Worded),
  holds: z.array(Worded),
  steps: z.array(
    z.object({
      name: z.string(),
      platform: z.string().optional(),
      state: z.string(),
      startedAt: z.number(),
      endedAt: z.number().optional(),
      error: z.string().optional(),
    }),
  ),
  request: z.object({ by: z.string(), reason: z.string().optional() }).optional(),
});
export type ClientRun = z.infer<typeof ClientRun>;

export const ClientRuns = z.object({ items: z.array(ClientRun), next: z.string().optional() });
export const ClientLogs = z.object({ items: z.array(z.object({ platform: z.string(), lines: z.array(z.string()) })) });

export const ClientRebuild = z.object({
  runs: z.array(ClientRun),
  plan: z
    .array(z.object({ image: z.string(), state: z.string(), reasons: z.array(Worded), holds: z.array(Worded) }))
    .optional(),
});

export type ClientRebuild = z.infer<typeof ClientRebuild>;

/** Exit codes of decisions.md, Outcomes, of runs together: the worst. */
export function exitCodeOfOutcomes(outcomes: readonly (Outcome | undefined)[]): number {
  if (outcomes.includes('cancelled')) return 130;
  if (outcomes.includes('failed')) return 1;
  return outcomes.includes('blocked') ? 3 : 0;
}
