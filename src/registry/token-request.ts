import { z } from 'zod';
import { type HttpResponse, isLoopbackHost } from '../lib/http.ts';
import type { Challenge } from './challenge.ts';
import { basic, type Credential, identityOfCredential } from './credentials.ts';
import { statusError } from './errors.ts';
import { parseJson } from './manifest.ts';
import { RegistryError } from './registry.ts';
import type { RegistryRequest, Send } from './transport.ts';

const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  /** Seconds; 60 is what the specification says for none. */
  expires_in: z.number().positive().catch(60).default(60),
});

export interface TokenWish {
  readonly challenge: Challenge & { scheme: 'bearer' };
  readonly credential: Credential | undefined;
  readonly request: RegistryRequest;
}

export interface TokenDeps {
  readonly send: Send;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the request needs, and whatever else the registry asked for. */
export function scopesOf({ challenge, request }: TokenWish): readonly string[] {
  const asked = challenge.scopes.filter((scope) => addsActions(scope, request.scopes));
  return [...new Set([...request.scopes, ...asked])];
}

/** The challenge is remembered for the host: scopes in it may be those of another repository. */
function addsActions(scope: string, scopes: readonly string[]): boolean {
  const resource = scope.slice(0, scope.lastIndexOf(':'));
  const actions = new Set(scope.slice(resource.length + 1).split(','));
  const ours = scopes.find((other) => other.startsWith(`${resource}:`));
  if (ours === undefined) return false;
  const covered = new Set(ours.slice(resource.length + 1).split(','));
  return [...actions].some((action) => !covered.has(action));
}

/** Asks for a token. Not on behalf of one caller alone: who else waits for it must not fail when that one is cancelled. */
export async function fetchToken(
  wish: TokenWish,
  { send, now }: TokenDeps,
): Promise<{ token: string; lifetimeMs: number }> {
  const { challenge, credential, request } = wish;
  const url = new URL(challenge.realm);
  refuseInsecureRealm(url, request, credential);
  const identity = credential && identityOfCredential(credential);
  const common = { kind: 'token', registry: request.registry, scopes: [] as readonly string[], identity } as const;
  const parameters = parametersOf(wish);
  let response: HttpResponse;
  if (credential !== undefined && 'identityToken' in credential) {
    const form = new URLSearchParams([
      ...parameters,
      ['grant_type', 'refresh_token'],
      ['client_id', 'ingot'],
      ['refresh_token', credential.identityToken],
    ]);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    response = await send({ ...common, url, method: 'POST', headers, body: form.toString() });
  } else {
    for (const [name, value] of parameters) url.searchParams.append(name, value);
    const authorization = credential && basic(credential);
    response = await send({ ...common, url, method: 'GET', ...(authorization && { headers: { authorization } }) });
  }
  return readToken(response, { url, request, now });
}

function parametersOf(wish: TokenWish): [string, string][] {
  const { service } = wish.challenge;
  const scopes = scopesOf(wish);
  const isForm = wish.credential !== undefined && 'identityToken' in wish.credential;
  const scope: [string, string][] = isForm ? [['scope', scopes.join(' ')]] : scopes.map((value) => ['scope', value]);
  return [...(service === undefined ? [] : [['service', service] as [string, string]]), ...scope];
}

/** A registry on HTTPS that sends passwords to a host without is broken, or not itself. */
function refuseInsecureRealm(url: URL, request: RegistryRequest, credential: Credential | undefined): void {
  const secure = url.protocol === 'https:' || isLoopbackHost(url.hostname) || request.url.protocol === 'http:';
  if (secure || credential === undefined) return;
  throw new RegistryError(
    `${request.registry} asks for tokens from ${url.host} without encryption; the credentials were not sent`,
    { code: 'unauthorised' },
  );
}

async function readToken(
  response: HttpResponse,
  { url, request, now }: { url: URL; request: RegistryRequest; now: () => number },
) {
  const what = `a token for ${request.registry} from ${url.host}`;
  const { registry } = request;
  if (response.status !== 200) throw await statusError(response, { what, registry, method: 'GET', now: now() });
  const answer = TokenAnswer.safeParse(parseJson(await response.bytes(256 * 1024), what));
  const token = answer.data?.token || answer.data?.access_token;
  if (!answer.success || !token) {
    throw new RegistryError(`${what}: the answer holds no token; ask who runs it`, { code: 'protocol' });
  }
  return { token, lifetimeMs: answer.data.expires_in * 1000 };
}
