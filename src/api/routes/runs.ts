import { z } from '@hono/zod-openapi';
import { OUTCOMES } from '../../domain/run.ts';
import type { RunFilter } from '../../domain/service/views.ts';
import { answer, byOf, createRouter, jsonBody, operation } from '../operation.ts';
import { ImageName, KnownPlatform, listOf, MaybeBecause, Paging, RunParams } from '../schemas/common.ts';
import { Log, RUN_STATES, Run, RunPage } from '../schemas/runs.ts';
import { worded } from '../wording.ts';

const tag = 'Runs';
const Logs = listOf(Log, 'Logs');
const MAX_WAIT_SECONDS = 120;

const Moment = z.iso.datetime({ offset: true });

const REASONS = [
  'never-released',
  'requested',
  'base-changed',
  'input-changed',
  'definition-changed',
  'package-updates',
  'vulnerability-fixable',
  'release-damaged',
  'recipe-changed',
] as const;

const Filter = Paging.extend({
  image: ImageName.optional(),
  state: z.enum(RUN_STATES).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  reason: z.enum(REASONS).optional().openapi({ description: 'kind of any of its reasons' }),
  since: Moment.optional().openapi({ description: 'started at or after' }),
  until: Moment.optional().openapi({ description: 'started before' }),
});

const Wait = z.object({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_WAIT_SECONDS)
    .optional()
    .openapi({ description: 'answer when the run has ended, or after so many seconds as it is then' }),
});

const list = operation({
  ...{ method: 'get', path: '/v1/runs', tag, role: 'viewer', answer: RunPage },
  summary: 'Runs, newest first',
  request: { query: Filter },
});
const show = operation({
  ...{ method: 'get', path: '/v1/runs/{run}', tag, role: 'viewer', answer: Run, problems: [404] },
  summary: 'One run, at once or when it has ended',
  request: { params: RunParams, query: Wait },
});
const logs = operation({
  ...{ method: 'get', path: '/v1/runs/{run}/logs', tag, role: 'viewer', answer: Logs, problems: [404] },
  summary: 'The last lines that the builds of a run printed',
  request: { params: RunParams, query: z.object({ platform: KnownPlatform.optional() }) },
});
const cancel = operation({
  ...{ method: 'post', path: '/v1/runs/{run}/cancel', tag, role: 'operator', answer: Run, problems: [404, 409] },
  summary: 'End a run wherever it is, within seconds',
  request: { params: RunParams, body: jsonBody(MaybeBecause) },
});
const retry = operation({
  ...{ method: 'post', path: '/v1/runs/{run}/retry', tag, role: 'operator', answer: Run, status: 202 },
  summary: 'A new run of the same image',
  request: { params: RunParams, body: jsonBody(MaybeBecause) },
  problems: [404, 409],
});

export function runRoutes({ signal }: { readonly signal: AbortSignal }) {
  return createRouter()
    .openapi(list, async (c) => {
      const page = await c.var.service.runs(inUtc(c.req.valid('query')));
      return answer(c, RunPage, { ...page, items: page.items.map(worded) });
    })
    .openapi(show, async (c) => {
      const { run } = c.req.valid('param');
      const { wait } = c.req.valid('query');
      if (!wait) return answer(c, Run, worded(await c.var.service.run(run)));
      const options = { timeoutMs: wait * 1000, signal: AbortSignal.any([signal, c.req.raw.signal]) };
      return answer(c, Run, worded(await c.var.service.waitForRun(run, options)));
    })
    .openapi(logs, async (c) => {
      const items = await c.var.service.runLogs(c.req.valid('param').run, c.req.valid('query'));
      return answer(c, Logs, { items });
    })
    .openapi(cancel, async (c) => {
      const change = { ...c.req.valid('json'), by: byOf(c) };
      return answer(c, Run, worded(await c.var.service.cancelRun(c.req.valid('param').run, change)));
    })
    .openapi(retry, async (c) => {
      const run = await c.var.service.retryRun(c.req.valid('param').run, { ...c.req.valid('json'), by: byOf(c) });
      c.header('Location', `/v1/runs/${run.id}`);
      return answer(c, Run, worded(run), 202);
    });
}

/** Times are compared as text. */
function inUtc(filter: z.infer<typeof Filter>): RunFilter {
  const utc = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
  return { ...filter, since: utc(filter.since), until: utc(filter.until) };
}
