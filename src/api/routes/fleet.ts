import { z } from '@hono/zod-openapi';
import { answer, byOf, createRouter, jsonBody, operation } from '../operation.ts';
import { MaybeBecause } from '../schemas/common.ts';
import { Plan } from '../schemas/decisions.ts';
import { Fleet } from '../schemas/fleet.ts';
import { PauseBody } from '../schemas/images.ts';
import { worded } from '../wording.ts';

const tag = 'Fleet';
const Looking = z.object({ looking: z.boolean() }).openapi('Looking');
const FleetPaused = z.object({ paused: z.boolean() }).openapi('FleetPaused');
const FleetResumed = z.object({ resumed: z.boolean() }).openapi('FleetResumed');

const show = operation({
  ...{ method: 'get', path: '/v1/fleet', tag, role: 'viewer', answer: Fleet },
  summary: 'Which definitions are in use, and whether newer ones were refused',
});
const reload = operation({
  ...{ method: 'post', path: '/v1/fleet/reload', tag, role: 'operator', answer: Fleet, problems: [409] },
  summary: 'Read the definitions again now',
  request: { body: jsonBody(MaybeBecause) },
});
const look = operation({
  ...{ method: 'post', path: '/v1/fleet/look', tag, role: 'operator', answer: Looking, status: 202 },
  summary: 'Look at everything now; answers at once',
  request: { body: jsonBody(MaybeBecause) },
});
const pause = operation({
  ...{ method: 'post', path: '/v1/fleet/pause', tag, role: 'admin', answer: FleetPaused, problems: [409] },
  summary: 'Rebuild nothing at all until it is resumed',
  request: { body: jsonBody(PauseBody) },
});
const resume = operation({
  ...{ method: 'post', path: '/v1/fleet/resume', tag, role: 'admin', answer: FleetResumed, problems: [409] },
  summary: 'End the pause of the whole fleet',
  request: { body: jsonBody(MaybeBecause) },
});
const plan = operation({
  ...{ method: 'get', path: '/v1/plan', tag, role: 'viewer', answer: Plan },
  summary: 'What is to be done for each image, and why',
  request: {
    query: z.object({
      fresh: z
        .enum(['true', 'false'])
        .optional()
        .openapi({ description: 'made anew, which asks registries; nothing is started' }),
    }),
  },
});

export function fleetRoutes() {
  return createRouter()
    .openapi(show, async (c) => answer(c, Fleet, await c.var.service.fleet()))
    .openapi(reload, async (c) => {
      return answer(c, Fleet, await c.var.service.reloadFleet({ ...c.req.valid('json'), by: byOf(c) }));
    })
    .openapi(look, async (c) => {
      await c.var.service.look({ ...c.req.valid('json'), by: byOf(c) });
      return answer(c, Looking, { looking: true }, 202);
    })
    .openapi(pause, async (c) => {
      await c.var.service.pause(undefined, { ...c.req.valid('json'), by: byOf(c) });
      return answer(c, FleetPaused, { paused: true });
    })
    .openapi(resume, async (c) => {
      const resumed = await c.var.service.resume(undefined, { ...c.req.valid('json'), by: byOf(c) });
      return answer(c, FleetResumed, { resumed });
    })
    .openapi(plan, async (c) => {
      const fresh = c.req.valid('query').fresh === 'true';
      const { at, entries } = await c.var.service.plan({ fresh, signal: c.req.raw.signal });
      return answer(c, Plan, { at, entries: entries.map(worded) });
    });
}
