import { formatReference, type Reference } from '../domain/reference.ts';
import type { HttpResponse } from '../lib/http.ts';
import type { Endpoint } from './endpoint.ts';
import { connectionError, statusError } from './errors.ts';
import { RegistryError } from './registry.ts';
import type { Retry } from './retry.ts';
import type { RegistryRequest, Send } from './transport.ts';

export interface Question {
  readonly reference: Reference;
  readonly method: string;
  /** What follows `/v2/<name>/`, or an address that the registry gave. */
  readonly path: string | URL;
  readonly kind: RegistryRequest['kind'];
  /** Statuses that are answers. */
  readonly ok: readonly number[];
  /** Statuses that mean "not there"; default 404. */
  readonly absent?: readonly number[];
  /** Another repository that is read in the same request. */
  readonly mountFrom?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RegistryRequest['body'];
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
  /** Not repeated: a part of something that is repeated as a whole. */
  readonly once?: boolean;
}

export interface Answer {
  readonly response: HttpResponse;
  /** The address that was asked. */
  readonly url: URL;
}

/** Asks a registry: the address, the scopes, repeats, and one error for every way it may fail. */
export interface Client {
  /** `undefined`: absent. The answer's body is the caller's to read or discard. */
  ask(question: Question): Promise<Answer | undefined>;
  /** As `ask`, where absence is a failure too, and the body is of no interest. */
  tell(question: Question): Promise<Answer>;
  readonly retry: Retry;
  readonly now: () => number;
}

export interface ClientDeps {
  readonly send: Send;
  readonly endpoint: Endpoint;
  readonly retry: Retry;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createClient({ send, endpoint, retry, now }: ClientDeps): Client {
  async function once(question: Question): Promise<Answer | undefined> {
    const { reference, method, path, ok, absent = [404] } = question;
    const { registry } = reference;
    const what = formatReference(reference);
    const url = typeof path === 'string' ? endpoint(reference, path) : path;
    try {
      const response = await send({ ...question, url, registry, scopes: scopesOf(question) });
      if (ok.includes(response.status)) return { response, url };
      if (!absent.includes(response.status)) throw await statusError(response, { what, registry, method, now: now() });
      await response.discard();
      return undefined;
    } catch (error) {
      if (question.signal?.aborted) throw cancelled(what, error);
      throw connectionError(error, { what, registry });
    }
  }
  const ask = (question: Question) => (question.once ? once(question) : retry(() => once(question), question.signal));
  return {
    ask,
    async tell(question) {
      const answer = await ask({ ...question, absent: [] });
      await answer!.response.discard();
      return answer!;
    },
    retry,
    now,
  };
}

function cancelled(what: string, cause: unknown): RegistryError {
  return new RegistryError(`${what}: cancelled`, { code: 'cancelled', cause });
}

const READS: readonly string[] = ['GET', 'HEAD'];

function scopesOf({ reference, method, mountFrom }: Question): readonly string[] {
  const actions = READS.includes(method) ? 'pull' : method === 'DELETE' ? 'delete,pull,push' : 'pull,push';
  const own = `repository:${reference.repository}:${actions}`;
  return mountFrom === undefined ? [own] : [own, `repository:${mountFrom}:pull`];
}

/** The value of a header that a registry sends once. */
export function header({ response }: Answer, name: string): string | undefined {
  const value = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Without parameters: `application/vnd.oci.image.index.v1+json; charset=utf-8` is still an index. */
export function contentType(answer: Answer): string {
  return (header(answer, 'content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}

/** The next page (RFC 8288), when there is one. */
export function nextPage(answer: Answer): URL | undefined {
  const target = /<([^>]*)>\s*;[^,<]*\brel="?next"?/i.exec(header(answer, 'link') ?? '')?.[1];
  return target === undefined ? undefined : new URL(target, answer.url);
}
