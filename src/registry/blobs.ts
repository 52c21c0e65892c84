import { createHash } from 'node:crypto';
import { digestOf } from '../domain/digest.ts';
import { type Reference, repositoryOf } from '../domain/reference.ts';
import { type Client, header } from './client.ts';
import { connectionError } from './errors.ts';
import { createMutex } from './mutex.ts';
import { type Call, type Descriptor, RegistryError } from './registry.ts';

type BlobId = Pick<Descriptor, 'digest' | 'size'>;

export interface Blobs {
  has(repository: Reference, blob: BlobId, call: Call): Promise<boolean>;
  get(repository: Reference, blob: BlobId, options: Call & { limit?: number }): Promise<Uint8Array>;
  stream(repository: Reference, blob: BlobId, call: Call): Promise<AsyncIterable<Uint8Array>>;
  put(repository: Reference, content: Uint8Array, options: Call & { mediaType?: string }): Promise<Descriptor>;
  /** Brings a blob of another repository here, unless it is there: without its bytes where the registry can. */
  transfer(from: Reference, to: Reference, blob: BlobId, call: Call): Promise<void>;
}

const DEFAULT_LIMIT = 32 * 1024 * 1024;
/** Layers of gigabytes over slow lines; a connection without a byte for a minute ends sooner. */
const TRANSFER_MS = 60 * 60_000;

export function createBlobs(client: Client): Blobs {
  const exclusive = createMutex();
  // Each is a part of something that is repeated as a whole
  const where = (reference: Reference, call: Call) => ({ reference, signal: call.signal, once: true }) as const;

  async function has(repository: Reference, { digest }: BlobId, call: Call): Promise<boolean> {
    const path = `blobs/${digest}`;
    const answer = await client.ask({ ...where(repository, call), method: 'HEAD', path, kind: 'blob', ok: [200] });
    await answer?.response.discard();
    return answer !== undefined;
  }

  async function open(repository: Reference, blob: BlobId, call: Call): Promise<AsyncIterable<Uint8Array>> {
    const what = `blob ${blob.digest} of ${repositoryOf(repository)}`;
    const path = `blobs/${blob.digest}`;
    const asked = { ...where(repository, call), method: 'GET', path, kind: 'blob', ok: [200] } as const;
    const answer = await client.ask({ ...asked, timeoutMs: TRANSFER_MS });
    if (answer !== undefined) return verify(answer.response.body, blob, { what, registry: repository.registry });
    throw new RegistryError(`${what} is not there; push or copy the whole image again`, { code: 'missing-content' });
  }

  /** Where to PUT: a new upload, or nowhere when a mount did it. */
  async function startUpload(to: Reference, { digest }: BlobId, { from, ...call }: Call & { from?: string }) {
    const query = from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from })}`;
    const answer = await client.tell({
      ...where(to, call),
      ...(from !== undefined && { mountFrom: from }),
      method: 'POST',
      path: `blobs/uploads/${query}`,
      kind: 'upload',
      ok: [201, 202],
      headers: { 'content-length': '0' },
    });
    if (answer.response.status === 201) return undefined;
    const location = header(answer, 'location');
    if (location !== undefined) return new URL(location, answer.url);
    throw new RegistryError(`${repositoryOf(to)}: ${to.registry} started an upload without saying where`, {
      code: 'protocol',
    });
  }

  async function finishUpload(to: Reference, location: URL, { body, blob, call }: Upload): Promise<void> {
    const url = new URL(location);
    // The registry's own parameters stay: they hold the state of the upload
    url.searchParams.set('digest', blob.digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) };
    const asked = { ...where(to, call), method: 'PUT', path: url, kind: 'upload', ok: [201, 204] } as const;
    await client.tell({ ...asked, headers, body, timeoutMs: TRANSFER_MS });
  }

  /**
   * Uploads a blob unless it is there; anew when it broke off, for the state of an upload is in the answer that was
   * lost. Of two at a time in the same place the second finds it done.
   */
  function once(to: Reference, blob: BlobId, { signal }: Call, upload: () => Promise<void>): Promise<void> {
    const attempt = async () => {
      if (!(await has(to, blob, { signal }))) await upload();
    };
    return exclusive(`${repositoryOf(to)}@${blob.digest}`, () => client.retry(attempt, signal));
  }

  return {
    has: (repository, blob, call) => client.retry(() => has(repository, blob, call), call.signal),
    async get(repository, blob, options) {
      const { limit = DEFAULT_LIMIT } = options;
      const what = `blob ${blob.digest} of ${repositoryOf(repository)}`;
      if (blob.size > limit) {
        throw new RegistryError(`${what} has ${blob.size} bytes, more than the ${limit} allowed here`, {
          code: 'protocol',
        });
      }
      return client.retry(
        async () => Buffer.concat(await fromAsync(await open(repository, blob, options))),
        options.signal,
      );
    },
    stream: (repository, blob, call) => client.retry(() => open(repository, blob, call), call.signal),
    async put(repository, content, options) {
      const { mediaType = 'application/octet-stream', signal } = options;
      const blob = { digest: digestOf(content), size: content.length };
      await once(repository, blob, { signal }, async () => {
        const location = await startUpload(repository, blob, { signal });
        await finishUpload(repository, location!, { body: content, blob, call: { signal } });
      });
      return { mediaType, ...blob };
    },
    async transfer(from, to, blob, call) {
      await once(to, blob, call, async () => {
        const mountable = from.registry === to.registry && from.repository !== to.repository;
        const location = await startUpload(to, blob, { ...call, ...(mountable && { from: from.repository }) });
        if (location === undefined) return;
        const body = await open(from, blob, call);
        await finishUpload(to, location, { body, blob, call });
      });
    },
  };
}

interface Upload {
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly blob: BlobId;
  readonly call: Call;
}

/** Passes bytes on, and fails at the end (or as soon as there are too many) unless they are those of the digest. */
async function* verify(
  body: AsyncIterable<Uint8Array>,
  { digest, size }: BlobId,
  place: { what: string; registry: string },
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let seen = 0;
  try {
    for await (const chunk of body) {
      seen += chunk.length;
      if (seen > size) break;
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw connectionError(error, place);
  }
  if (seen === size && `sha256:${hash.digest('hex')}` === digest) return;
  const got = seen > size ? `more than ${size} bytes` : seen < size ? `${seen} of ${size} bytes` : 'other bytes';
  throw new RegistryError(`${place.what}: the registry sent ${got}; push the image again`, { code: 'digest-mismatch' });
}

async function fromAsync(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}
