import { z } from '@hono/zod-openapi';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Subscription } from '../../service/service.ts';
import { type ApiContext, createRouter, operation } from '../operation.ts';
import { ProblemError } from '../problem.ts';
import { ImageParams, RunParams } from '../schemas/common.ts';
import { Run } from '../schemas/runs.ts';
import { worded } from '../wording.ts';

/** Proxies cut connections on which nothing comes. */
const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 500;
const MAX_STREAMS_EACH = 50;
/** The id of the last event of a run that has ended: who comes back with it needs no more. */
const END = 'end';

const Headers = z.object({
  'last-event-id': z
    .string()
    .regex(/^(\d{1,20}-\d{1,20}|end)$/)
    .optional()
    .openapi({ description: 'id of the last event that was seen: goes on behind it, as far as events are kept' }),
});
const Stream = z.string().openapi('EventStream', {
  description: 'server-sent events: `event` is the type, `data` a JSON document, `id` for Last-Event-ID',
});
const stream = {
  method: 'get',
  tag: 'Events',
  role: 'viewer',
  answer: Stream,
  mediaType: 'text/event-stream',
} as const;

const fleet = operation({
  ...{ ...stream, path: '/v1/events' },
  summary: 'What happens in the fleet, as it happens',
  request: { headers: Headers },
});
const image = operation({
  ...{ ...stream, path: '/v1/images/{image}/events', problems: [404] },
  summary: 'What happens to an image',
  request: { params: ImageParams, headers: Headers },
});
const run = operation({
  ...{ ...stream, path: '/v1/runs/{run}/events', problems: [404] },
  summary:
    'What happens in a run: the run as it is (`run`), its events, the run as it ended, and the end of the stream',
  request: { params: RunParams, headers: Headers },
});

export interface EventDeps {
  readonly signal: AbortSignal;
  /** How often a stream says that it is there, and is ended when its credential was taken back. */
  readonly heartbeatMs?: number | undefined;
}

export function eventRoutes(deps: EventDeps) {
  const open = createOpener(deps);
  return createRouter()
    .openapi(fleet, (c) => open(c, { after: after(c.req.valid('header')) }))
    .openapi(image, async (c) => {
      const { name } = await c.var.service.image(c.req.valid('param').image);
      return open(c, { image: name, after: after(c.req.valid('header')) });
    })
    .openapi(run, async (c) => {
      const last = c.req.valid('header')['last-event-id'];
      const { id } = await c.var.service.run(c.req.valid('param').run);
      if (last === END) return c.body(null, 204); // EventSource comes back until it is told this
      return open(c, { run: id, after: last });
    });
}

function after(headers: z.infer<typeof Headers>): string | undefined {
  const last = headers['last-event-id'];
  return last === END ? undefined : last;
}

type What = Omit<Subscription, 'signal'>;

function createOpener({ signal, heartbeatMs = HEARTBEAT_MS }: EventDeps) {
  const streams = new Map<string, number>();
  return (c: ApiContext, what: What): Response => {
    const { key } = c.var.principal;
    const own = streams.get(key) ?? 0;
    const all = [...streams.values()].reduce((sum, count) => sum + count, 0);
    if (own >= MAX_STREAMS_EACH || all >= MAX_STREAMS) throw new ProblemError(429, 'too many streams are open');
    streams.set(key, own + 1);
    const done = () => {
      const left = (streams.get(key) ?? 1) - 1;
      if (left > 0) streams.set(key, left);
      else streams.delete(key);
    };
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, (events) => follow(events, c, { ...what, signal, heartbeatMs }).finally(done));
  };
}

interface Followed extends Subscription {
  readonly heartbeatMs: number;
}

/** Until the client goes, its credential is taken back, the server stops, or there is nothing more to come. */
async function follow(
  events: SSEStreamingApi,
  c: ApiContext,
  { signal, heartbeatMs, ...what }: Followed,
): Promise<void> {
  const over = new AbortController();
  const end = () => over.abort();
  let isRefused = false;
  const refuse = () => {
    isRefused = true;
    end();
  };
  events.onAbort(end);
  signal.addEventListener('abort', end, { once: true });
  const beat = setInterval(() => {
    void events.write(':\n\n');
    void c.var.holds().then((holds) => holds || refuse());
    // An end whose event was lost, or came before we listened, is found all the same
    if (what.run !== undefined) void isOver(c, what.run).then((found) => found && end());
  }, heartbeatMs);
  try {
    if (signal.aborted) return;
    await events.write(':\n\n'); // headers go out at once
    if (what.run !== undefined && (await tellRun(events, c, what.run))) return;
    for await (const event of c.var.service.subscribe({ ...what, signal: over.signal })) {
      await events.writeSSE({ id: event.id, event: event.type, data: JSON.stringify(event) });
      if (what.run !== undefined && event.type === 'run.ended') break;
    }
    if (what.run !== undefined && !events.aborted && !isRefused) await tellRun(events, c, what.run);
  } finally {
    clearInterval(beat);
    signal.removeEventListener('abort', end);
    end();
  }
}

async function isOver(c: ApiContext, id: string): Promise<boolean> {
  return c.var.service.run(id).then(
    ({ state }) => state === 'ended',
    () => false,
  );
}

/** @returns whether it has ended */
async function tellRun(events: SSEStreamingApi, c: ApiContext, id: string): Promise<boolean> {
  const found = await c.var.service.run(id);
  const ended = found.state === 'ended';
  await events.writeSSE({ event: 'run', data: JSON.stringify(Run.parse(worded(found))), ...(ended && { id: END }) });
  return ended;
}
