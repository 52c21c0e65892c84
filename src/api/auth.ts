import type { MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import type { AuditLog } from '../access/audit.ts';
import { auditService } from '../access/audited.ts';
import { guardService } from '../access/guarded.ts';
import type { Limiter } from '../access/limiter.ts';
import type { Identities } from '../access/oidc.ts';
import { isOwnForm, type Session, type Sessions } from '../access/sessions.ts';
import type { TokenStore } from '../access/tokens.ts';
import { AccessError, type Principal } from '../domain/access/principal.ts';
import { tokenId } from '../domain/access/token.ts';
import type { FactoryService } from '../service/service.ts';
import { networkOf } from './address.ts';
import type { ApiContext, ApiEnv } from './operation.ts';
import { ProblemError } from './problem.ts';

export interface AuthDeps {
  readonly service: FactoryService;
  readonly tokens: TokenStore;
  readonly identities: Identities;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
  /** Of one credential, and of one address whose credentials do not hold. */
  readonly requests: Limiter;
  readonly failures: Limiter;
  /** `https://host[:port]` as browsers see it. */
  readonly origin: (c: ApiContext) => string;
  /** The name says to browsers that no other host may set it, where TLS allows to say so. */
  readonly cookie: string;
}

const HARMLESS = ['GET', 'HEAD', 'OPTIONS'];
export const CSRF_HEADER = 'x-csrf-token';
/** The same in a form, which can send no header. */
export const CSRF_FIELD = '_csrf';
const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** Finds out who asks, lets nobody else pass, and gives them the service as they may use it. */
export function authenticated(deps: AuthDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const { principal, session, again } = await identify(c, deps);
    await limit(c, deps.requests, principal.key);
    if (session !== undefined && !HARMLESS.includes(c.req.method)) await requireOwnPage(c, session, deps);
    c.set('principal', principal);
    c.set('holds', () => holdsStill(again));
    if (session !== undefined) c.set('session', session);
    const context = { principal, from: c.var.from, request: c.var.requestId };
    c.set('service', auditService(guardService(deps.service, principal), deps.audit, context));
    await next();
  };
}

interface Identity {
  readonly principal: Principal;
  readonly session?: Session;
  /** Fails once the credential was taken back. Absent: it can not be, and was judged when it came. */
  readonly again?: () => Promise<unknown>;
}

/** One that cannot be looked up is not taken back. */
async function holdsStill(again: Identity['again']): Promise<boolean> {
  const isRefusal = (error: unknown) => error instanceof AccessError && error.code === 'unauthenticated';
  return (
    (await again?.().then(
      () => true,
      (error: unknown) => !isRefusal(error),
    )) ?? true
  );
}

async function identify(c: ApiContext, deps: AuthDeps): Promise<Identity> {
  try {
    return await readCredential(c, deps);
  } catch (error) {
    // Those who guess are slowed down; an issuer that does not answer is nobody's fault
    const isGuess = c.req.header('authorization') !== undefined || getCookie(c, deps.cookie) !== undefined;
    if (isGuess && error instanceof AccessError && error.code === 'unauthenticated') {
      await limit(c, deps.failures, networkOf(c.var.from));
    }
    throw error;
  }
}

async function readCredential(c: ApiContext, { tokens, identities, sessions, cookie }: AuthDeps): Promise<Identity> {
  const header = c.req.header('authorization');
  if (header !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) throw unauthenticated('Authorization has to be "Bearer TOKEN"');
    if (tokenId(token) === undefined) return { principal: await identities.verify(token) };
    const again = () => tokens.verify(token);
    return { principal: await again(), again };
  }
  const found = getCookie(c, cookie);
  if (found === undefined) throw unauthenticated('send a token ("Authorization: Bearer …"), or sign in');
  const again = () => sessions.read(found);
  const session = await again();
  return { principal: session.principal, session, again };
}

function unauthenticated(message: string): AccessError {
  return new AccessError(message, { code: 'unauthenticated' });
}

/** Says how much is left, and refuses when it is nothing (draft-ietf-httpapi-ratelimit-headers, in its widely read form). */
export async function limit(c: ApiContext, limiter: Limiter, name: string): Promise<void> {
  const { allowed, remaining, resetSeconds } = await limiter.take(name);
  c.header('RateLimit-Limit', String(limiter.limit));
  c.header('RateLimit-Remaining', String(remaining));
  c.header('RateLimit-Reset', String(resetSeconds));
  if (allowed) return;
  c.header('Retry-After', String(resetSeconds));
  throw new ProblemError(429, `at most ${limiter.limit} a minute; try again in ${resetSeconds} s`);
}

/** A cookie goes along with whatever a page of somebody else sends: what only our own pages know has to be there, too. */
export async function requireOwnPage(c: ApiContext, session: Session, deps: Pick<AuthDeps, 'origin'>): Promise<void> {
  requireOwnOrigin(c, deps);
  if (isOwnForm(session, c.req.header(CSRF_HEADER) ?? (await fieldOf(c)))) return;
  const how = `the header ${CSRF_HEADER}, or the field ${CSRF_FIELD} of a form,`;
  throw new ProblemError(403, `a session needs ${how} for changes ("csrf" of GET /v1/session)`);
}

/** Plain forms send no headers of their own. Hono keeps the body: who comes after reads it again. */
async function fieldOf(c: ApiContext): Promise<string | undefined> {
  const mediaType = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType === undefined || !FORMS.includes(mediaType)) return undefined;
  const field = (await c.req.parseBody())[CSRF_FIELD];
  return typeof field === 'string' ? field : undefined;
}

/** Browsers say by themselves which page a request is of. */
export function requireOwnOrigin(c: ApiContext, { origin }: Pick<AuthDeps, 'origin'>): void {
  const given = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  const isOther =
    given === undefined ? site !== undefined && !['same-origin', 'none'].includes(site) : given !== origin(c);
  if (isOther) throw new ProblemError(403, 'the request comes from a page of somebody else');
}
