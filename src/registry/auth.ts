import { headerOf } from '../lib/http.ts';
import { type Challenge, parseChallenge } from './challenge.ts';
import { basic, type Credentials, identityOfCredential } from './credentials.ts';
import { createTokens } from './tokens.ts';
import type { RegistryRequest, Send } from './transport.ts';

export interface AuthDeps {
  /** Sends as it is, without authorisation of its own. */
  readonly send: Send;
  readonly credentials?: Credentials | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Authorised {
  readonly authorization?: string | undefined;
  /** Of the account; absent: a token for nobody in particular. */
  readonly identity?: string | undefined;
}

/**
 * Answers the challenge of a registry, and remembers it: later requests bring their token unasked. Authorisation goes
 * only to the host that asked for it.
 */
export function withAuth({ send, credentials, now }: AuthDeps): Send {
  const challenges = new Map<string, Challenge>();
  const tokens = createTokens({ send, now });

  async function authorise(request: RegistryRequest, challenge: Challenge | undefined): Promise<Authorised> {
    if (challenge === undefined) return {};
    const credential = await credentials?.find(request.registry);
    const identity = credential && identityOfCredential(credential);
    if (challenge.scheme === 'basic') return credential ? { authorization: basic(credential), identity } : {};
    return { authorization: `Bearer ${await tokens.get({ challenge, credential, request })}`, identity };
  }

  return async (request) => {
    const { origin } = request.url;
    const first = await authorise(request, challenges.get(origin));
    const response = await send(withAuthorization(request, first));
    if (response.status !== 401 || isStream(request.body)) return response;
    const challenge = parseChallenge(headerOf(response.headers, 'www-authenticate'));
    if (challenge === undefined) return response;
    challenges.set(origin, challenge);
    tokens.forget(first.authorization);
    const second = await authorise(request, challenge);
    if (second.authorization === undefined || second.authorization === first.authorization) return response;
    await response.discard();
    return send(withAuthorization(request, second));
  };
}

/** A stream is sent once; its upload was started with the same scopes a moment before. */
function isStream(body: RegistryRequest['body']): boolean {
  return typeof body === 'object' && !(body instanceof Uint8Array);
}

function withAuthorization(request: RegistryRequest, { authorization, identity }: Authorised): RegistryRequest {
  if (authorization === undefined) return request;
  return { ...request, identity, headers: { ...request.headers, authorization } };
}
