import pLimit from 'p-limit';
import { z } from 'zod';
import { FactoryError } from '../domain/errors.ts';
import type { Budget } from '../lib/budget.ts';
import { type Http, HttpError, type HttpHeaders, type HttpResponse, headerOf } from '../lib/http.ts';
import { type ForgeCall, ForgeError, type ForgeErrorCode } from './forge.ts';

/** What every forge that is reached over HTTP needs. */
export interface WebDeps {
  readonly http: Http;
  /** Milliseconds. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => Date;
  /** Waits before each request that writes; absent: it need not. */
  readonly apart?: ((signal?: AbortSignal) => Promise<void>) | undefined;
  /** What all processes know of what hosts allow; absent: only what answers say here. */
  readonly budget?: Budget | undefined;
  /** Whose budget, as `identity` of Spending. */
  readonly spender?: string | undefined;
}

export interface RestOptions extends WebDeps {
  /** Of all paths: `https://git.acme.example/api/v1`. */
  readonly base: string;
  /** With the credential in it; asked for each request, as tokens of apps end. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** What a person is told to do about an answer of 401 or 403. */
  readonly refusal: (status: number, message: string) => string;
}

export interface RestAnswer<T> {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: T;
}

/** A forge's API: JSON in and out, each answer checked, repeated when it is worth it. */
export interface Rest {
  get<T>(path: string, answer: z.ZodType<T>, call?: ForgeCall): Promise<T>;
  /** `undefined` for 404. */
  find<T>(path: string, answer: z.ZodType<T>, call?: ForgeCall): Promise<T | undefined>;
  send<T>(method: string, path: string, body: unknown, answer: z.ZodType<T>, call?: ForgeCall): Promise<RestAnswer<T>>;
  /**
   * Page by page, as long as somebody wants the next one. `{page}` in the path is the number; where there is none, the
   * query of each answer's link to the next one is taken.
   */
  pages<T>(path: string, answer: z.ZodType<T>, call?: ForgeCall): AsyncGenerator<T>;
  /** The elements of all pages. */
  all<T>(path: string, element: z.ZodType<T>, call?: ForgeCall): Promise<T[]>;
}

const AT_ONCE = 8;
const ATTEMPTS = 4;
/** Who is told to wait longer is told so, in place of waiting. */
const LONGEST_WAIT_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export function createRest(options: RestOptions): Rest {
  const limit = pLimit(AT_ONCE);
  const ask = <T>(request: Asked, answer: z.ZodType<T>, call: ForgeCall = {}) =>
    limit(() => untilAnswered(options, request, call, async (response) => parseAnswer(request, response, answer)));
  const rest: Rest = {
    get: async (path, answer, call) => (await ask({ method: 'GET', path }, answer, call)).body,
    async find(path, answer, call) {
      try {
        return await rest.get(path, answer, call);
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    send: (method, path, body, answer, call) => ask({ method, path, body }, answer, call),
    pages: (path, answer, call) => pagesOf((request) => ask(request, answer, call), path),
    async all(path, element, call) {
      const found = [];
      for await (const page of rest.pages(path, z.array(element), call)) found.push(...page);
      return found;
    },
  };
  return rest;
}

async function* pagesOf<T>(ask: (request: Asked) => Promise<RestAnswer<T>>, path: string): AsyncGenerator<T> {
  let next: string | undefined = path.replace('{page}', '1');
  for (let page = 2; next !== undefined; page++) {
    const { body, headers }: RestAnswer<T> = await ask({ method: 'GET', path: next });
    yield body;
    next = nextPath(headers, path, page);
  }
}

/** Of a link only the query counts: a forge behind a proxy may not know the address that it is reached by. */
function nextPath(headers: HttpHeaders, path: string, page: number): string | undefined {
  const link = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(headerOf(headers, 'link') ?? '')?.[1];
  if (link === undefined) return undefined;
  if (path.includes('{page}')) return path.replace('{page}', String(page));
  return `${path.split('?')[0]}${new URL(link, 'http://forge.invalid').search}`;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** The HTTP status that an error came from. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof ForgeError ? (error.details.status as number | undefined) : undefined;
}

/** Writes are repeated only when the forge said that it did nothing. */
async function untilAnswered<T>(
  options: RestOptions,
  request: Asked,
  { signal }: ForgeCall,
  read: (response: HttpResponse) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (request.method !== 'GET') await options.apart?.(signal);
      const response = await sendOnce(options, request, signal);
      if (response.status < 300) return await read(response);
      throw await toError(options, request, response);
    } catch (error) {
      const failure = error instanceof HttpError ? fromHttp(error) : error;
      const wait = waitAfter(failure, request, attempt);
      if (wait === undefined || signal?.aborted) throw failure;
      await options.sleep(wait, signal);
    }
  }
}

