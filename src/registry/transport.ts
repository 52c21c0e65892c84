import type { Budget } from '../lib/budget.ts';
import type { Http, HttpResponse } from '../lib/http.ts';

export type RequestKind = 'manifest' | 'blob' | 'upload' | 'tags' | 'referrers' | 'token';

/** What went over the wire, once for each request. `status` is absent when no answer came. */
export interface RequestEvent {
  readonly host: string;
  readonly method: string;
  readonly kind: RequestKind;
  readonly status?: number;
}

export interface RegistryRequest {
  readonly method: string;
  readonly url: URL;
  readonly kind: RequestKind;
  /** The host as people write it: whose credentials to use. */
  readonly registry: string;
  /** Token scopes (distribution token spec): `repository:library/debian:pull`. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose credentials are in them; absent: nobody's. */
  readonly identity?: string | undefined;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** One transport, or a stack of them: each adds one thing to the one below. */
export type Send = (request: RegistryRequest) => Promise<HttpResponse>;

export interface SenderDeps {
  readonly http: Http;
  readonly budget: Budget;
  /** Where nobody counts: our own registry and its replicas, as `host[:port]/path`. */
  readonly free?: readonly string[] | undefined;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

/** The lowest transport: one request within the host's budget. */
export function createSender({ http, budget, onRequest, free = [] }: SenderDeps): Send {
  return async (request) => {
    const { url, method, kind, headers, body, signal, timeoutMs, maxBytes, identity } = request;
    const { host } = url;
    const counted = kind === 'manifest' && method === 'GET' && !isFree(request, free);
    return budget.spend({ host, counted, identity, signal }, async () => {
      let status: number | undefined;
      try {
        const response = await http.request(url, { method, headers: headers ?? {}, body, signal, timeoutMs, maxBytes });
        status = response.status;
        return response;
      } finally {
        onRequest?.({ host, method, kind, ...(status !== undefined && { status }) });
      }
    });
  };
}

function isFree({ registry, url }: RegistryRequest, free: readonly string[]): boolean {
  const place = `${registry}${url.pathname.replace(/^\/v2/, '')}`;
  return free.some((base) => place.startsWith(`${base.replace(/\/+$/, '')}/`));
}

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 5;

/**
 * Follows redirects of reads. Blobs are often on object storage: the registry's credentials are not for that host,
 * and some storages refuse a request with two kinds of them.
 */
export function withRedirects(send: Send): Send {
  return async (request) => {
    let hop = request;
    for (let count = 0; ; count++) {
      const response = await send(hop);
      const { location } = response.headers;
      const follow = REDIRECTS.includes(response.status) && ['GET', 'HEAD'].includes(request.method);
      if (!follow || typeof location !== 'string' || count === MAX_REDIRECTS) return response;
      await response.discard();
      hop = redirected(hop, new URL(location, hop.url));
    }
  };
}

function redirected(request: RegistryRequest, url: URL): RegistryRequest {
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _, ...headers } = request.headers ?? {};
  return { ...request, url, headers, identity: undefined };
}
