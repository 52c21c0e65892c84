import { z } from 'zod';
import { type Digest, isDigest } from '../domain/digest.ts';
import { canonicalJson, INPUTS_ARTIFACT_TYPE } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';
import { putArtifact } from '../image/artifact.ts';
import type { Call, Descriptor, Registry } from '../registry/registry.ts';
import { BUNDLE_PREDICATE, BUNDLE_PREFIX, SIGNATURE_PREDICATE } from '../signer/signer.ts';
import { PREDICATE_TYPES } from '../signer/statements.ts';
import { SYFT_JSON } from './evidence.ts';
import { ANNOTATIONS } from './releases.ts';

/**
 * Artifact type of the referrer in which a release says what is attached to it, and to each of its platforms: what is
 * missing later is judged by that (decisions 7), and not by what a newer ingot attaches.
 */
export const ATTACHMENTS_TYPE = 'application/vnd.ingot.attachments.v1+json';

/** The whole list is in an annotation, which registries list with the referrers: no request of its own. */
const CONTENT = 'io.ingot.attachments';

/** In the list: the signature under the tag `sha256-….sig`. */
export const LEGACY_SIGNATURE = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** In the list: the signature as a bundle. Other bundles are listed by their predicate, documents by their type. */
export const BUNDLE_SIGNATURE = SIGNATURE_PREDICATE;

const ON_EACH = [BUNDLE_SIGNATURE, LEGACY_SIGNATURE];
const ON_INDEX = [...ON_EACH, PREDICATE_TYPES.provenance, PREDICATE_TYPES.verdict, INPUTS_ARTIFACT_TYPE];
const ON_PLATFORM = [...ON_EACH, PREDICATE_TYPES.spdx, PREDICATE_TYPES.vulnerabilities, SYFT_JSON];

/** What belongs to each manifest of a release, by digest. */
export type Attachments = ReadonlyMap<Digest, readonly string[]>;

/** The manifests of one release. */
export interface ReleaseManifests {
  readonly digest: Digest;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
}

/** What this ingot attaches to a release; every release made before lists were kept has it, too. */
export function usualAttachments({ digest, platforms }: ReleaseManifests): Attachments {
  return new Map([[digest, ON_INDEX], ...Object.values(platforms).map((child) => [child!, ON_PLATFORM] as const)]);
}

const ListSchema = z.record(z.string(), z.array(z.string()));

/**
 * What a release has to have: what it said of itself, and signatures in any case. Who can push can attach another list:
 * that is to hide no signature that is missing, and to ask for nothing that nobody makes.
 */
export function expectedAttachments(release: ReleaseManifests, onIndex: readonly Descriptor[]): Attachments {
  const listed = attachmentsIn(onIndex);
  const usual = usualAttachments(release);
  if (listed === undefined) return usual;
  const kept = [...usual].map(([digest, types]) => {
    const own = listed.get(digest) ?? [];
    return [digest, types.filter((type) => ON_EACH.includes(type) || own.includes(type))] as const;
  });
  return new Map(kept);
}

/** What a release said of itself, from the referrers of its index: of several lists all; `undefined` without any. */
export function attachmentsIn(referrers: readonly Descriptor[]): Attachments | undefined {
  const lists = referrers
    .filter(({ artifactType }) => artifactType === ATTACHMENTS_TYPE)
    .flatMap(({ annotations }) => parseList(annotations?.[CONTENT]) ?? []);
  if (lists.length === 0) return undefined;
  const all = new Map<Digest, readonly string[]>();
  for (const list of lists) {
    for (const [digest, types] of list) all.set(digest, [...(all.get(digest) ?? []), ...types]);
  }
  return all;
}

function parseList(text = 'null'): Attachments | undefined {
  try {
    const parsed = ListSchema.safeParse(JSON.parse(text));
    if (!parsed.success) return undefined;
    return new Map(
      Object.entries(parsed.data).flatMap(([digest, types]) => (isDigest(digest) ? [[digest, types]] : [])),
    );
  } catch {
    return undefined;
  }
}

/** Types that are attached, as the list names them. Bundles by what they announce: they are not read. */
export function typesOf(referrers: readonly Descriptor[]): ReadonlySet<string> {
  return new Set(
    referrers.flatMap(({ artifactType, annotations }) => {
      const isBundle = artifactType?.startsWith(BUNDLE_PREFIX);
      return (isBundle ? annotations?.[BUNDLE_PREDICATE] : artifactType) ?? [];
    }),
  );
}

/** Writes the list, once. */
export async function recordAttachments(
  registry: Registry,
  repository: Reference,
  release: ReleaseManifests,
  options: Call & { createdAt: string },
): Promise<void> {
  const at = { ...repository, digest: release.digest };
  if (await areAttachmentsRecorded(registry, at, options)) return;
  const subject = await registry.head(at, options);
  if (subject === undefined) return;
  const content = canonicalJson(Object.fromEntries(usualAttachments(release)));
  const annotations = { [ANNOTATIONS.created]: options.createdAt, [CONTENT]: content };
  const artifact = { artifactType: ATTACHMENTS_TYPE, layers: [], annotations, subject };
  const { registry: host, repository: path } = repository;
  await putArtifact(registry, { registry: host, repository: path }, artifact, options);
}

/** @param release by digest */
export async function areAttachmentsRecorded(registry: Registry, release: Reference, call: Call): Promise<boolean> {
  return attachmentsIn(await registry.referrers(release, { ...call, artifactType: ATTACHMENTS_TYPE })) !== undefined;
}
