import { Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { LoginCodes } from '../../access/login-codes.ts';
import { SESSION_HOURS } from '../../access/sessions.ts';
import { AccessError, type Principal } from '../../domain/access/principal.ts';
import { tokenId } from '../../domain/access/token.ts';
import { networkOf } from '../address.ts';
import { type AuthDeps, authenticated, limit, requireOwnOrigin } from '../auth.ts';
import type { ApiContext, ApiEnv } from '../operation.ts';
import { ownPath } from '../own-path.ts';
import { page } from './page.ts';

export interface LoginDeps extends AuthDeps {
  readonly codes: Pick<LoginCodes, 'redeem'>;
  readonly isSecure: boolean;
}

const MAX_FIELD = 4096;

/** How a person's browser gets a session: with a token, or the one-time code that `ingot serve` printed. */
export function loginPages(deps: LoginDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  app.get('/login', (c) => c.html(form({ code: c.req.query('code'), to: c.req.query('to') })));
  app.post('/login', async (c) => {
    requireOwnOrigin(c, deps);
    const fields = await c.req.parseBody();
    const principal = await redeem(c, fields, deps);
    if (principal instanceof AccessError) return c.html(form({ error: principal.message, to: textOf(fields.to) }), 401);
    const { cookie, session } = await deps.sessions.start(principal);
    await audit(c, principal, 'session.start', deps);
    setCookie(c, deps.cookie, cookie, {
      ...{ path: '/', httpOnly: true, sameSite: 'Lax', secure: deps.isSecure },
      maxAge: SESSION_HOURS * 3600,
    });
    c.header('X-Session-Expires', session.expiresAt);
    return c.redirect(ownPath(textOf(fields.to)), 303);
  });
  app.post('/logout', authenticated(deps), async (c) => {
    const { session, principal } = c.var;
    if (session !== undefined) await deps.sessions.end(session);
    await audit(c, principal, 'session.end', deps);
    deleteCookie(c, deps.cookie, { path: '/', secure: deps.isSecure });
    return c.redirect('/login', 303);
  });
  return app;
}

/** @returns the error, where the credential does not hold: the person is asked again */
async function redeem(
  c: ApiContext,
  fields: Record<string, unknown>,
  deps: LoginDeps,
): Promise<Principal | AccessError> {
  const [code, token] = [fields.code, fields.token].map((field) =>
    typeof field === 'string' && field.length <= MAX_FIELD ? field.trim() : '',
  );
  try {
    if (code && (await deps.codes.redeem(code)))
      return { name: 'admin link', role: 'admin', images: ['*'], key: 'admin-link' };
    if (token && tokenId(token) !== undefined) return await deps.tokens.verify(token);
    const message = code
      ? 'this link was used already, or is too old; restart "ingot serve" for a new one'
      : 'this is no token of ingot';
    throw new AccessError(message, { code: 'unauthenticated' });
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    await limit(c, deps.failures, networkOf(c.var.from));
    await deps.audit.write({
      who: 'unknown',
      what: 'session.start',
      on: [],
      ...origin(c),
      outcome: 'refused',
      detail: error.message,
    });
    return error;
  }
}

async function audit(c: ApiContext, { name, role }: Principal, what: string, deps: LoginDeps): Promise<void> {
  await deps.audit.write({ who: name, role, what, on: [], ...origin(c), outcome: 'done' });
}

function origin(c: ApiContext) {
  return { from: c.var.from, request: c.var.requestId };
}

function textOf(field: unknown): string | undefined {
  return typeof field === 'string' && field !== '' && field.length <= MAX_FIELD ? field : undefined;
}

interface Form {
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  /** Page that was asked for. */
  readonly to?: string | undefined;
}

/** The code is sent by a press of a button: what only looks at links (mail scanners, previews) does not use it up. */
function form({ code, error, to }: Form) {
  const back = to === undefined ? '' : html`<input type="hidden" name="to" value="${to}" />`;
  return page(
    'Sign in',
    html`${error === undefined ? '' : html`<p class="error" role="alert">${error}</p>`}
      ${
        code === undefined
          ? html`<form method="post" action="/login">
              <label for="token">Token (“ingot token create” makes one)</label>
              <input id="token" name="token" type="password" autocomplete="off" required autofocus />
              ${back}<button>Sign in</button>
            </form>`
          : html`<form method="post" action="/login">
              <input type="hidden" name="code" value="${code}" />
              <p>This link signs you in as admin, once.</p>
              ${back}<button autofocus>Sign in as admin</button>
            </form>`
      }`,
  );
}
