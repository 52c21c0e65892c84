import { z } from '@hono/zod-openapi';
import { summariseFreshness } from '../../domain/freshness-summary.ts';
import { answer, createRouter, operation } from '../operation.ts';
import { ImageName, listOf } from '../schemas/common.ts';
import {
  Budget,
  Hook,
  ImageWaiver,
  NotifyChannel,
  Pulls,
  Queue,
  Schedule,
  Upstream,
  Worker,
} from '../schemas/fleet.ts';
import { Freshness } from '../schemas/freshness.ts';

const viewer = { method: 'get', role: 'viewer' } as const;
const Upstreams = listOf(Upstream, 'Upstreams');
const Waivers = listOf(ImageWaiver, 'Waivers');
const Workers = listOf(Worker, 'Workers');
const Queues = listOf(Queue, 'Queues');
const Schedules = listOf(Schedule, 'Schedules');
const Budgets = listOf(Budget, 'Budgets');
const Hooks = listOf(Hook, 'Hooks');
const Notifications = listOf(NotifyChannel, 'Notifications');

const upstreams = operation({
  ...{ ...viewer, path: '/v1/upstreams', tag: 'Upstreams', answer: Upstreams },
  summary: 'Upstreams, what they point to, and who uses them',
});
const pulls = operation({
  ...{ ...viewer, path: '/v1/pulls', tag: 'Upstreams', answer: Pulls },
  summary: 'Pull requests of all downstreams, open ones first',
});
const waivers = operation({
  ...{ ...viewer, path: '/v1/waivers', tag: 'Policy', answer: Waivers },
  summary: 'What policy is passed over for, until when, and why',
});
const freshness = operation({
  ...{ ...viewer, path: '/v1/freshness', tag: 'Policy', answer: Freshness },
  summary: 'How long changes outside the fleet take to get into it, and which goals are not kept',
  request: {
    query: z.object({
      image: ImageName.optional(),
      since: z.iso
        .datetime({ offset: true })
        .optional()
        .openapi({ description: 'changed at or after; default 90 days ago' }),
      open: z.enum(['true', 'false']).optional().openapi({ description: 'only what is not released yet' }),
    }),
  },
});
const workers = operation({
  ...{ ...viewer, path: '/v1/workers', tag: 'Machines', answer: Workers },
  summary: 'Processes that take work, and what they do now',
});
const queues = operation({
  ...{ ...viewer, path: '/v1/queues', tag: 'Machines', answer: Queues },
  summary: 'What waits, runs, stalls and failed, by role and platform',
});
const schedules = operation({
  ...{ ...viewer, path: '/v1/schedules', tag: 'Machines', answer: Schedules },
  summary: 'What happens by itself, and when next',
});
const budgets = operation({
  ...{ ...viewer, path: '/v1/budgets', tag: 'Machines', answer: Budgets },
  summary: 'What registries and forges allow, and what waits for them',
});

const hooks = operation({
  ...{ ...viewer, path: '/v1/hooks', tag: 'Machines', answer: Hooks },
  summary: 'Webhooks that came in, by sender, and what became of them',
});

const notifications = operation({
  ...{ ...viewer, path: '/v1/notifications', tag: 'Machines', answer: Notifications },
  summary: 'Channels that people are told through: what was sent, waits, and was given up',
});

export function observationRoutes() {
  return createRouter()
    .openapi(upstreams, async (c) => answer(c, Upstreams, { items: await c.var.service.upstreams() }))
    .openapi(pulls, async (c) => {
      const { pulls: items, unknown } = await c.var.service.pulls();
      return answer(c, Pulls, { items, unknown });
    })
    .openapi(waivers, async (c) => answer(c, Waivers, { items: await c.var.service.waivers() }))
    .openapi(freshness, async (c) => {
      const { image, since, open } = c.req.valid('query');
      const from = since === undefined ? undefined : new Date(since).toISOString();
      const found = await c.var.service.freshness({ image, since: from, open: open === 'true' });
      return answer(c, Freshness, summariseFreshness(found));
    })
    .openapi(workers, async (c) => answer(c, Workers, { items: await c.var.service.workers() }))
    .openapi(queues, async (c) => answer(c, Queues, { items: await c.var.service.queues() }))
    .openapi(schedules, async (c) => answer(c, Schedules, { items: await c.var.service.schedules() }))
    .openapi(budgets, async (c) => answer(c, Budgets, { items: await c.var.service.budgets() }))
    .openapi(hooks, async (c) => answer(c, Hooks, { items: await c.var.service.hooks() }))
    .openapi(notifications, async (c) => answer(c, Notifications, { items: await c.var.service.notifications() }));
}