async function sendOnce(options: RestOptions, { method, path, body }: Asked, signal: AbortSignal | undefined) {
  const headers = { accept: 'application/json', ...(await options.headers()) };
  const url = new URL(`${options.base}${path}`);
  const send = () =>
    options.http.request(url, {
      method,
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      maxBytes: MAX_ANSWER_BYTES,
    });
  if (options.budget === undefined) return send();
  try {
    return await options.budget.spend({ host: url.host, counted: true, identity: options.spender, signal }, send);
  } catch (error) {
    if (!(error instanceof FactoryError) || error.code !== 'rate-limited') throw error;
    const { details } = error;
    throw new ForgeError(`${url.host} allows no more requests for now`, {
      code: 'rate-limited',
      retryable: true,
      details,
    });
  }
}

function waitAfter(error: unknown, { method }: Asked, attempt: number): number | undefined {
  if (!(error instanceof ForgeError) || !error.retryable || attempt >= ATTEMPTS) return undefined;
  if (method !== 'GET' && error.code !== 'rate-limited') return undefined;
  const asked = error.details.retryAfterMs;
  const wait = typeof asked === 'number' ? asked : 500 * 2 ** (attempt - 1);
  return wait > LONGEST_WAIT_MS ? undefined : wait;
}

export function fromHttp(error: HttpError): ForgeError {
  const code = error.code === 'too-large' ? 'protocol' : error.code;
  return new ForgeError(error.message, { code, retryable: error.retryable, cause: error });
}

async function parseAnswer<T>(
  { method, path }: Asked,
  response: HttpResponse,
  answer: z.ZodType<T>,
): Promise<RestAnswer<T>> {
  const { status, headers } = response;
  const text = await response.text(MAX_ANSWER_BYTES);
  try {
    const body = answer.parse(text === '' ? undefined : JSON.parse(text));
    return { status, headers, body };
  } catch (cause) {
    throw new ForgeError(`the answer to ${method} ${path} is not what the API promises`, { code: 'protocol', cause });
  }
}

const CODES: Readonly<Record<number, ForgeErrorCode>> = {
  401: 'unauthorised',
  403: 'unauthorised',
  404: 'not-found',
  405: 'conflict',
  409: 'conflict',
  423: 'unauthorised', // archived
  429: 'rate-limited',
};

async function toError(options: RestOptions, { method, path }: Asked, response: HttpResponse): Promise<ForgeError> {
  const { status, headers } = response;
  const said = sayingOf(await response.text(64 * 1024).catch(() => ''));
  const host = new URL(options.base).host;
  const what = `${method} ${path.split('?')[0]} at ${host}: ${status}${said && ` ${said}`}`;
  const retryAfterMs = waitOf(headers, options.now());
  const details = { status, said, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  if (status >= 300 && status < 400) {
    const remedy = `name the new address (${headerOf(headers, 'location') ?? 'unknown'}) in ingot.yaml`;
    return new ForgeError(`${what}; it has moved: ${remedy}`, { code: 'not-found', details });
  }
  const limited = status === 429 || (status === 403 && isRateLimit(headers, said));
  if (limited) return new ForgeError(`${what}; too many requests`, { code: 'rate-limited', retryable: true, details });
  if (status === 401 || status === 403)
    return new ForgeError(`${what}; ${options.refusal(status, said)}`, { code: 'unauthorised', details });
  const code = CODES[status] ?? (status >= 500 ? 'unavailable' : 'protocol');
  return new ForgeError(what, { code, retryable: status >= 502, details });
}

/** GitHub refuses with 403 as well (docs: Rate limits for the REST API). */
function isRateLimit(headers: HttpHeaders, said: string): boolean {
  return headers['x-ratelimit-remaining'] === '0' || 'retry-after' in headers || /secondary rate limit/i.test(said);
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else the end of GitHub's or GitLab's window. */
function waitOf(headers: HttpHeaders, now: Date): number | undefined {
  const after = headerOf(headers, 'retry-after')?.trim();
  const prefix = ['x-ratelimit', 'ratelimit'].find((each) => headers[`${each}-remaining`] === '0');
  const reset = prefix === undefined ? Number.NaN : Number(headerOf(headers, `${prefix}-reset`));
  const ms =
    after === undefined
      ? reset * 1000 - now.getTime()
      : /^\d+$/.test(after)
        ? Number(after) * 1000
        : Date.parse(after) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** The message in a body of any form, on one line; of OAuth's errors (RFC 6750, 3.1) the scope that is missing as well. */
function sayingOf(text: string): string {
  try {
    const { message, error, error_description, scope } = JSON.parse(text) as Record<string, unknown>;
    const said = message ?? [error, error_description, scope && `scope: ${scope}`].filter(Boolean).join('; ');
    return (typeof said === 'string' ? said : JSON.stringify(said)).slice(0, 300);
  } catch {
    return text.replaceAll(/\s+/g, ' ').trim().slice(0, 100);
  }
}
