import type { Digest } from '../domain/digest.ts';
import type { Known } from '../domain/facts.ts';
import type { Image } from '../domain/fleet/model.ts';
import { canonicalJson, INPUTS_ARTIFACT_TYPE, type Inputs, InputsSchema } from '../domain/inputs.ts';
import { type Platform, platformOf } from '../domain/platform.ts';
import { atDigest, atTag, formatReference, type Reference } from '../domain/reference.ts';
import type { Release } from '../domain/staleness.ts';
import { getArtifact, putArtifact } from '../image/artifact.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Descriptor, Manifest, Registry } from '../registry/registry.ts';
import { messageOf } from './steps.ts';

export const ANNOTATIONS = {
  created: 'org.opencontainers.image.created',
  version: 'org.opencontainers.image.version',
  revision: 'org.opencontainers.image.revision',
  source: 'org.opencontainers.image.source',
  title: 'org.opencontainers.image.title',
  description: 'org.opencontainers.image.description',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
  inputs: 'io.ingot.inputs.digest',
  reason: 'io.ingot.reason',
  /** `critical`: it fixes a critical vulnerability, and some waits are shorter for it. */
  urgency: 'io.ingot.urgency',
  /** Last day on which the image is rebuilt, and the image that takes its place. */
  deprecated: 'io.ingot.deprecated',
  successor: 'io.ingot.successor',
} as const;

/** What the registry says is in use of an image: the line's tag, and the newest record of inputs on it. */
export async function readRelease(
  registry: Registry,
  repository: Reference,
  image: Image,
  call: Call,
): Promise<Known<Release>> {
  try {
    const release = await readTag(registry, atTag(repository, image.line), call);
    return release === undefined ? { state: 'absent' } : { state: 'known', value: release };
  } catch (error) {
    if (call.signal?.aborted) throw error;
    return { state: 'unknown', why: `${formatReference(repository)} could not be asked: ${messageOf(error)}` };
  }
}

/** A release by tag or digest; `undefined` when absent. */
export async function readTag(registry: Registry, reference: Reference, call: Call): Promise<Release | undefined> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return undefined;
  const index = parseManifest(stored.bytes, 'an index');
  const { digest } = stored.descriptor;
  const inputs = await newestInputs(registry, atDigest(reference, digest), call);
  const created = index.annotations?.[ANNOTATIONS.created];
  return {
    digest,
    version: index.annotations?.[ANNOTATIONS.version] ?? '',
    platforms: childDigests(index),
    ...(created === undefined ? {} : { created }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(index.annotations?.[ANNOTATIONS.inputs] === undefined && inputs === undefined ? { foreign: true } : {}),
    ...(index.annotations?.[ANNOTATIONS.urgency] === 'critical' ? { urgent: true } : {}),
  };
}

export function childDigests(index: Manifest): Readonly<Partial<Record<Platform, Digest>>> {
  const children = (index.manifests ?? []).filter(({ platform }) => platform !== undefined);
  return Object.fromEntries(children.map((child) => [platformOf(child.platform!), child.digest]));
}

async function newestInputs(registry: Registry, release: Reference, call: Call): Promise<Inputs | undefined> {
  const found = await registry.referrers(release, { ...call, artifactType: INPUTS_ARTIFACT_TYPE });
  const newest = [...found].sort(byCreated).at(-1);
  return newest && readRecord(registry, atDigest(release, newest.digest), call);
}

/** Every record of inputs that is attached to a release, newest first: equal content may come of several. */
export async function readInputs(registry: Registry, release: Reference, call: Call): Promise<readonly Inputs[]> {
  const found = await registry.referrers(release, { ...call, artifactType: INPUTS_ARTIFACT_TYPE });
  const sorted = [...found].sort(byCreated).reverse();
  const records = sorted.map(({ digest }) => readRecord(registry, atDigest(release, digest), call));
  return (await Promise.all(records)).flatMap((record) => record ?? []);
}

/** @param record by digest. `undefined` also for what nobody understands: anyone who can push can attach it. */
export async function readRecord(registry: Registry, record: Reference, call: Call): Promise<Inputs | undefined> {
  const content = (await getArtifact(registry, record, call))?.layers[0]?.content;
  if (content === undefined) return undefined;
  try {
    return InputsSchema.safeParse(JSON.parse(Buffer.from(content).toString('utf8'))).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function byCreated(a: Descriptor, b: Descriptor): number {
  return (a.annotations?.[ANNOTATIONS.created] ?? '').localeCompare(b.annotations?.[ANNOTATIONS.created] ?? '');
}

/** True when a record with exactly these inputs is attached to the release. */
export async function hasInputs(registry: Registry, release: Reference, inputs: Inputs, call: Call): Promise<boolean> {
  const newest = await newestInputs(registry, release, call);
  return newest !== undefined && canonicalJson(newest) === canonicalJson(inputs);
}

/** Attaches what the release was made from, so that later plans can say what changed since (decisions 2). */
export async function attachInputs(
  registry: Registry,
  release: Reference,
  inputs: Inputs,
  options: Call & { createdAt: string },
): Promise<void> {
  await attachDocument(registry, release, INPUTS_ARTIFACT_TYPE, Buffer.from(canonicalJson(inputs)), options);
}

/** One document as a referrer of a released digest. @param type both artifact type and media type */
export async function attachDocument(
  registry: Registry,
  release: Reference,
  type: string,
  content: Uint8Array,
  options: Call & { createdAt: string },
): Promise<void> {
  const subject = await registry.head(release, options);
  if (subject === undefined) return;
  const layers = [{ mediaType: type, content }];
  const annotations = { [ANNOTATIONS.created]: options.createdAt };
  const { registry: host, repository } = release;
  await putArtifact(
    registry,
    { registry: host, repository },
    { artifactType: type, layers, annotations, subject },
    options,
  );
}
