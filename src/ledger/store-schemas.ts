import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import type { Mistake } from '../domain/errors.ts';
import { InputsSchema } from '../domain/inputs.ts';
import type { PlanEntry } from '../domain/plan.ts';
import { zPlatform } from '../domain/platform.ts';
import { PRIORITIES } from '../domain/service/views.ts';
import type { WorkerView } from '../domain/service/workers.ts';
import type { Reason } from '../domain/staleness.ts';
import type { Standing } from '../domain/standing.ts';
import type { ActiveRun, Cancellation, DefinitionsPointer, Request, StoredPlan } from './store.ts';

/** What is our own and whole is taken as it is: it was checked when it was made. */
const zOwn = <T>() => z.custom<T>((value) => typeof value === 'object' && value !== null);

export const RequestSchema = z.object({
  runId: z.string(),
  image: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  priority: z.enum(PRIORITIES),
  at: z.string(),
}) as unknown as z.ZodType<Request>;

export const ActiveRunSchema: z.ZodType<ActiveRun> = z.object({
  runId: z.string(),
  image: z.string(),
  inputs: InputsSchema,
  reasons: z.array(zOwn<Reason>()),
  priority: z.enum(PRIORITIES),
  definitions: zDigest,
  startedAt: z.string(),
});

export const CancellationSchema = z.object({
  by: z.string(),
  reason: z.string().optional(),
  at: z.string(),
}) as unknown as z.ZodType<Cancellation>;

export const PointerSchema = z.object({
  fleet: z.string(),
  source: z.string(),
  commit: z.string().optional(),
  digest: zDigest,
  base: z.string(),
  images: z.number(),
  platforms: z.array(zPlatform),
  loadedAt: z.string(),
  checkedAt: z.string(),
  refused: z
    .object({
      at: z.string(),
      commit: z.string().optional(),
      message: z.string(),
      mistakes: z.array(zOwn<Mistake>()),
    })
    .optional(),
}) as unknown as z.ZodType<DefinitionsPointer>;

export const PlanSchema: z.ZodType<StoredPlan> = z.object({
  at: z.string(),
  definitions: zDigest,
  entries: z.array(zOwn<PlanEntry>()),
  standing: z.record(z.string(), zOwn<Standing>()),
  unasked: z.record(z.string(), z.string()),
});

export const WorkerSchema = zOwn<WorkerView>();

export const KeptSchema = z.object({ question: z.string(), answer: z.string() });
