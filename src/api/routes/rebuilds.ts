import { z } from '@hono/zod-openapi';
import { ServiceError } from '../../service/service.ts';
import { answer, byOf, createRouter, jsonBody, operation } from '../operation.ts';
import { ProblemError } from '../problem.ts';
import { RebuildAnswer, RebuildBody } from '../schemas/runs.ts';
import { wordedRebuild } from '../wording.ts';

const Headers = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\x21-\x7e]+$/)
    .optional()
    .openapi({ description: 'the same key within a day gets the same answer, and starts nothing more' }),
});

const start = operation({
  ...{ method: 'post', path: '/v1/rebuilds', tag: 'Runs', role: 'operator', answer: RebuildAnswer, status: 202 },
  summary: 'Rebuild images, or all that use an upstream',
  description:
    'The runs are there at once, waiting for the next look at the fleet. A dry run needs no more than viewer.',
  request: { headers: Headers, body: jsonBody(RebuildBody) },
  problems: [404, 409, 422],
});

export function rebuildRoutes() {
  return createRouter().openapi(start, async (c) => {
    const key = c.req.valid('header')['idempotency-key'];
    const request = {
      ...c.req.valid('json'),
      by: byOf(c),
      // Keys belong to who made them: nobody gets the answer that was meant for somebody else
      ...(key && { idempotencyKey: `${c.var.principal.key}:${key}` }),
    };
    const end = await c.var.service.startRebuild(request).catch((error: unknown) => {
      const isReused = key !== undefined && error instanceof ServiceError && error.code === 'conflict';
      throw isReused ? new ProblemError(422, error.message) : error;
    });
    return answer(c, RebuildAnswer, wordedRebuild(end), 202);
  });
}
