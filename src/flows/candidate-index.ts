import { isOlder } from '../domain/channel-journal.ts';
import type { Digest } from '../domain/digest.ts';
import { isCritical } from '../domain/freeze.ts';
import { inputsDigest } from '../domain/inputs.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { explainReason } from '../domain/reasons.ts';
import { atDigest, atTag } from '../domain/reference.ts';
import { nameWithTag } from '../domain/upstream.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Descriptor, MEDIA_TYPES, RegistryError } from '../registry/registry.ts';
import { readVersion } from './channel-tags.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';
import { takeVersion } from './versions.ts';

/** The index that becomes the release: complete, annotated, still in staging. */
export interface CandidateIndex {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly version: string;
  /** RFC 3339: when it was assembled; the time of every statement about it. */
  readonly created: string;
}

/**
 * The index that an earlier attempt assembled, if it still fits: the same platforms, and a version that nobody
 * else has taken meanwhile.
 */
export async function findIndex(
  job: ReleaseJob,
  deps: ReleaseDeps,
  signal: AbortSignal,
): Promise<CandidateIndex | undefined> {
  const stored = await deps.registry.manifest(atTag(job.staging, stagingTag.index(job.key)), { signal });
  if (stored === undefined) return undefined;
  const index = parseManifest(stored.bytes, 'an index');
  const version = index.annotations?.[ANNOTATIONS.version];
  const created = index.annotations?.[ANNOTATIONS.created];
  if (version === undefined || created === undefined) return undefined;
  if (!sameChildren(childDigests(index), await job.candidate.digests(signal))) return undefined;
  const { digest, mediaType } = stored.descriptor;
  const holder = await deps.registry.head(atTag(job.repository, version), { signal });
  if (holder !== undefined && holder.digest !== digest) return undefined;
  return { digest, mediaType, bytes: stored.bytes, version, created };
}

/**
 * Whether the index that was found may become the release in use. An older one is of no use: inputs that came back
 * (a parent was rolled back, say) give the same content a new version.
 */
export async function isAhead(
  { version }: CandidateIndex,
  { repository, image }: ReleaseJob,
  { registry }: ReleaseDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const inUse = await readVersion(registry, atTag(repository, image.line), { signal });
  return inUse === undefined || !isOlder(version, inUse);
}

function sameChildren(a: Partial<Record<Platform, Digest>>, b: Partial<Record<Platform, Digest>>): boolean {
  const platforms = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<Platform>;
  return [...platforms].every((platform) => a[platform] === b[platform]);
}

/** Of the newest: the last release is among them, or nothing was released for long. */
const RUNS_ASKED = 200;

/** Writes the index into staging. What is no matter of content (version, time, reason) stands here alone (decisions 1). */
export async function makeIndex(job: ReleaseJob, deps: ReleaseDeps, signal: AbortSignal): Promise<void> {
  const { image, key, reasons } = job;
  const channels = deps.settings.channels.map(({ name }) => name);
  const runs = await deps.ledger.runs({ image: image.name, limit: RUNS_ASKED });
  const released = runs.flatMap(({ outcome, version }) => (outcome === 'released' ? (version ?? []) : []));
  const request = { line: image.line, channels, key, reasons, released };
  const version = await takeVersion(job.repository, request, deps, signal);
  const manifests = await Promise.all(job.image.platforms.map((platform) => describe(job, platform, deps, signal)));
  const annotations = await annotationsOf(job, version, deps);
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests, annotations };
  const bytes = Buffer.from(JSON.stringify(index));
  await deps.registry.putManifest(
    atTag(job.staging, stagingTag.index(job.key)),
    { mediaType: MEDIA_TYPES.index, bytes },
    { signal },
  );
}

async function describe(
  job: ReleaseJob,
  platform: Platform,
  deps: ReleaseDeps,
  signal: AbortSignal,
): Promise<Descriptor> {
  const digest = await job.candidate.digest(platform, signal);
  const head = await deps.registry.head(atDigest(job.staging, digest), { signal });
  if (head === undefined) {
    throw new RegistryError(`${job.staging.repository}@${digest} vanished from staging`, {
      code: 'missing-content',
      retryable: true,
    });
  }
  const [os = '', architecture = '', variant] = platform.split('/');
  const fields = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { mediaType: head.mediaType, digest, size: head.size, platform: fields };
}

async function annotationsOf(
  { image, inputs, reasons }: ReleaseJob,
  version: string,
  deps: ReleaseDeps,
): Promise<Record<string, string>> {
  const base = inputs.inputs.find((input) => input.role === 'base');
  const revision = await deps.revision(image);
  const optional = {
    [ANNOTATIONS.description]: image.description,
    [ANNOTATIONS.source]: deps.settings.source,
    [ANNOTATIONS.revision]: revision,
    [ANNOTATIONS.baseName]: base && nameWithTag(base),
    [ANNOTATIONS.baseDigest]: base?.digest,
    [ANNOTATIONS.urgency]: isCritical(reasons) ? 'critical' : undefined,
    [ANNOTATIONS.deprecated]: image.deprecated?.date,
    [ANNOTATIONS.successor]: image.deprecated?.successor,
  };
  const given = Object.entries(optional).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    [ANNOTATIONS.title]: image.name,
    [ANNOTATIONS.version]: version,
    [ANNOTATIONS.created]: deps.now().toISOString(),
    [ANNOTATIONS.inputs]: inputsDigest(inputs),
    [ANNOTATIONS.reason]: reasons.map(explainReason).join('; '),
    ...Object.fromEntries(given),
  };
}
