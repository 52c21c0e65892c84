import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Limiter } from '../../access/limiter.ts';
import { HOOK_DIALECTS, type HookDialect, type HookSettings } from '../../domain/hooks.ts';
import { ASKING_FIRST, DIALECTS } from '../../hooks/dialects.ts';
import type { HookRequest } from '../../hooks/hooks.ts';
import type { HookReceiver } from '../../service/hooks.ts';
import { networkOf } from '../address.ts';
import { type ApiContext, type ApiEnv, createRouter } from '../operation.ts';
import { ProblemError } from '../problem.ts';

export interface HookDeps {
  /** Absent: no webhooks are taken here. */
  readonly hooks?: (HookReceiver & { secretOf(settings: HookSettings): Promise<string> }) | undefined;
  /** Of addresses that do not know the secret. */
  readonly failures: Limiter;
}

type Hooks = NonNullable<HookDeps['hooks']>;

/** `POST /hooks/<dialect>`: no credential of the API, but the secret of the hook; no role, as it decides nothing. */
export function hookRoutes({ hooks, failures }: HookDeps): OpenAPIHono<ApiEnv> {
  const router = createRouter();
  if (hooks === undefined) return router;
  router.on('OPTIONS', '/hooks/:dialect', async (c) => {
    const { dialect } = await find(c, hooks);
    const origin = c.req.header('webhook-request-origin');
    c.header('Allow', 'POST, OPTIONS');
    // Only senders that ask first take this for a consent; it gives nobody the secret
    if (origin !== undefined && ASKING_FIRST.includes(dialect)) {
      c.header('WebHook-Allowed-Origin', origin.replace(/[^\w.:*-]/g, ''));
      c.header('WebHook-Allowed-Rate', '*');
    }
    return c.body(null, 200);
  });
  router.post('/hooks/:dialect', async (c) => {
    const { dialect, settings } = await find(c, hooks);
    const request = await readRequest(c, settings);
    const { holds, read } = DIALECTS[dialect];
    if (!holds(request, await hooks.secretOf(settings))) {
      await hooks.count(dialect, 'refused');
      await refuse(c, failures);
    }
    const reading = read(request);
    if (reading.kind === 'handshake') return c.json(reading.answer);
    if (reading.kind === 'invalid') {
      await hooks.count(dialect, 'invalid');
      throw new ProblemError(400, reading.why);
    }
    return c.json(await hooks.receive(dialect, reading), 202);
  });
  return router;
}

async function find(c: ApiContext, hooks: Hooks): Promise<{ dialect: HookDialect; settings: HookSettings }> {
  const name = c.req.param('dialect');
  const dialect = HOOK_DIALECTS.find((each) => each === name);
  if (dialect === undefined) throw new ProblemError(404, `no such hook; there are ${HOOK_DIALECTS.join(', ')}`);
  const settings = await hooks.settings(dialect);
  if (settings === undefined) {
    throw new ProblemError(404, `this hook is not set up; give it a secret: "hooks: { ${dialect}: … }" in ingot.yaml`);
  }
  return { dialect, settings };
}

async function readRequest(c: ApiContext, { registry }: HookSettings): Promise<HookRequest> {
  const body = new Uint8Array(await c.req.arrayBuffer());
  return { headers: c.req.header(), token: c.req.query('token'), body, registry };
}

/** Those who guess are slowed down. */
async function refuse(c: ApiContext, failures: Limiter): Promise<never> {
  const { allowed, resetSeconds } = await failures.take(networkOf(c.var.from));
  if (allowed) throw new ProblemError(401, 'the hook does not carry its secret, or is not signed with it');
  c.header('Retry-After', String(resetSeconds));
  throw new ProblemError(429, 'too many hooks that do not hold');
}
