import { type Http, HttpError, headerOf } from '../lib/http.ts';
import { NotifyError } from './notify.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const SHOWN = 200;

/** Sends, and says once what an answer means. An address may be a secret: it is in no message. */
export async function post(
  { url, headers, body }: Post,
  { http, now, signal }: { readonly http: Http; readonly now: () => number; readonly signal: AbortSignal },
): Promise<string> {
  const call = { method: 'POST', headers, body, signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES };
  const answer = await http.request(url, call).catch((error: unknown) => {
    throw toError(error);
  });
  const text = await answer.text(MAX_ANSWER_BYTES).catch(() => '');
  const said = `${answer.status}${text.trim() === '' ? '' : `: ${text.trim().replaceAll(/\s+/g, ' ').slice(0, SHOWN)}`}`;
  if (answer.status >= 200 && answer.status < 300) return said;
  const retryAfterMs = waitOf(headerOf(answer.headers, 'retry-after'), now());
  if (answer.status === 429) {
    throw new NotifyError(`it answered ${said}`, { code: 'rate-limited', retryable: true, details: { retryAfterMs } });
  }
  const retryable = answer.status >= 500 || answer.status === 408;
  const code = retryable ? 'unavailable' : 'refused';
  throw new NotifyError(`it answered ${said}`, { code, retryable, details: { retryAfterMs } });
}

/** RFC 9110, 10.2.3: seconds or a date. */
function waitOf(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function toError(error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  if (error.code === 'cancelled') return new NotifyError('it was cancelled', { code: 'cancelled' });
  const why = error.code === 'timed-out' ? 'it took too long' : causeOf(error);
  return new NotifyError(`it could not be reached: ${why}`, { code: 'unavailable', retryable: true });
}

function causeOf({ cause, code }: HttpError): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? code;
}
