import { digestOf, isDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { type Answer, type Client, contentType, header, type Question } from './client.ts';
import { parseManifest } from './manifest.ts';
import { type Call, type Descriptor, MEDIA_TYPES, RegistryError, type StoredManifest } from './registry.ts';

/** All four, always: with fewer, registries answer with another digest, or 404 (measured with distribution 2.8). */
const ACCEPT = [MEDIA_TYPES.index, MEDIA_TYPES.manifest, MEDIA_TYPES.dockerList, MEDIA_TYPES.dockerManifest];

/** The specification asks registries to take 4 MiB. */
const MANIFEST_LIMIT = 8 * 1024 * 1024;

export interface Manifests {
  head(reference: Reference, call?: Call): Promise<Descriptor | undefined>;
  get(reference: Reference, call?: Call): Promise<StoredManifest | undefined>;
  /** Only the PUT; says whether the registry took care of the subject. */
  put(reference: Reference, manifest: NewManifest, call?: Call): Promise<{ descriptor: Descriptor; linked: boolean }>;
  remove(reference: Reference, call?: Call): Promise<boolean>;
}

export interface NewManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export function createManifests(client: Client): Manifests {
  const manifests: Manifests = {
    async head(reference, call = {}) {
      const answer = await client.ask(question(reference, { method: 'HEAD', call, ok: [200] }));
      if (answer === undefined) return undefined;
      await answer.response.discard();
      const described = describeHead(answer);
      // Docker-Content-Digest is no MUST before distribution-spec 1.1.1's successor
      if (described === undefined) return (await manifests.get(reference, call))?.descriptor;
      if (reference.digest !== undefined) sameDigest(reference, described.digest);
      return described;
    },
    async get(reference, call = {}) {
      const asked = question(reference, { method: 'GET', call, ok: [200] });
      // The body belongs to what is repeated: connections also break in the middle
      return client.retry(async () => {
        const answer = await client.ask({ ...asked, once: true, maxBytes: MANIFEST_LIMIT });
        return answer && readManifest(reference, answer);
      }, call.signal);
    },
    async put(reference, { mediaType, bytes }, call = {}) {
      const digest = digestOf(bytes);
      if (reference.digest !== undefined) sameDigest(reference, digest);
      const asked = question(reference, { method: 'PUT', call, ok: [201, 200, 202] });
      const answer = await client.tell({ ...asked, headers: { 'content-type': mediaType }, body: bytes });
      const stored = header(answer, 'docker-content-digest');
      if (stored !== undefined && isDigest(stored)) sameDigest({ ...reference, digest }, stored);
      const descriptor = { mediaType, digest, size: bytes.length };
      return { descriptor, linked: header(answer, 'oci-subject') !== undefined };
    },
    async remove(reference, call = {}) {
      // 405: deleting is disabled. 400: a registry that deletes by digest alone; that would take other tags along
      const refusals = reference.digest === undefined ? [400, 405] : [405];
      const answer = await client.ask(
        question(reference, { method: 'DELETE', call, ok: [200, 202, 204, ...refusals] }),
      );
      await answer?.response.discard();
      return answer === undefined || !refusals.includes(answer.response.status);
    },
  };
  return manifests;
}

interface Asking {
  readonly method: string;
  readonly call: Call;
  readonly ok: readonly number[];
}

function question(reference: Reference, { method, call, ok }: Asking): Question {
  const name = reference.digest ?? reference.tag;
  if (name === undefined) {
    throw new FactoryError(`${formatReference(reference)} names neither tag nor digest`, { code: 'bug' });
  }
  const headers: Record<string, string> = method === 'GET' || method === 'HEAD' ? { accept: ACCEPT.join(', ') } : {};
  return { reference, method, path: `manifests/${name}`, kind: 'manifest', ok, headers, signal: call.signal };
}

function describeHead(answer: Answer): Descriptor | undefined {
  const digest = header(answer, 'docker-content-digest') ?? '';
  const size = Number(header(answer, 'content-length'));
  const mediaType = contentType(answer);
  return isDigest(digest) && size > 0 && mediaType !== '' ? { mediaType, digest, size } : undefined;
}

async function readManifest(reference: Reference, answer: Answer): Promise<StoredManifest> {
  const what = formatReference(reference);
  const bytes = await answer.response.bytes(MANIFEST_LIMIT);
  const digest = digestOf(bytes);
  sameDigest(reference, digest);
  const said = header(answer, 'docker-content-digest');
  if (said !== undefined && isDigest(said)) sameDigest({ ...reference, digest: said }, digest);
  const { mediaType: inside } = parseManifest(bytes, what);
  const outside = contentType(answer);
  // A body that means one thing to us and another to who trusts the header is an attack, or a broken registry
  if (inside !== undefined && ACCEPT.some((type) => type === outside) && inside !== outside) {
    throw new RegistryError(`${what}: the registry serves ${inside} as ${outside}; push the image again`, {
      code: 'protocol',
    });
  }
  return { descriptor: { mediaType: inside ?? outside, digest, size: bytes.length }, bytes };
}

function sameDigest(reference: Reference, digest: string): void {
  if (reference.digest === undefined || reference.digest === digest) return;
  throw new RegistryError(
    `${formatReference(reference)}: the bytes are those of ${digest}; do not use them, and tell who runs the registry`,
    { code: 'digest-mismatch' },
  );
}
