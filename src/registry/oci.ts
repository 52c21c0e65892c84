import { setTimeout } from 'node:timers/promises';
import pLimit from 'p-limit';
import { atDigest, formatReference, type Reference } from '../domain/reference.ts';
import type { Budget } from '../lib/budget.ts';
import type { Http } from '../lib/http.ts';
import { withAuth } from './auth.ts';
import { createBlobs } from './blobs.ts';
import { createBudget } from './budget.ts';
import { createClient } from './client.ts';
import { createCopy } from './copy.ts';
import type { Credentials } from './credentials.ts';
import { createEndpoint } from './endpoint.ts';
import { parseManifest } from './manifest.ts';
import { createManifests, type NewManifest } from './manifests.ts';
import { createReferrers, type Referrers, referrerFacts } from './referrers.ts';
import { type Call, type Descriptor, type Registry, RegistryError } from './registry.ts';
import { createRetry } from './retry.ts';
import { type KnownPages, listTags } from './tags.ts';
import { createSender, type RequestEvent, withRedirects } from './transport.ts';

export interface RegistryOptions {
  readonly http: Http;
  /** Absent: everything is asked without. */
  readonly credentials?: Credentials | undefined;
  /** Hosts (with their port) that speak plain HTTP; those of this machine do anyway. */
  readonly insecureHosts?: readonly string[] | undefined;
  readonly limits?: Partial<RegistryLimits> | undefined;
  /** Asked besides what this process keeps by itself: what others learnt of a host. */
  readonly budget?: Budget | undefined;
  /** Places whose pulls nobody counts, as `host[:port]/path`: our own registry, replicas. */
  readonly free?: readonly string[] | undefined;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
  /** Between 0 and 1. */
  readonly random?: () => number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface RegistryLimits {
  /** Requests to one host at once. */
  readonly concurrency: number;
  /** Blobs that are copied at once; each may take two of the connections to a host. */
  readonly transfers: number;
  readonly attempts: number;
  /** Milliseconds that one request may be put off for a rate limit. */
  readonly maxWaitMs: number;
}

const LIMITS: RegistryLimits = { concurrency: 16, transfers: 3, attempts: 4, maxWaitMs: 30_000 };

/** Registries of the OCI distribution-spec v1.1 and its forerunner, the Docker Registry HTTP API V2. */
export function createRegistry(options: RegistryOptions): Registry {
  const limits = { ...LIMITS, ...options.limits };
  const client = stackClient(options, limits);
  const [manifests, blobs] = [createManifests(client), createBlobs(client)];
  const referrers = createReferrers(client, manifests);
  const known: KnownPages = new Map();
  const registry: Registry = {
    head: manifests.head,
    manifest: manifests.get,
    blob: (reference, blob, call = {}) => blobs.get(reference, blob, call),
    blobStream: (reference, blob, call = {}) => blobs.stream(reference, blob, call),
    hasBlob: (repository, blob, call = {}) => blobs.has(repository, blob, call),
    copyBlob: (from, to, blob, call = {}) => blobs.transfer(from, to, blob, call),
    tags: (repository, { conditional = false, ...call } = {}) =>
      listTags(client, repository, { ...call, known: conditional ? known : new Map() }),
    async referrers(subject, call = {}) {
      return referrers.list({ ...subject, digest: requireDigest(subject) }, call);
    },
    putBlob: (repository, content, call = {}) => blobs.put(repository, content, call),
    async putManifest(reference, manifest, call = {}) {
      const { descriptor, linked } = await manifests.put(reference, manifest, call);
      await linkSubject(referrers, { reference, manifest, descriptor, linked, call });
      return descriptor;
    },
    copy: (from, to, call) => copy(from, to, call),
    remove: manifests.remove,
  };
  const copy = createCopy({ registry, blobs, limit: pLimit(limits.transfers) });
  return registry;
}

/** From the wire up: budget, redirects, authorisation; errors and repeats above. */
function stackClient(options: RegistryOptions, limits: RegistryLimits) {
  const { http, credentials, insecureHosts, onRequest, free, random = Math.random, now = Date.now } = options;
  const { sleep = (ms, signal) => setTimeout(ms, undefined, { signal }) } = options;
  const { concurrency, maxWaitMs, attempts } = limits;
  const own = createBudget({ concurrency, maxWaitMs, now, sleep });
  const { budget: shared } = options;
  const budget: Budget =
    shared === undefined ? own : { spend: (use, send) => own.spend(use, () => shared.spend(use, send)) };
  const wire = withRedirects(createSender({ http, budget, onRequest, free }));
  const send = withAuth({ send: wire, credentials, now });
  const retry = createRetry({ attempts, maxWaitMs, random, sleep });
  return createClient({ send, endpoint: createEndpoint(insecureHosts), retry, now });
}

function requireDigest(reference: Reference) {
  if (reference.digest !== undefined) return reference.digest;
  throw new RegistryError(`${formatReference(reference)}: referrers are those of a digest`, { code: 'bug' });
}

interface Pushed {
  readonly reference: Reference;
  readonly manifest: NewManifest;
  readonly descriptor: Descriptor;
  readonly linked: boolean;
  readonly call: Call;
}

async function linkSubject(referrers: Referrers, { reference, manifest, descriptor, linked, call }: Pushed) {
  const parsed = parseManifest(manifest.bytes, formatReference(reference));
  if (parsed.subject === undefined) return;
  const subject = { ...atDigest(reference, parsed.subject.digest), digest: parsed.subject.digest };
  const { mediaType, digest, size } = descriptor;
  await referrers.link(subject, { mediaType, digest, size, ...referrerFacts(parsed) }, { ...call, linked });
}
