import { z } from 'zod';
import { HttpError, type HttpResponse } from '../lib/http.ts';
import { RegistryError, type RegistryErrorCode } from './registry.ts';
import { retryAfterMs } from './retry-after.ts';

/** OCI distribution-spec v1.1, Error Codes. */
const ErrorBody = z.object({
  errors: z.array(z.object({ code: z.string().default(''), message: z.string().nullish() })).min(1),
});

export interface Asked {
  /** The reference, or what else was asked for. */
  readonly what: string;
  readonly registry: string;
  readonly method: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const BODY_LIMIT = 64 * 1024;
const MESSAGE_LIMIT = 300;

const RETRYABLE: readonly RegistryErrorCode[] = ['rate-limited', 'unavailable'];

/**
 * We send what we have hashed. When distribution 2.8 says otherwise, it read the link to a blob that another client
 * was writing at that moment (measured).
 */
function isRace(code: RegistryErrorCode, method: string): boolean {
  return code === 'digest-mismatch' && method === 'PUT';
}

/** The error for an answer that is neither what was wanted nor "absent". */
export async function statusError(
  response: HttpResponse,
  { what, registry, method, now }: Asked,
): Promise<RegistryError> {
  const { status, headers } = response;
  const { code: word, message } = await readReason(response);
  const code = codeOf(status, word);
  const wait = retryAfterMs(headers, now);
  return new RegistryError(`${what}: ${registry} answered ${method} with ${message}; ${remedyOf(code, registry)}`, {
    code,
    retryable: RETRYABLE.includes(code) || isRace(code, method),
    details: { registry, status, ...(word && { error: word }), ...(wait !== undefined && { retryAfterMs: wait }) },
  });
}

async function readReason(response: HttpResponse): Promise<{ code: string; message: string }> {
  const { status } = response;
  const text = await response.text(BODY_LIMIT).catch(() => '');
  const first = parseReason(text);
  if (first === undefined) return { code: '', message: `${status}` };
  const said = [first.code, first.message].filter(Boolean).join(': ').slice(0, MESSAGE_LIMIT);
  return { code: first.code, message: `${status} ${said}`.trim() };
}

/** Only of bodies in the registries' own format: pages of proxies say nothing of use, and may repeat what was sent. */
function parseReason(text: string) {
  try {
    return ErrorBody.parse(JSON.parse(text)).errors[0];
  } catch {
    return undefined;
  }
}

function codeOf(status: number, word: string): RegistryErrorCode {
  if (word === 'MANIFEST_BLOB_UNKNOWN' || word === 'BLOB_UNKNOWN') return 'missing-content';
  if (word === 'DIGEST_INVALID') return 'digest-mismatch';
  if (status === 429 || word === 'TOOMANYREQUESTS') return 'rate-limited';
  if (status === 401 || status === 403) return 'unauthorised';
  if (status >= 500 || status === 408) return 'unavailable';
  return 'protocol';
}

function remedyOf(code: RegistryErrorCode, registry: string): string {
  switch (code) {
    case 'unauthorised':
      return registry === 'docker.io'
        ? 'check the name (Docker Hub answers so for a repository that does not exist, too) or run "docker login"'
        : `check the name, and the rights of whom "docker login ${registry}" logged in`;
    case 'rate-limited':
      return 'it is tried again later; log in there for a higher limit, or name a mirror in ingot.yaml';
    case 'unavailable':
      return 'it is tried again later; see whether the registry is up';
    case 'missing-content':
      return 'a part of the image is not in the registry; push or copy the whole image again';
    case 'digest-mismatch':
      return 'the bytes are not those of the digest; push again';
    default:
      return 'see whether the registry implements the OCI distribution specification 1.1';
  }
}

/** Failures of the connection, in the registry's words. */
export function connectionError(error: unknown, { what, registry }: Pick<Asked, 'what' | 'registry'>): unknown {
  if (!(error instanceof HttpError)) return error;
  const { message, cause, retryable } = error;
  if (error.code === 'cancelled') return new RegistryError(`${what}: cancelled`, { code: 'cancelled', cause });
  if (error.code === 'too-large') return new RegistryError(`${what}: ${message}`, { code: 'protocol', cause });
  return new RegistryError(`${what}: ${registry} cannot be reached: ${message}`, {
    code: error.code === 'timed-out' ? 'timed-out' : 'unavailable',
    retryable,
    cause,
    details: { registry },
  });
}
