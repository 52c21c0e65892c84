import { type Digest, hexOf } from '../domain/digest.ts';
import { atDigest, atTag, formatReference, type Reference, repositoryOf } from '../domain/reference.ts';
import { type Answer, type Client, contentType, nextPage } from './client.ts';
import { parseJson, parseManifest } from './manifest.ts';
import type { Manifests } from './manifests.ts';
import { createMutex } from './mutex.ts';
import { type Call, type Descriptor, type Manifest, MEDIA_TYPES, RegistryError } from './registry.ts';

export interface Referrers {
  list(subject: Reference, options: Call & { artifactType?: string }): Promise<readonly Descriptor[]>;
  /**
   * After a manifest with a subject was pushed: enters it into the fallback index, where the registry does not list
   * referrers itself (OCI distribution-spec v1.1, Pushing Manifests with Subject).
   * @param linked whether the registry said `OCI-Subject`
   */
  link(
    subject: Reference & { digest: Digest },
    referrer: Descriptor,
    options: Call & { linked: boolean },
  ): Promise<void>;
}

/** Registries get new versions; who runs for months should notice. */
const ABSENCE_MS = 60 * 60_000;
const APPEND_TRIES = 5;
/** A few for each image of a large fleet. */
const MAX_TYPED = 5_000;
const PAGE_LIMIT = 8 * 1024 * 1024;
/** Also what registries say to a path that they do not know. */
const NO_API = [400, 404, 405, 406];

export function createReferrers(client: Client, manifests: Manifests): Referrers {
  const absentSince = new Map<string, number>();
  const present = new Set<string>();
  const exclusive = createMutex();
  const typed = new Map<Digest, ReferrerFacts>();

  async function fromApi(subject: Reference, { signal }: Call) {
    const found = new Map<Digest, Descriptor>();
    let path: string | URL | undefined = `referrers/${subject.digest}`;
    while (path !== undefined) {
      const page: Page | undefined = await readPage(client, subject, { path, signal });
      if (page === undefined) return undefined;
      const before = found.size;
      for (const descriptor of page.descriptors) found.set(descriptor.digest, descriptor);
      path = found.size === before ? undefined : page.next;
    }
    return [...found.values()];
  }

  /** `undefined`: the registry has no such API. */
  async function askApi(subject: Reference, options: Call) {
    const place = repositoryOf(subject);
    const since = absentSince.get(place);
    if (since !== undefined && client.now() - since < ABSENCE_MS) return undefined;
    const found = await fromApi(subject, options);
    if (found === undefined) {
      absentSince.set(place, client.now());
      present.delete(place);
    } else {
      absentSince.delete(place);
      present.add(place);
    }
    return found;
  }

  async function append(subject: Reference & { digest: Digest }, referrer: Descriptor, call: Call): Promise<void> {
    const tag = fallbackTag(subject);
    // Registries do not compare before they write: another process may have written between our read and our write
    for (let attempt = 0; attempt < APPEND_TRIES; attempt++) {
      const stored = await readFallback(manifests, tag, call);
      if (stored.manifests.some(({ digest }) => digest === referrer.digest)) return;
      const bytes = Buffer.from(JSON.stringify({ ...stored.whole, manifests: [...stored.manifests, referrer] }));
      await manifests.put(tag, { mediaType: MEDIA_TYPES.index, bytes }, call);
    }
    throw new RegistryError(
      `${formatReference(tag)}: others keep overwriting the list of referrers; let one ingot write to a repository`,
      { code: 'unavailable', retryable: true },
    );
  }

  /**
   * Some registries (that of go-containerregistry) and clients (cosign 3 in the fallback index, kyverno#16664) list the
   * media type of the empty config in place of the artifact's type: then the manifest itself must tell.
   */
  async function typedReferrer(subject: Reference, listed: Descriptor, call: Call): Promise<Descriptor> {
    if (listed.artifactType !== undefined && listed.artifactType !== MEDIA_TYPES.empty) return listed;
    const known = typed.get(listed.digest);
    if (known !== undefined) return { ...listed, ...known };
    const stored = await manifests.get(atDigest(subject, listed.digest), call);
    if (stored === undefined) return listed;
    const facts = referrerFacts(parseManifest(stored.bytes, formatReference(atDigest(subject, listed.digest))));
    typed.set(listed.digest, facts);
    if (typed.size > MAX_TYPED) typed.delete(typed.keys().next().value!);
    return { ...listed, ...facts };
  }

  return {
    async list(subject, { artifactType, signal }) {
      const listed = await askApi(subject, { signal });
      const found = listed ?? (await readFallback(manifests, fallbackTag(subject), { signal })).manifests;
      const typed = await Promise.all(found.map((descriptor) => typedReferrer(subject, descriptor, { signal })));
      // Never by the registry: one that mistakes the type would hide what is there
      return typed.filter((descriptor) => artifactType === undefined || descriptor.artifactType === artifactType);
    },
    async link(subject, referrer, { linked, signal }) {
      // The header alone is no proof: a registry may send it and have no API to ask (sigstore-js says so of ECR)
      if (linked && present.has(repositoryOf(subject))) return;
      if (linked) absentSince.delete(repositoryOf(subject));
      if (linked && (await askApi(subject, { signal })) !== undefined) return;
      await exclusive(formatReference(subject), () => append(subject, referrer, { signal }));
    },
  };
}

export type ReferrerFacts = Pick<Descriptor, 'artifactType' | 'annotations'>;

/** As a list of referrers has to tell: the manifest's type, else that of its config, and all annotations. */
export function referrerFacts({ artifactType, config, annotations }: Manifest): ReferrerFacts {
  const type = artifactType ?? config?.mediaType;
  return { ...(type && { artifactType: type }), ...(annotations && { annotations }) };
}

interface Page {
  readonly descriptors: readonly Descriptor[];
  readonly next: URL | undefined;
}

async function readPage(client: Client, reference: Reference, { path, signal }: Call & { path: string | URL }) {
  const headers = { accept: MEDIA_TYPES.index };
  const asked = { reference, method: 'GET', path, kind: 'referrers', ok: [200], headers, signal, once: true } as const;
  return client.retry(async (): Promise<Page | undefined> => {
    const answer: Answer | undefined = await client.ask({ ...asked, absent: NO_API, maxBytes: PAGE_LIMIT });
    if (answer === undefined) return undefined;
    // Some hosts answer every path with a page of their own
    if (contentType(answer) !== MEDIA_TYPES.index) return void (await answer.response.discard());
    const { manifests = [] } = parseManifest(await answer.response.bytes(PAGE_LIMIT), formatReference(reference));
    return { descriptors: manifests, next: nextPage(answer) };
  }, signal);
}

/** OCI distribution-spec v1.1, Referrers Tag Schema. */
function fallbackTag(subject: Reference): Reference {
  return atTag(subject, `sha256-${hexOf(subject.digest!)}`);
}

async function readFallback(manifests: Manifests, tag: Reference, call: Call) {
  const stored = await manifests.get(tag, call);
  const empty = { schemaVersion: 2, mediaType: MEDIA_TYPES.index };
  if (stored === undefined) return { whole: empty, manifests: [] as readonly Descriptor[] };
  const what = formatReference(tag);
  if (stored.descriptor.mediaType !== MEDIA_TYPES.index) {
    throw new RegistryError(
      `${what} should be the list of referrers but is ${stored.descriptor.mediaType}; find out who wrote it, and remove it`,
      { code: 'protocol' },
    );
  }
  const whole = parseJson(stored.bytes, what) as object;
  return { whole, manifests: parseManifest(stored.bytes, what).manifests ?? [] };
}
