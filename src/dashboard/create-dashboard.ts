import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { setCookie } from 'hono/cookie';
import { authenticated } from '../api/auth.ts';
import type { ApiEnv } from '../api/operation.ts';
import { ownPath } from '../api/own-path.ts';
import { AccessError } from '../domain/access/principal.ts';
import { ACTIONS } from './actions.ts';
import { assetRoutes } from './assets.ts';
import { createCached } from './cached.ts';
import type { DashboardDeps, PageContext, PageRoutes, Pages } from './context.ts';
import { errorPage } from './error-page.ts';
import { createGraphLayouts } from './graph.ts';
import { THEME_COOKIE, THEMES } from './layout.ts';
import { actionForm, doAction } from './pages/action.ts';
import { auditPage } from './pages/audit.ts';
import { diffPage } from './pages/diff.ts';
import { downstreamsPage } from './pages/downstreams.ts';
import { fleetPage } from './pages/fleet.ts';
import { freshnessPage } from './pages/freshness.ts';
import { imagePage } from './pages/image.ts';
import { runPage } from './pages/run.ts';
import { runsPage } from './pages/runs.ts';
import { upstreamsPage } from './pages/upstreams.ts';
import { workersPage } from './pages/workers.ts';

const PULLS_MS = 60_000;
const YEAR_SECONDS = 365 * 24 * 3600;

const PAGES: Readonly<Record<string, (c: PageContext, pages: Pages) => Promise<Response>>> = {
  '/': fleetPage,
  '/images/:image': imagePage,
  '/images/:image/diff': diffPage,
  '/runs': runsPage,
  '/runs/:run': runPage,
  '/upstreams': upstreamsPage,
  '/downstreams': downstreamsPage,
  '/freshness': freshnessPage,
  '/workers': workersPage,
  '/audit': auditPage,
};

const BELOW = { image: '/images/:image', run: '/runs/:run', fleet: '/fleet' } as const;

/** What people see in a browser; everything works without a script, and by the same rules as the API. */
export function createDashboard(deps: DashboardDeps): PageRoutes {
  const now = deps.now ?? (() => new Date());
  const pages: Pages = {
    ...{ deps, now, layouts: createGraphLayouts() },
    pulls: createCached(() => deps.service.pulls(), PULLS_MS, now),
  };
  const app = new Hono<ApiEnv>();
  app.onError((error, c) => errorPage(error, c as PageContext, deps.onTrouble));
  const known = signedIn(deps);
  const packed = compress();
  for (const [path, page] of Object.entries(PAGES)) app.get(path, packed, known, (c) => page(c, pages));
  for (const action of ACTIONS) {
    const path = `${BELOW[action.subject]}/${action.name}`;
    app.get(path, known, (c) => actionForm(c, action));
    app.post(path, known, (c) => doAction(c, action, pages));
  }
  app.post('/theme', known, (c) => switchTheme(c, deps));
  app.route('/', assetRoutes());
  return app;
}

/** Who is not signed in is asked to, and led back afterwards. */
function signedIn(deps: DashboardDeps) {
  const check = authenticated(deps);
  return async (c: PageContext, next: () => Promise<void>): Promise<Response | undefined> => {
    try {
      await check(c, next);
      return undefined;
    } catch (error) {
      if (!(error instanceof AccessError) || error.code !== 'unauthenticated') throw error;
      const { pathname, search } = new URL(c.req.url);
      const back = c.req.method === 'GET' && pathname !== '/' ? `?to=${encodeURIComponent(pathname + search)}` : '';
      return c.redirect(`/login${back}`, 303);
    }
  };
}

async function switchTheme(c: PageContext, { isSecure }: DashboardDeps): Promise<Response> {
  const { theme, back } = await c.req.parseBody();
  const chosen = THEMES.find((each) => each === theme) ?? 'auto';
  setCookie(c, THEME_COOKIE, chosen, {
    path: '/',
    httpOnly: true,
    sameSite: 'Lax',
    secure: isSecure,
    maxAge: YEAR_SECONDS,
  });
  return c.redirect(ownPath(back), 303);
}
