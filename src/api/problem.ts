import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { withoutTokens } from '../domain/access/token.ts';
import { FactoryError } from '../domain/errors.ts';

/** RFC 9457. */
export const Problem = z
  .object({
    type: z.string().openapi({ example: 'urn:ingot:problem:not-found' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().optional(),
    request: z.string().openapi({ description: 'the X-Request-Id, to find it in logs' }),
    errors: z
      .array(
        z.object({
          detail: z.string(),
          pointer: z.string().optional().openapi({ description: 'JSON pointer into the body: `#/images/0`' }),
          parameter: z.string().optional().openapi({ description: 'name of a parameter or header' }),
        }),
      )
      .optional(),
  })
  .openapi('Problem');
export type Problem = z.infer<typeof Problem>;

export const PROBLEM_TYPE = 'application/problem+json';

const TITLES: Readonly<Record<number, readonly [code: string, title: string]>> = {
  400: ['invalid', 'The request is not valid'],
  401: ['unauthenticated', 'Who are you?'],
  403: ['forbidden', 'This credential may not do that'],
  404: ['not-found', 'There is no such thing'],
  405: ['method-not-allowed', 'This cannot be done there'],
  409: ['conflict', 'Not in the state that things are in'],
  413: ['too-large', 'The body is too large'],
  415: ['unsupported-media-type', 'The body is not JSON'],
  422: ['key-used', 'The idempotency key belongs to another request'],
  429: ['too-many-requests', 'Too many requests'],
  499: ['cancelled', 'It was cancelled'],
  500: ['internal', 'Something went wrong here'],
  503: ['unavailable', 'Something that is needed does not answer'],
  504: ['timed-out', 'It took too long'],
};

/** Codes of errors, of all ports; what is not here is 500. */
const STATUS: Readonly<Record<string, number>> = {
  // The form of a request was judged before: what is still not meant so depends on the state that things are in
  usage: 409,
  configuration: 409,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  'rate-limited': 503,
  unavailable: 503,
  unauthorised: 503,
  'timed-out': 504,
  cancelled: 499,
};

/** An answer that is decided where it is thrown. */
export class ProblemError extends Error {
  readonly status: number;
  readonly errors: Problem['errors'];

  constructor(status: number, detail: string, errors?: Problem['errors']) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }
}

type OnTrouble = (message: string, about: { readonly request: string }) => void;

/** The one place where errors become answers. What is not meant for others stays here: `onTrouble` hears of it. */
export function answerError(error: unknown, c: Context, onTrouble: OnTrouble): Response {
  if (error instanceof ProblemError) return problem(c, error.status, error.message, error.errors);
  if (error instanceof HTTPException) return problem(c, error.status, error.status === 400 ? error.message : undefined);
  const status = error instanceof FactoryError ? (STATUS[error.code] ?? 500) : 500;
  if (error instanceof FactoryError && status !== 500) {
    const wait = status === 503 ? retryAfter(error) : undefined;
    if (wait !== undefined) c.header('Retry-After', wait);
    return problem(c, status, error.message);
  }
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const request: string = c.get('requestId');
  onTrouble(withoutTokens(`request ${request} failed: ${told}`), { request });
  return problem(c, 500, 'tell your administrators the id of the request');
}

export function problem(c: Context, status: number, detail?: string, errors?: Problem['errors']): Response {
  const [code, title] = TITLES[status] ?? TITLES[500]!;
  const body: Problem = {
    type: `urn:ingot:problem:${code}`,
    title,
    status,
    ...(detail && { detail: withoutTokens(detail) }),
    request: c.get('requestId') ?? '',
    ...(errors && { errors }),
  };
  if (status === 401) c.header('WWW-Authenticate', 'Bearer realm="ingot"');
  return c.body(JSON.stringify(body), status as ContentfulStatusCode, { 'content-type': PROBLEM_TYPE });
}

function retryAfter({ details }: FactoryError): string {
  const { retryAfterMs } = details;
  return String(typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 10);
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** All mistakes of a request at once. @param target `json`, `query`, `param`, `header` */
export function invalid(target: string, issues: readonly Issue[]): ProblemError {
  const errors = issues.map(({ path, message }) => {
    if (target !== 'json') return { parameter: String(path[0] ?? ''), detail: message };
    return { pointer: `#${path.map((part) => `/${escapePointer(String(part))}`).join('')}`, detail: message };
  });
  return new ProblemError(400, errors.map(({ detail }) => detail).join('; '), errors);
}

/** RFC 6901, section 3, as a fragment (section 6). */
function escapePointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}
