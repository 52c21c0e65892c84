import { type Http, HttpError } from '../../lib/http.ts';
import { type ForgeCall, ForgeError } from '../forge.ts';
import { fromHttp } from '../rest.ts';

/** A repository on a server that speaks git's smart protocol over HTTP. */
export interface Remote {
  /** Without user and password: `https://git.acme.example/acme/shop.git`. */
  readonly url: string;
  /** Value of the header; asked for each time, as tokens of apps end. */
  readonly authorization: () => Promise<string>;
  readonly refusal: (status: number, message: string) => string;
}

/** `Basic` with the token as password, as forges want it from git. */
export function basic(user: string, token: string): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
}

export interface RemoteRefs {
  /** Full name of the ref that HEAD points to; absent when HEAD is no branch, or there is no commit. */
  readonly head?: string;
  /** Commit by full name. */
  readonly refs: ReadonlyMap<string, string>;
}

/**
 * Refs below some prefixes in one request (gitprotocol-v2, `ls-refs`): servers answer it without the advertisement
 * of capabilities first, as HTTP has no state.
 */
export async function listRefs(
  http: Http,
  remote: Remote,
  prefixes: readonly string[],
  { signal }: ForgeCall = {},
): Promise<RemoteRefs> {
  const args = ['symrefs\n', ...prefixes.map((prefix) => `ref-prefix ${prefix}\n`)];
  const body = `${packet('command=ls-refs\n')}0001${args.map(packet).join('')}0000`;
  try {
    const response = await http.request(`${remote.url}/git-upload-pack`, {
      method: 'POST',
      headers: {
        authorization: await remote.authorization(),
        'git-protocol': 'version=2',
        'content-type': 'application/x-git-upload-pack-request',
      },
      body,
      signal,
    });
    const text = await response.text();
    if (response.status === 200) return parseRefs(text, remote);
    throw refusedBy(remote, response.status, text);
  } catch (error) {
    throw error instanceof HttpError ? fromHttp(error) : error;
  }
}

/** pkt-line: length in four hexadecimal digits, itself included (gitprotocol-common). Refs are ASCII or UTF-8. */
function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}

function parseRefs(text: string, { url }: Remote): RemoteRefs {
  const bytes = Buffer.from(text);
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 4), 16);
    if (length === 0) return { refs, ...(head !== undefined && { head }) };
    const line = bytes.toString('utf8', at + 4, at + length).trimEnd();
    const match = /^([0-9a-f]{40,64}) (\S+)(?: symref-target:(\S+))?/.exec(line);
    if (match === null || length < 5) break;
    refs.set(match[2]!, match[1]!);
    if (match[2] === 'HEAD') head = match[3];
    at += length;
  }
  const why = 'its answer is no list of refs; git 2.18 or later is needed there';
  throw new ForgeError(`${url} cannot be listed: ${why}`, { code: 'protocol' });
}

function refusedBy({ url, refusal }: Remote, status: number, text: string): ForgeError {
  const said = text.replaceAll(/\s+/g, ' ').trim().slice(0, 200);
  const what = `${url}: ${status}${said && ` ${said}`}`;
  if (status === 401 || status === 403)
    return new ForgeError(`${what}; ${refusal(status, said)}`, { code: 'unauthorised', details: { status } });
  const remedy = 'see that the name is right, and that the token may read it';
  if (status < 500) return new ForgeError(`${what}; ${remedy}`, { code: 'not-found', details: { status } });
  return new ForgeError(what, { code: 'unavailable', retryable: true, details: { status } });
}
