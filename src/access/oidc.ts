import {
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import { matchesGlob } from '../domain/access/glob.ts';
import { AccessError, type Principal } from '../domain/access/principal.ts';
import type { Issuer, IssuerRule } from '../domain/fleet/settings-access.ts';
import { type Http, HttpError, isSecureUrl } from '../lib/http.ts';

/** Bearer tokens of CI systems. */
export interface Identities {
  /** @throws AccessError: `unavailable` when the issuer's keys cannot be had */
  verify(token: string): Promise<Principal>;
}

/** Signatures by a key that the issuer keeps to itself: nothing symmetric, and no "none". */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const CLOCK_SECONDS = 30;
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 512 * 1024;
const MAX_NAME = 200;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

export function createIdentities(
  issuers: () => readonly Issuer[],
  { http, now = () => new Date() }: { readonly http: Http; readonly now?: () => Date },
): Identities {
  const keys = new Map<string, Promise<JWTVerifyGetKey>>();
  const keysOf = (issuer: string): Promise<JWTVerifyGetKey> => {
    const found = keys.get(issuer) ?? discover(issuer, http);
    keys.set(issuer, found);
    found.catch(() => keys.delete(issuer)); // asked again by the next token
    return found;
  };
  return {
    async verify(token) {
      const issuer = findIssuer(token, issuers());
      const payload = await verified(token, issuer, await keysOf(issuer.issuer), now());
      const rule = issuer.rules.find((each) => fits(each, payload));
      const name = `${issuer.name} ${String(payload.sub).slice(0, MAX_NAME)}`;
      if (rule === undefined) {
        throw new AccessError(`no rule of ${issuer.name} lets in ${name}`, { code: 'forbidden' });
      }
      return { name, role: rule.role, images: rule.images, key: `oidc:${name}` };
    },
  };
}

function findIssuer(token: string, issuers: readonly Issuer[]): Issuer {
  const claimed = unverifiedIssuer(token);
  const found = issuers.find(({ issuer }) => issuer === claimed);
  if (found === undefined) throw refused('the token is of no issuer that is accepted here');
  return found;
}

/** Only to know whose keys to try. */
function unverifiedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch (cause) {
    throw refused('the token is not known here', cause);
  }
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discover(issuer: string, http: Http): Promise<JWTVerifyGetKey> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const found = Discovery.safeParse(parse(await read(address, http).catch(unavailable(issuer))));
  if (!found.success || found.data.issuer !== issuer || !isSecureUrl(found.data.jwks_uri)) {
    throw new AccessError(`${address} does not describe the issuer ${issuer}`, { code: 'unavailable' });
  }
  const viaHttp = async (url: string) => new Response(await read(url, http));
  return createRemoteJWKSet(new URL(found.data.jwks_uri), { [customFetch]: viaHttp, timeoutDuration: TIMEOUT_MS });
}

/** A proxy's page of errors is no document: what is not JSON describes nothing. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function read(url: string, http: Http): Promise<string> {
  const answer = await http.request(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    timeoutMs: TIMEOUT_MS,
  });
  const text = await answer.text(MAX_BYTES);
  if (answer.status !== 200) throw new HttpError(`${url} answered ${answer.status}`, { code: 'unavailable' });
  return text;
}

async function verified(token: string, issuer: Issuer, key: JWTVerifyGetKey, now: Date): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, {
      issuer: issuer.issuer,
      audience: [...issuer.audience],
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SECONDS,
      requiredClaims: ['exp', 'sub'],
      currentDate: now,
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWKSTimeout || cause instanceof HttpError) return unavailable(issuer.issuer)(cause);
    throw refused(`the token of ${issuer.name} does not hold: ${(cause as Error).message}`, cause);
  }
}

function fits({ claims }: IssuerRule, payload: JWTPayload): boolean {
  return Object.entries(claims).every(([claim, glob]) => {
    const value = payload[claim];
    const texts = Array.isArray(value) ? value : [value];
    return texts.some(
      (text) => ['string', 'number', 'boolean'].includes(typeof text) && matchesGlob(glob, String(text)),
    );
  });
}

function refused(message: string, cause?: unknown): AccessError {
  return new AccessError(message, { code: 'unauthenticated', cause });
}

function unavailable(issuer: string) {
  return (cause: unknown): never => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AccessError(`the keys of ${issuer} cannot be had: ${why}`, {
      code: 'unavailable',
      retryable: true,
      cause,
    });
  };
}
