import { afterEach, expect, test } from 'vitest';
import { healthRoutes, type ReadinessCheck } from '../../src/api/routes/health.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';

let scene: ApiScene | undefined;
afterEach(async () => {
  await scene?.stop();
  scene = undefined;
});

const fine: ReadinessCheck = { name: 'redis', check: async () => undefined };
const broken: ReadinessCheck = {
  name: 'registry',
  async check() {
    throw new Error('https://user:secret@registry.example does not answer');
  },
};

async function ready(...readiness: ReadinessCheck[]) {
  const answer = await healthRoutes({ readiness }).request('/readyz');
  return { status: answer.status, text: await answer.text() };
}

test('ready is who can reach what it needs', async () => {
  expect(await ready(fine)).toEqual({ status: 200, text: '{"status":"ok","checks":{"redis":"ok"}}' });
});

test('what does not answer is named, and nothing else is said', async () => {
  const { status, text } = await ready(fine, broken);

  expect(status).toBe(503);
  expect(JSON.parse(text)).toEqual({ status: 'unavailable', checks: { redis: 'ok', registry: 'unavailable' } });
  expect(text).not.toContain('secret');
});

test('what hangs is no answer either', async () => {
  const { status } = await ready({ name: 'registry', check: () => new Promise(() => undefined) });

  expect(status).toBe(503);
});

test('both are there for whoever has no credential', async () => {
  scene = await startApiScene();

  expect((await fetch(`${scene.server}/healthz`)).status).toBe(200);
  expect((await fetch(`${scene.server}/readyz`)).status).toBe(200);
});
