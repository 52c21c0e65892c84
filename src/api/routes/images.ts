import { z } from '@hono/zod-openapi';
import { answer, byOf, createRouter, jsonBody, operation } from '../operation.ts';
import { ImageParams, listOf, MaybeBecause, Paging, pageOf } from '../schemas/common.ts';
import { ListedRelease, PlanState } from '../schemas/decisions.ts';
import {
  Difference,
  DiffQuery,
  History,
  Image,
  PauseBody,
  QuarantineAnswer,
  QuarantineBody,
  RollbackAnswer,
  RollbackBody,
  UnquarantineBody,
} from '../schemas/images.ts';
import { wordedImage } from '../wording.ts';

const tag = 'Images';
const Images = listOf(Image, 'Images');
const Releases = pageOf(ListedRelease, 'Releases');
const Paused = z.object({ image: z.string(), paused: z.boolean() }).openapi('Paused');
const Resumed = z.object({ image: z.string(), resumed: z.boolean() }).openapi('Resumed');

const list = operation({
  ...{ method: 'get', path: '/v1/images', tag, role: 'viewer', answer: Images },
  summary: 'Golden images, and what is to be done for each',
  request: { query: z.object({ state: PlanState.optional() }) },
});
const show = operation({
  ...{ method: 'get', path: '/v1/images/{image}', tag, role: 'viewer', answer: Image, problems: [404] },
  summary: 'One image: its release in use, reasons, holds, last run',
  request: { params: ImageParams },
});
const releases = operation({
  ...{ method: 'get', path: '/v1/images/{image}/releases', tag, role: 'viewer', answer: Releases, problems: [404] },
  summary: 'Releases of an image, newest first',
  request: { params: ImageParams, query: Paging },
});
const history = operation({
  ...{ method: 'get', path: '/v1/images/{image}/history', tag, role: 'viewer', answer: History, problems: [404] },
  summary: 'What was in the releases of an image: size, packages, vulnerabilities',
  request: { params: ImageParams },
});
const diff = operation({
  ...{ method: 'get', path: '/v1/images/{image}/diff', tag, role: 'viewer', answer: Difference, problems: [404] },
  summary: 'What two releases differ in; made in the background: ask again while it is running',
  request: { params: ImageParams, query: DiffQuery },
});
const rollback = operation({
  ...{ method: 'post', path: '/v1/images/{image}/rollback', tag, role: 'admin', answer: RollbackAnswer },
  summary: 'Take the channels back to an earlier release, and quarantine the one in use',
  request: { params: ImageParams, body: jsonBody(RollbackBody) },
  problems: [404, 409],
});
const quarantine = operation({
  ...{ method: 'post', path: '/v1/images/{image}/quarantine', tag, role: 'admin', answer: QuarantineAnswer },
  summary: 'Bar a release: it, its inputs and its content are not released again; no channel moves',
  request: { params: ImageParams, body: jsonBody(QuarantineBody) },
  problems: [404, 409],
});
const unquarantine = operation({
  ...{ method: 'post', path: '/v1/images/{image}/unquarantine', tag, role: 'admin', answer: QuarantineAnswer },
  summary: 'Let a release in again',
  request: { params: ImageParams, body: jsonBody(UnquarantineBody) },
  problems: [404, 409],
});
const pause = operation({
  ...{ method: 'post', path: '/v1/images/{image}/pause', tag, role: 'operator', answer: Paused, problems: [404, 409] },
  summary: 'Rebuild nothing of this image until it is resumed; what is in use stays in use',
  request: { params: ImageParams, body: jsonBody(PauseBody) },
});
const resume = operation({
  ...{
    method: 'post',
    path: '/v1/images/{image}/resume',
    tag,
    role: 'operator',
    answer: Resumed,
    problems: [404, 409],
  },
  summary: 'End the pause of an image',
  request: { params: ImageParams, body: jsonBody(MaybeBecause) },
});

export function imageRoutes() {
  return createRouter()
    .openapi(list, async (c) =>
      answer(c, Images, { items: (await c.var.service.images(c.req.valid('query'))).map(wordedImage) }),
    )
    .openapi(show, async (c) => answer(c, Image, wordedImage(await c.var.service.image(c.req.valid('param').image))))
    .openapi(releases, async (c) => {
      return answer(c, Releases, await c.var.service.releases(c.req.valid('param').image, c.req.valid('query')));
    })
    .openapi(history, async (c) => answer(c, History, await c.var.service.history(c.req.valid('param').image)))
    .openapi(diff, async (c) => {
      return answer(c, Difference, await c.var.service.diff(c.req.valid('param').image, c.req.valid('query')));
    })
    .openapi(rollback, async (c) => {
      const change = { ...c.req.valid('json'), by: byOf(c) };
      return answer(c, RollbackAnswer, await c.var.service.rollback(c.req.valid('param').image, change));
    })
    .openapi(quarantine, async (c) => {
      const { what, reason } = c.req.valid('json');
      const change = { reason, by: byOf(c) };
      return answer(c, QuarantineAnswer, await c.var.service.quarantine(c.req.valid('param').image, what, change));
    })
    .openapi(unquarantine, async (c) => {
      const { what, reason } = c.req.valid('json');
      const change = { reason, by: byOf(c) };
      return answer(c, QuarantineAnswer, await c.var.service.unquarantine(c.req.valid('param').image, what, change));
    })
    .openapi(pause, async (c) => {
      const { image } = c.req.valid('param');
      await c.var.service.pause(image, { ...c.req.valid('json'), by: byOf(c) });
      return answer(c, Paused, { image, paused: true });
    })
    .openapi(resume, async (c) => {
      const { image } = c.req.valid('param');
      const resumed = await c.var.service.resume(image, { ...c.req.valid('json'), by: byOf(c) });
      return answer(c, Resumed, { image, resumed });
    });
}
