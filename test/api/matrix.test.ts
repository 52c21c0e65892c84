import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACCESS_ROLES, type AccessRole } from '../../src/domain/access/principal.ts';
import { type ApiScene, startApiScene } from '../support/api-scene.ts';
import { RUN } from '../support/fake-service.ts';

let scene: ApiScene;
const tokens = new Map<string, string>();

beforeAll(async () => {
  scene = await startApiScene({ access: { requestsPerMinute: 100_000 } });
  for (const role of ACCESS_ROLES) {
    tokens.set(role, await scene.token(role));
    tokens.set(`${role} of child`, await scene.token(role, ['chi*']));
  }
});
afterAll(() => scene.stop());

const WHY = { reason: 'a test' };
const REBUILD = { images: ['base'] };

/** What each route needs, and whether it concerns the image `base`, or all of them. */
const ROUTES: readonly [string, AccessRole, 'base' | 'fleet' | 'any', unknown?][] = [
  ['GET /v1/images', 'viewer', 'any'],
  ['GET /v1/images/base', 'viewer', 'base'],
  ['GET /v1/images/base/releases', 'viewer', 'base'],
  ['GET /v1/images/base/history', 'viewer', 'base'],
  ['GET /v1/images/base/diff?before=12.0.0&after=12.0.1', 'viewer', 'base'],
  ['GET /v1/runs', 'viewer', 'any'],
  [`GET /v1/runs/${RUN}`, 'viewer', 'base'],
  [`GET /v1/runs/${RUN}?wait=1`, 'viewer', 'base'],
  [`GET /v1/runs/${RUN}/logs`, 'viewer', 'base'],
  ['GET /v1/fleet', 'viewer', 'any'],
  ['GET /v1/plan', 'viewer', 'any'],
  ['GET /v1/upstreams', 'viewer', 'any'],
  ['GET /v1/pulls', 'viewer', 'any'],
  ['GET /v1/waivers', 'viewer', 'any'],
  ['GET /v1/freshness', 'viewer', 'any'],
  ['GET /v1/workers', 'viewer', 'any'],
  ['GET /v1/queues', 'viewer', 'any'],
  ['GET /v1/schedules', 'viewer', 'any'],
  ['GET /v1/budgets', 'viewer', 'any'],
  ['GET /v1/hooks', 'viewer', 'any'],
  ['GET /v1/notifications', 'viewer', 'any'],
  ['GET /v1/session', 'viewer', 'any'],
  ['POST /v1/rebuilds', 'viewer', 'base', { ...REBUILD, dryRun: true }],
  ['POST /v1/rebuilds', 'operator', 'base', REBUILD],
  ['POST /v1/rebuilds', 'operator', 'fleet', { upstreams: ['debian:12-slim'] }],
  [`POST /v1/runs/${RUN}/retry`, 'operator', 'base', WHY],
  ['POST /v1/fleet/look', 'operator', 'any', {}],
  ['POST /v1/fleet/reload', 'operator', 'any', {}],
  ['POST /v1/images/base/pause', 'operator', 'base', WHY],
  ['POST /v1/images/base/resume', 'operator', 'base', {}],
  ['POST /v1/images/base/rollback', 'admin', 'base', WHY],
  ['POST /v1/images/base/quarantine', 'admin', 'base', { what: '12.0.0', ...WHY }],
  ['POST /v1/images/base/unquarantine', 'admin', 'base', { what: '12.0.0' }],
  ['POST /v1/fleet/pause', 'admin', 'fleet', WHY],
  ['POST /v1/fleet/resume', 'admin', 'fleet', {}],
];

const cells = ROUTES.flatMap(([route, needed, concerns, body]) =>
  ACCESS_ROLES.flatMap((role) => {
    const isEnough = ACCESS_ROLES.indexOf(role) >= ACCESS_ROLES.indexOf(needed);
    return [
      { route, body, who: role as string, allowed: isEnough },
      { route, body, who: `${role} of child`, allowed: isEnough && concerns === 'any' },
    ];
  }),
);

describe('what a credential may do', () => {
  test.each(cells)('$route by $who: $allowed', async ({ route, body, who, allowed }) => {
    const [method = '', path = ''] = route.split(' ');
    const before = scene.service.changes.length;

    const answer = await scene.ask(path, { method, body, token: tokens.get(who) });

    expect(answer.status === 403, JSON.stringify(answer.body)).toBe(!allowed);
    if (allowed) expect(answer.status).toBeLessThan(300);
    else expect(scene.service.changes).toHaveLength(before);
  });

  test.each([...new Set(ROUTES.map(([route]) => route))])('%s needs a credential', async (route) => {
    const [method = '', path = ''] = route.split(' ');

    const answer = await scene.ask(path, { method, ...(method === 'POST' && { body: {} }) });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('is what the document says, and every operation is here', async () => {
    const { body } = await scene.ask('/openapi.json');

    const described = Object.entries<Record<string, { 'x-role': string }>>(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation['x-role']}`),
    );
    const plain = (route: string) => route.replace(/\?.*/, '').replace('/base', '/{image}').replace(RUN, '{run}');
    const known = ROUTES.map(([route, role]) => `${plain(route)} ${role}`);
    const rest = described.filter((line) => !known.includes(line));
    expect(rest).toEqual([
      'POST /v1/runs/{run}/cancel operator',
      ...['/v1/events', '/v1/images/{image}/events', '/v1/runs/{run}/events'].map((path) => `GET ${path} viewer`),
    ]);
  });

  test('leaves other images out of lists for those who are limited to some', async () => {
    const token = tokens.get('viewer of child');

    const [images, runs, plan, upstreams] = await Promise.all(
      ['images', 'runs', 'plan', 'upstreams'].map(async (path) => (await scene.ask(`/v1/${path}`, { token })).body),
    );

    expect(images.items.map(({ name }: { name: string }) => name)).toEqual(['child']);
    expect(runs.items.filter(({ image }: { image: string }) => image !== 'child')).toEqual([]);
    expect(plan.entries.map(({ image }: { image: string }) => image)).toEqual(['child']);
    expect(upstreams.items[0].images).toEqual(['child']);
  });
});
