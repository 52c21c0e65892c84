import { readFileSync } from 'node:fs';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Hono, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { matchedRoutes } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import { VERSION } from '../version.ts';
import { authenticated } from './auth.ts';
import { type ApiContext, type ApiEnv, createRouter } from './operation.ts';
import { type LoginDeps, loginPages } from './pages/login.ts';
import { type DocumentLike, referencePage } from './pages/reference.ts';
import { answerError, ProblemError, problem } from './problem.ts';
import { type EventDeps, eventRoutes } from './routes/events.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { type HealthDeps, healthRoutes } from './routes/health.ts';
import { type HookDeps, hookRoutes } from './routes/hooks.ts';
import { imageRoutes } from './routes/images.ts';
import { observationRoutes } from './routes/observations.ts';
import { rebuildRoutes } from './routes/rebuilds.ts';
import { runRoutes } from './routes/runs.ts';
import { sessionRoutes } from './routes/session.ts';

/** `signal`: the server stops, streams and long polls end. */
export interface ApiDeps extends LoginDeps, HookDeps, HealthDeps, EventDeps {
  /** Address that a request comes from. */
  readonly from: (c: ApiContext) => string;
  /** Errors that are nobody's business outside. */
  readonly onTrouble: (message: string, about?: { readonly request?: string }) => void;
  /** Each request that was answered. */
  readonly onAnswer?: ((answered: Answered) => void) | undefined;
  /** Pages for people; absent: a browser is led to the reference. */
  readonly pages?: Hono<ApiEnv> | undefined;
}

/** One request, without its query: that may hold a secret. */
export interface Answered {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly seconds: number;
  /** Its `X-Request-Id`. */
  readonly request: string;
}

const MAX_BODY_BYTES = 256 * 1024;
/** Of webhooks: a push may tell of hundreds of commits. */
const MAX_HOOK_BYTES = 2 * 1024 * 1024;
const STYLE = readFileSync(new URL('./pages/style.css', import.meta.url), 'utf8');

/** Everything that is served over HTTP. */
export function createApi(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = createRouter();
  app.use(requestId({ limitLength: 128 }), headers(), async (c, next) => {
    c.set('from', deps.from(c));
    await next();
  });
  if (deps.onAnswer !== undefined) app.use(told(deps.onAnswer));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: notAllowed }));
  const [limit, hookLimit] = [MAX_BODY_BYTES, MAX_HOOK_BYTES].map(limitOf);
  app.use((c, next) => (c.req.path.startsWith('/hooks/') ? hookLimit! : limit!)(c, next));
  app.onError((error, c) => answerError(error, c, deps.onTrouble));
  app.notFound((c) => problem(c, 404, `there is nothing at ${c.req.path}`));
  app.use('/v1/*', authenticated(deps), async (c, next) => {
    requireJson(c);
    await next();
  });
  for (const routes of [
    imageRoutes(),
    rebuildRoutes(),
    runRoutes(deps),
    fleetRoutes(),
    observationRoutes(),
    eventRoutes(deps),
    sessionRoutes(),
  ]) {
    app.route('/', routes);
  }
  addDocument(app);
  app.route('/', healthRoutes(deps));
  app.route('/', hookRoutes(deps));
  app.route('/', loginPages(deps));
  app.get('/assets/api.css', (c) => c.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
  if (deps.pages === undefined) app.get('/', (c) => c.redirect('/reference'));
  else app.route('/', deps.pages);
  return app;
}

function told(onAnswer: (answered: Answered) => void): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const began = performance.now();
    await next();
    const seconds = Math.round(performance.now() - began) / 1000;
    const { method, path } = c.req;
    onAnswer({ method, path, status: c.res.status, seconds, request: c.var.requestId });
  };
}

/** Pages take style and script from here, and nothing from anywhere else; nothing that stands in a page runs. */
function headers() {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      scriptSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    // With "no-referrer" browsers send "Origin: null" along with forms, also with our own
    referrerPolicy: 'same-origin',
  });
}

function notAllowed(c: ApiContext, methods: string[]): Response {
  c.header('Allow', methods.join(', '));
  return problem(c, 405, `${c.req.method} cannot be done there; what can: ${methods.join(', ')}`);
}

function limitOf(maxSize: number) {
  return bodyLimit({ maxSize, onError: (c) => problem(c, 413, `at most ${maxSize} bytes`) });
}

function requireJson(c: ApiContext): void {
  if (!matchedRoutes(c).some(({ method }) => method === 'POST')) return;
  const mediaType = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') throw new ProblemError(415, 'send "Content-Type: application/json"');
}

function addDocument(app: OpenAPIHono<ApiEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'a token of "ingot token create", or of a CI system that ingot.yaml trusts (OpenID Connect)',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'session', {
    ...{ type: 'apiKey', in: 'cookie', name: 'ingot_session' },
    description: 'of the pages in a browser; changes need the header x-csrf-token, too',
  });
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'ingot API',
      version: VERSION,
      description:
        'What an organisation asks of its factory of golden images. Errors are application/problem+json. Health (/healthz, /readyz) needs no credential; metrics (/metrics) are on an address of their own, see --metrics-listen.',
    },
  });
  app.get('/openapi.json', (c) => c.json(document));
  app.get('/reference', (c) => c.html(referencePage(document as DocumentLike)));
}
