import { setTimeout as wait } from 'node:timers/promises';
import { type Digest, digestOf, hexOf } from '../domain/digest.ts';
import type { ArchiveMap } from '../domain/packages/archive-address.ts';
import { createFileStore } from '../lib/file-store.ts';
import {
  type Http,
  HttpError,
  type HttpHeaders,
  type HttpResponse,
  headerOf,
  isSecureUrl,
  safeUrl,
} from '../lib/http.ts';
import { ArchiveError } from './archives.ts';

/** How files of archives get here: asked for politely, kept on disk. */
export interface ArchiveFetch {
  /** A small file that changes in place, asked for with the validators of the copy on disk; `undefined`: not there. */
  document(url: string, options?: DocumentOptions): Promise<Uint8Array | undefined>;
  /**
   * A file whose digest is known, from the disk or else from the first address that has it.
   * @throws ArchiveError `untrusted` when its content is another; `unavailable` when no address has it
   */
  content(
    addresses: readonly string[],
    expected: { readonly digest: Digest; readonly size: number },
  ): Promise<Uint8Array>;
}

/** What every kind of archive is asked with. */
export interface ArchiveOptions {
  readonly fetch: ArchiveFetch;
  /** Addresses to ask in place of those that images name. */
  readonly mirrors: ArchiveMap;
  /** Reads a keyring, or a key, that `mirrors` names. */
  readonly readKeyring: (path: string) => Promise<Uint8Array>;
  readonly now: () => Date;
  /** Milliseconds in which what was asked is not asked for again; default five minutes. */
  readonly freshForMs?: number;
}

export interface DocumentOptions {
  /** Nothing but the connection tells that it is genuine: no step on the way may be without TLS. */
  readonly secure?: boolean;
}

export interface ArchiveFetchOptions {
  readonly http: Http;
  /** Everything below it is ours. */
  readonly directory: string;
  /** Of files by digest; the longest unused go first. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Milliseconds before the second and third try. */
  readonly retryDelays?: readonly number[];
}

const MAX_DOCUMENT = 32 * 1024 * 1024;
/** An index of several hundred MiB takes its time on a slow line. */
const CONTENT_TIMEOUT_MS = 15 * 60_000;

export function createArchiveFetch(options: ArchiveFetchOptions): ArchiveFetch {
  const { http, directory, maxBytes = 2 * 1024 ** 3, retryDelays = [500, 2_000] } = options;
  const documents = createFileStore({ directory: `${directory}/documents`, maxBytes: 256 * 1024 ** 2 });
  const contents = createFileStore({ directory: `${directory}/contents`, maxBytes });
  const get = (url: string, request: Partial<GetOptions>) =>
    retrying(retryDelays, () => getFollowing(http, new URL(url), { headers: {}, maxBytes: MAX_DOCUMENT, ...request }));
  return {
    async document(url, { secure = false } = {}) {
      const name = hexOf(digestOf(secure ? `secure ${url}` : url));
      const kept = unpack(await documents.read(name));
      const answer = await get(url, { headers: kept?.validators ?? {}, secure });
      if (answer.status === 304 && kept !== undefined) return kept.bytes;
      if (answer.status === 404 || answer.status === 410) return undefined;
      if (answer.status !== 200) throw refused(url, answer.status);
      await documents.write(name, pack(answer.headers, answer.bytes));
      return answer.bytes;
    },
    async content(addresses, { digest, size }) {
      const kept = await contents.read(hexOf(digest));
      if (kept !== undefined && digestOf(kept) === digest) return kept;
      for (const url of addresses) {
        const answer = await get(url, { maxBytes: size, timeoutMs: CONTENT_TIMEOUT_MS });
        if (answer.status === 404 || answer.status === 410) continue;
        if (answer.status !== 200) throw refused(url, answer.status);
        if (digestOf(answer.bytes) !== digest) throw tampered(url);
        await contents.write(hexOf(digest), answer.bytes);
        return answer.bytes;
      }
      throw new ArchiveError(
        `${shown(addresses.at(-1)!)} is not there, though the archive lists it; its mirror may be in the middle of an update`,
        { code: 'unavailable', retryable: true, details: { absent: true } },
      );
    },
  };
}

interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBytes: number;
  readonly timeoutMs?: number;
  readonly secure?: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly bytes: Uint8Array;
}

const MAX_REDIRECTS = 5;

/** What is signed or known by digest may be led anywhere; credentials stay with their host. */
async function getFollowing(http: Http, url: URL, options: GetOptions): Promise<Answer> {
  let place = url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await ask(http, place, options);
    const location = headerOf(response.headers, 'location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) {
      const bytes = response.status === 200 ? await response.bytes(options.maxBytes) : await nothing(response);
      return { status: response.status, headers: response.headers, bytes };
    }
    await response.discard();
    place = new URL(location, place);
    if (!/^https?:$/.test(place.protocol)) break;
    if (options.secure && !isSecureUrl(place)) throw insecure(url, place);
  }
  throw new ArchiveError(`${safeUrl(url)} leads nowhere: its redirects do not end at an http address`, {
    code: 'protocol',
  });
}

function insecure(url: URL, place: URL): ArchiveError {
  return new ArchiveError(
    `${safeUrl(url)} leads to ${safeUrl(place)}, which is without TLS, and nothing else tells that it is genuine`,
    { code: 'untrusted' },
  );
}

async function nothing(response: HttpResponse): Promise<Uint8Array> {
  await response.discard();
  return new Uint8Array();
}

async function ask(http: Http, url: URL, { headers, maxBytes, timeoutMs }: GetOptions): Promise<HttpResponse> {
  const { username, password } = url;
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization: Record<string, string> =
    username === '' ? {} : { authorization: `Basic ${Buffer.from(account).toString('base64')}` };
  return http.request(plain, { method: 'GET', headers: { ...headers, ...authorization }, maxBytes, timeoutMs });
}

async function retrying(delays: readonly number[], attempt: () => Promise<Answer>): Promise<Answer> {
  for (const delay of delays) {
    const answer = await attempt().catch((error: unknown) => {
      if (error instanceof HttpError && error.retryable) return undefined;
      throw toArchiveError(error);
    });
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) return answer;
    await wait(delay);
  }
  return attempt().catch((error: unknown) => {
    throw toArchiveError(error);
  });
}

function toArchiveError(error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  const { message, retryable, cause } = error;
  return new ArchiveError(message, { code: 'unavailable', retryable, cause });
}

function refused(url: string, status: number): ArchiveError {
  const remedy =
    status === 401 || status === 403
      ? '; it wants credentials, which a mirror under "archives" in ingot.yaml can spare'
      : '';
  return new ArchiveError(`${shown(url)} answered ${status}${remedy}`, {
    code: 'unavailable',
    retryable: status >= 500 || status === 429,
  });
}

function tampered(url: string): ArchiveError {
  return new ArchiveError(
    `${shown(url)} is not what the signed list of its archive says; its mirror is in the middle of an update, or changed it`,
    { code: 'untrusted', retryable: true },
  );
}

function shown(url: string): string {
  return safeUrl(new URL(url));
}

interface Kept {
  readonly validators: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Validators as one line of JSON, then the content. */
function pack(headers: HttpHeaders, bytes: Uint8Array): Buffer {
  const etag = headerOf(headers, 'etag');
  const modified = headerOf(headers, 'last-modified');
  const validators = { ...(etag && { 'if-none-match': etag }), ...(modified && { 'if-modified-since': modified }) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(validators)} ${digestOf(bytes)}\n`), bytes]);
}

function unpack(stored: Buffer | undefined): Kept | undefined {
  const end = stored?.indexOf('\n') ?? -1;
  if (stored === undefined || end === -1) return undefined;
  const bytes = stored.subarray(end + 1);
  const [, json = '', digest] = /^(\{.*\}) (\S+)$/.exec(stored.toString('utf8', 0, end)) ?? [];
  return digestOf(bytes) === digest ? { validators: JSON.parse(json), bytes } : undefined;
}
