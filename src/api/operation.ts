import { createHash } from 'node:crypto';
import { createRoute, OpenAPIHono, type RouteConfig, type z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Session } from '../access/sessions.ts';
import type { AccessRole, Principal } from '../domain/access/principal.ts';
import type { FactoryService } from '../service/service.ts';
import { invalid, PROBLEM_TYPE, Problem } from './problem.ts';

/** What a request carries once it is known who sent it. */
export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Address that it came from. */
    from: string;
    principal: Principal;
    /** Of a browser; absent for bearer tokens. */
    session?: Session;
    /** Whether the credential is good still: for answers that take long. */
    holds: () => Promise<boolean>;
    /** The service as this principal may use it, with every change in the audit log. */
    service: FactoryService;
  };
}
export type ApiContext = Context<ApiEnv>;

export function createRouter(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalid(result.target, result.error.issues);
    },
  });
}

const ANSWERS: Readonly<Record<number, string>> = {
  400: 'not valid',
  401: 'no credential, or one that does not hold',
  403: 'the credential does not reach so far',
  404: 'there is no such thing',
  409: 'not in the state that things are in',
  413: 'the body is too large',
  415: 'the body is not JSON',
  422: 'the idempotency key belongs to another request',
  429: 'too many requests',
  500: 'something went wrong here',
  503: 'something that is needed does not answer',
  504: 'it took too long',
};

export interface Operation<P extends string, M extends 'get' | 'post', R extends RequestConfig, A extends z.ZodType> {
  readonly method: M;
  readonly path: P;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** The least that a credential needs; enforced by access/guarded.ts. */
  readonly role: AccessRole;
  readonly request?: R;
  readonly answer: A;
  readonly status?: 200 | 202;
  /** Of the answer's body; JSON if nothing is said. */
  readonly mediaType?: string;
  readonly headers?: z.ZodObject;
  /** Besides those that any request may get. */
  readonly problems?: readonly (404 | 409 | 422)[];
}

/** One operation of the API with everything that all of them share. */
export function operation<
  const P extends string,
  const M extends 'get' | 'post',
  const R extends RequestConfig,
  A extends z.ZodType,
>({ tag, role, answer, status = 200, mediaType, problems = [], headers, request, ...rest }: Operation<P, M, R, A>) {
  const statuses = [400, 401, 403, ...problems, ...(rest.method === 'post' ? [413, 415] : []), 429, 500, 503, 504];
  const failures = statuses.map((code) => [
    code,
    { description: ANSWERS[code]!, content: { [PROBLEM_TYPE]: { schema: Problem } } },
  ]);
  const success = {
    description: 'as asked',
    ...(headers && { headers }),
    content: { [mediaType ?? 'application/json']: { schema: answer } },
  };
  const route = {
    ...rest,
    request,
    tags: [tag],
    operationId: operationId(rest.method, rest.path),
    security: [{ bearer: [] }, { session: [] }],
    'x-role': role,
    responses: { [status]: success, ...Object.fromEntries(failures) },
  };
  // Put together from parts, the types of path and request would be lost
  return createRoute<P, Route<P, M, R>>(route as unknown as Route<P, M, R>);
}

type Route<P extends string, M extends 'get' | 'post', R extends RequestConfig> = {
  readonly path: P;
  readonly method: M;
  readonly request: R;
  readonly responses: RouteConfig['responses'];
};

type RequestConfig = NonNullable<RouteConfig['request']>;

/** `post /v1/images/{image}/pause` as `postImagesImagePause`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[/{}.-]+/).filter((word) => word !== '' && word !== 'v1');
  return method + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

/** A JSON body that has to be there. */
export function jsonBody<T extends z.ZodType>(schema: T) {
  return { content: { 'application/json': { schema } }, required: true as const };
}

/**
 * Answers with what the schema lets through: no field that is not promised gets out. With an ETag, so that a client that
 * asks again is told in a few bytes that nothing changed.
 */
export function answer<T extends z.ZodType>(
  c: ApiContext,
  schema: T,
  value: z.input<T> | unknown,
  status = 200,
): Response {
  const text = JSON.stringify(schema.parse(value));
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (c.req.method === 'GET') {
    headers.etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
    headers['cache-control'] = 'private, no-cache';
    if (isKnown(c.req.header('if-none-match'), headers.etag)) return c.body(null, 304, headers);
  }
  return c.body(text, status as ContentfulStatusCode, headers);
}

/** RFC 9110, section 13.1.2. */
function isKnown(header: string | undefined, etag: string): boolean {
  const given = header?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? [];
  return given.includes(etag) || given.includes('*');
}

export function byOf(c: ApiContext): string {
  return c.get('principal').name;
}
