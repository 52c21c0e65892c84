import { z } from 'zod';
import { InputsSchema } from '../domain/inputs.ts';
import { zPlatform } from '../domain/platform.ts';
import type { Reason } from '../domain/staleness.ts';

/** Raised when a payload changes its shape; the version before is still understood (upgrade). */
export const PAYLOAD_VERSION = 1;

const run = { v: z.literal(PAYLOAD_VERSION), runId: z.string(), image: z.string(), inputs: InputsSchema };

export const BuildPayload = z.object({ ...run, platform: zPlatform });
export type BuildPayload = z.infer<typeof BuildPayload>;

export const ReleasePayload = z.object({
  ...run,
  reasons: z.array(z.custom<Reason>((value) => typeof value === 'object')),
});
export type ReleasePayload = z.infer<typeof ReleasePayload>;

export const ProposePayload = z.object({ v: z.literal(PAYLOAD_VERSION), image: z.string() });
export type ProposePayload = z.infer<typeof ProposePayload>;
