import type { OpenAPIHono } from '@hono/zod-openapi';
import { type ApiEnv, createRouter } from '../operation.ts';

/** One thing that this process cannot work without. */
export interface ReadinessCheck {
  readonly name: string;
  /** @throws when it does not answer */
  check(signal: AbortSignal): Promise<unknown>;
}

export interface HealthDeps {
  readonly readiness?: readonly ReadinessCheck[] | undefined;
}

const WAIT_MS = 3_000;

/**
 * `/healthz`: the process lives; restart it when this does not answer. `/readyz`: what it needs answers; 503 with what
 * does not. Both without a credential, so that they say nothing but names.
 */
export function healthRoutes({ readiness = [] }: HealthDeps): OpenAPIHono<ApiEnv> {
  const router = createRouter();
  let look: Promise<Readonly<Record<string, State>>> | undefined;
  router.get('/healthz', (c) => c.json({ status: 'ok' }));
  router.get('/readyz', async (c) => {
    // Anybody may ask: who does so meanwhile shares the look that is under way
    look ??= lookAt(readiness).finally(() => {
      look = undefined;
    });
    const checks = await look;
    const ready = Object.values(checks).every((state) => state === 'ok');
    return c.json({ status: ready ? 'ok' : 'unavailable', checks }, ready ? 200 : 503);
  });
  return router;
}

type State = 'ok' | 'unavailable';

async function lookAt(readiness: readonly ReadinessCheck[]): Promise<Readonly<Record<string, State>>> {
  return Object.fromEntries(await Promise.all(readiness.map(async (each) => [each.name, await isReady(each)])));
}

async function isReady({ check }: ReadinessCheck): Promise<State> {
  const signal = AbortSignal.timeout(WAIT_MS);
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  try {
    await Promise.race([check(signal), late]);
    return 'ok';
  } catch {
    return 'unavailable';
  }
}
