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
  router.get('/healthz', (c) => c.json({ status: 'ok' }));
  router.get('/readyz', async (c) => {
    const checks = Object.fromEntries(
      await Promise.all(readiness.map(async (each) => [each.name, await isReady(each)])),
    );
    const ready = Object.values(checks).every((state) => state === 'ok');
    return c.json({ status: ready ? 'ok' : 'unavailable', checks }, ready ? 200 : 503);
  });
  return router;
}

async function isReady({ check }: ReadinessCheck): Promise<'ok' | 'unavailable'> {
  const signal = AbortSignal.timeout(WAIT_MS);
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  try {
    await Promise.race([check(signal), late]);
    return 'ok';
  } catch {
    return 'unavailable';
  }
}
