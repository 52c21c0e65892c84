import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import { InputsSchema } from '../domain/inputs.ts';
import { zPlatform } from '../domain/platform.ts';
import type { Reason } from '../domain/staleness.ts';

/**
 * Raised when a payload changes its shape; the version before is still understood, so that a factory is upgraded with
 * jobs in its queues. 2 says which definitions a run is made from; 1 means those that the worker has.
 */
export const PAYLOAD_VERSION = 2;

const zVersion = z.union([z.literal(1), z.literal(PAYLOAD_VERSION)]);

const run = {
  v: zVersion,
  runId: z.string(),
  image: z.string(),
  inputs: InputsSchema,
  definitions: zDigest.optional(),
};

export const BuildPayload = z.object({ ...run, platform: zPlatform });
export type BuildPayload = z.infer<typeof BuildPayload>;

export const ReleasePayload = z.object({
  ...run,
  reasons: z.array(z.custom<Reason>((value) => typeof value === 'object')),
});
export type ReleasePayload = z.infer<typeof ReleasePayload>;

export const ProposePayload = z.object({ v: zVersion, image: z.string(), definitions: zDigest.optional() });
export type ProposePayload = z.infer<typeof ProposePayload>;

/** A job that says "look": what there is to see is not in it. */
export const LookPayload = z.object({ v: zVersion });

/** A schedule's name says what is due. */
export const SchedulePayload = z.object({ v: zVersion, name: z.string() });
