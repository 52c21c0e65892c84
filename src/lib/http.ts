import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as undiciRequest } from 'undici';
import { FactoryError } from '../domain/errors.ts';

export interface HttpOptions {
  readonly connectionsPerHost: number;
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly no?: string } | undefined;
  /** PEM of certificate authorities that are trusted besides the usual ones. */
  readonly ca?: string | undefined;
  readonly userAgent: string;
  /** Milliseconds from the start of a call to the end of its body. */
  readonly timeoutMs: number;
}

export interface HttpRequest {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, in place of the default. */
  readonly timeoutMs?: number | undefined;
  /** More bytes than these end the body with an error; default no cap for `body`, 8 MiB for `bytes` and `text`. */
  readonly maxBytes?: number | undefined;
}

export type HttpHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer of any status. Its body must be read to the end, or discarded: else the connection stays taken. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  bytes(limit?: number): Promise<Uint8Array>;
  text(limit?: number): Promise<string>;
  discard(): Promise<void>;
}

export type HttpErrorCode = 'unavailable' | 'timed-out' | 'too-large' | 'cancelled';

/** No answer, or not all of it. */
export class HttpError extends FactoryError<HttpErrorCode> {}

export interface Http {
  /** Redirects are answers; who calls decides about them. */
  request(url: URL | string, request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

const DEFAULT_BYTES = 8 * 1024 * 1024;
/** Time without a byte after which a connection counts as dead. */
const IDLE_MS = 60_000;

/** The only door to HTTP: keep-alive pools per host, proxies, further authorities, and a limit on everything. */
export function createHttp(options: HttpOptions): Http {
  const dispatchers = createDispatchers(options);
  return {
    async request(address, request) {
      const url = new URL(address);
      const bound = boundCall(request.timeoutMs ?? options.timeoutMs, request.signal);
      const fail = (cause: unknown) => toHttpError(cause, { what: `${request.method} ${safeUrl(url)}`, bound });
      try {
        const { statusCode, headers, body } = await undiciRequest(url, {
          method: request.method as Dispatcher.HttpMethod,
          headers: { 'user-agent': options.userAgent, ...request.headers },
          body: (request.body ?? null) as Dispatcher.DispatchOptions['body'] & string,
          signal: bound.signal,
          dispatcher: isLoopbackHost(url.hostname) ? dispatchers.direct : dispatchers.outward,
          // undici ends the connection after each HEAD, for servers that answer it with a body; registries do not
          reset: false,
        });
        return toResponse(statusCode, headers, readBody(body, { limit: request.maxBytes, bound, fail, url }));
      } catch (cause) {
        bound.end();
        throw fail(cause);
      }
    },
    close: () => dispatchers.close(),
  };
}

function createDispatchers({ connectionsPerHost, proxy = {}, ca }: HttpOptions) {
  const trust = ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] };
  const pool = { connections: connectionsPerHost, connect: trust, bodyTimeout: IDLE_MS, headersTimeout: 0 };
  const direct = new Agent(pool);
  const proxied = Boolean(proxy.http || proxy.https);
  // Empty strings, not undefined: undici would look into the environment
  const addresses = { httpProxy: proxy.http ?? '', httpsProxy: proxy.https ?? '', noProxy: proxy.no ?? '' };
  const outward = proxied
    ? new EnvHttpProxyAgent({ ...pool, requestTls: trust, proxyTls: trust, ...addresses })
    : direct;
  return {
    direct,
    outward,
    async close() {
      await Promise.all(proxied ? [direct.destroy(), outward.destroy()] : [direct.destroy()]);
    },
  };
}

/** 127.0.0.0/8, localhost and [::1]: plain HTTP is fine there, and no proxy is asked. */
/** `host[:port]`, as in an image reference: is it on this machine, and so without TLS? */
export function isLoopbackAddress(address: string): boolean {
  return URL.canParse(`http://${address}`) && isLoopbackHost(new URL(`http://${address}`).hostname);
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Whether what comes from there is what its host sent: over TLS, or from this machine. */
export function isSecureUrl(address: URL | string): boolean {
  if (!URL.canParse(String(address))) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

/** Without user, query and fragment: signed URLs carry their secret there. */
export function safeUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

interface Bound {
  readonly signal: AbortSignal;
  readonly state: { timedOut: boolean; cancelled: boolean };
  end(): void;
}

/** By hand: AbortSignal.any on a signal that lives long keeps every one of ten thousand requests in memory. */
function boundCall(timeoutMs: number, outer: AbortSignal | undefined): Bound {
  const controller = new AbortController();
  const state = { timedOut: false, cancelled: false };
  const cancel = () => {
    state.cancelled = true;
    controller.abort(outer?.reason);
  };
  const timer = setTimeout(() => {
    state.timedOut = true;
    controller.abort();
  }, timeoutMs).unref();
  if (outer?.aborted) cancel();
  else outer?.addEventListener('abort', cancel, { once: true });
  const end = () => {
    clearTimeout(timer);
    outer?.removeEventListener('abort', cancel);
  };
  return { signal: controller.signal, state, end };
}

function toHttpError(cause: unknown, { what, bound }: { what: string; bound: Bound }): HttpError {
  if (cause instanceof HttpError) return cause;
  if (bound.state.cancelled) return new HttpError(`${what} was cancelled`, { code: 'cancelled', cause });
  if (bound.state.timedOut)
    return new HttpError(`${what} took too long`, { code: 'timed-out', retryable: true, cause });
  const { code, message } = cause as NodeJS.ErrnoException;
  const why = message || code || 'the connection failed';
  return new HttpError(`${what} failed: ${why}`, { code: 'unavailable', retryable: true, cause });
}

interface BodyOptions {
  readonly limit: number | undefined;
  readonly bound: Bound;
  readonly fail: (cause: unknown) => HttpError;
  readonly url: URL;
}

async function* readBody(body: AsyncIterable<Uint8Array>, { limit, bound, fail, url }: BodyOptions) {
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (limit !== undefined && size > limit) throw tooLarge(url, limit);
      yield chunk;
    }
  } catch (cause) {
    throw fail(cause);
  } finally {
    bound.end();
  }
}

function tooLarge(url: URL, limit: number): HttpError {
  return new HttpError(`${safeUrl(url)} answered more than ${limit} bytes`, { code: 'too-large' });
}

function toResponse(status: number, headers: HttpHeaders, body: AsyncGenerator<Uint8Array>): HttpResponse {
  const bytes = (limit = DEFAULT_BYTES) => collect(body, limit);
  return {
    ...{ status, headers, body, bytes },
    text: async (limit) => Buffer.from(await bytes(limit)).toString('utf8'),
    async discard() {
      // A short rest is read, so that the connection can be used again; a long one is not worth it
      await collect(body, 64 * 1024).catch(() => undefined);
    },
  };
}

async function collect(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new HttpError(`the answer has more than ${limit} bytes`, { code: 'too-large' });
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** The one value of a header. */
export function headerOf(headers: HttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
