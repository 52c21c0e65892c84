import { z } from 'zod';
import { FactoryError } from '../domain/errors.ts';
import { type Http, isSecureUrl } from '../lib/http.ts';

export type ClientErrorCode = 'usage' | 'unauthorised' | 'conflict' | 'unavailable' | 'bug';

/** What a served factory answered instead of what was asked. */
export class ClientError extends FactoryError<ClientErrorCode> {}

/** A served factory, over HTTP. */
export interface ApiClient {
  get<T>(path: string, schema: z.ZodType<T>, options?: CallOptions): Promise<T>;
  post<T>(path: string, body: unknown, schema: z.ZodType<T>, options?: CallOptions): Promise<T>;
}

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

export interface ClientOptions {
  readonly http: Http;
  /** `https://ingot.acme.example` */
  readonly server: string;
  readonly token: string | undefined;
}

const Problem = z.object({ title: z.string(), detail: z.string().optional(), request: z.string().optional() });

const CODES: Readonly<Record<number, ClientErrorCode>> = {
  400: 'usage',
  401: 'unauthorised',
  403: 'unauthorised',
  404: 'usage',
  409: 'conflict',
  422: 'conflict',
  429: 'unavailable',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** @throws FactoryError `configuration` when the token would be sent where others can read it */
export function createApiClient({ http, server, token }: ClientOptions): ApiClient {
  if (!isSecureUrl(server)) {
    throw new FactoryError(`${server} is no https address (or one of this machine); tokens go nowhere else`, {
      code: 'configuration',
    });
  }
  const call = async <T>(
    path: string,
    schema: z.ZodType<T>,
    { query = {}, headers, ...rest }: CallOptions & { readonly method: string; readonly body?: string },
  ) => {
    const url = new URL(server.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await http.request(url, {
      ...rest,
      headers: { accept: 'application/json', ...authorization, ...headers },
    });
    const text = await answer.text();
    if (answer.status >= 300) throw toError(answer.status, text, url, token !== undefined);
    return parse(schema, text, url);
  };
  return {
    get: (path, schema, options = {}) => call(path, schema, { ...options, method: 'GET' }),
    post: (path, body, schema, options = {}) => {
      const headers = { 'content-type': 'application/json', ...options.headers };
      return call(path, schema, { ...options, headers, method: 'POST', body: JSON.stringify(body) });
    },
  };
}

function toError(status: number, text: string, url: URL, hasToken: boolean): ClientError {
  const code = CODES[status] ?? 'bug';
  const found = Problem.safeParse(parsed(text)).data;
  const said = found?.detail ?? found?.title ?? `${url.origin} answered ${status}`;
  const hint = status === 401 && !hasToken ? '; put a token into INGOT_TOKEN ("ingot token create" makes one)' : '';
  const where = code === 'bug' && found?.request ? ` (request ${found.request})` : '';
  return new ClientError(`${said}${where}${hint}`, { code, retryable: code === 'unavailable' });
}

function parse<T>(schema: z.ZodType<T>, text: string, url: URL): T {
  const result = schema.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new ClientError(`${url.origin}${url.pathname} answered something that is no answer of ingot`, { code: 'bug' });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
