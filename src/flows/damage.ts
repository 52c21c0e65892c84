import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { INPUTS_ARTIFACT_TYPE } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { Release } from '../domain/staleness.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Descriptor, Registry } from '../registry/registry.ts';
import { type Attestor, signatureTag } from '../signer/signer.ts';
import { PREDICATE_TYPES } from '../signer/statements.ts';
import {
  BUNDLE_SIGNATURE,
  expectedAttachments,
  LEGACY_SIGNATURE,
  type ReleaseManifests,
  typesOf,
} from './attachments.ts';
import { SYFT_JSON } from './evidence.ts';

/** Something that the registry lacks of a release. */
export interface Gap {
  readonly subject: Digest;
  /** Absent: of the index. */
  readonly platform?: Platform;
  /** Its manifest, one of its blobs, or what is attached to it. */
  readonly what: { readonly manifest: true } | { readonly blob: Descriptor } | { readonly type: string };
}

export interface InspectDeps {
  readonly registry: Registry;
  readonly attestor: Attestor;
}

/**
 * What is missing of a release, asked of the registry in 2P + 1 HEADs and P + 1 lists of referrers for P platforms: the
 * manifest of each platform, the legacy signature and the attachments of index and platforms. Nothing is read.
 */
export async function lookForGaps(
  repository: Reference,
  release: ReleaseManifests,
  registry: Registry,
  call: Call,
): Promise<readonly Gap[]> {
  const onIndex = await registry.referrers(atDigest(repository, release.digest), call);
  const expected = expectedAttachments(release, onIndex);
  const gaps = subjectsOf(release).map(async ({ subject, platform }) => {
    const at = atDigest(repository, subject);
    const known = { subject, ...(platform && { platform }) };
    const [head, legacy, referrers] = await Promise.all([
      platform === undefined || registry.head(at, call),
      registry.head(atTag(repository, signatureTag(subject)), call),
      platform === undefined ? onIndex : registry.referrers(at, call),
    ]);
    const there = new Set([...typesOf(referrers), ...(legacy === undefined ? [] : [LEGACY_SIGNATURE])]);
    const missing = (expected.get(subject) ?? []).filter((type) => !there.has(type));
    return [
      ...(head === undefined ? [{ ...known, what: { manifest: true } } as const] : []),
      ...missing.map((type) => ({ ...known, what: { type } })),
    ];
  });
  return (await Promise.all(gaps)).flat();
}

/** The same, to the bottom: every blob is asked for, and every signature verified as a consumer would. */
export async function inspect(
  repository: Reference,
  release: ReleaseManifests,
  deps: InspectDeps,
  call: Call,
): Promise<readonly Gap[]> {
  const seen = await lookForGaps(repository, release, deps.registry, call);
  const onIndex = await deps.registry.referrers(atDigest(repository, release.digest), call);
  const expected = expectedAttachments(release, onIndex);
  const deeper = subjectsOf(release).map(async ({ subject, platform }) => {
    const known = { subject, ...(platform && { platform }) };
    if (seen.some((gap) => gap.subject === subject && 'manifest' in gap.what)) return [];
    const blobs = await missingBlobs(atDigest(repository, subject), deps.registry, call);
    const invalid = await unverified(atDigest(repository, subject), expected.get(subject) ?? [], deps, call);
    const news = invalid.filter((type) => !seen.some((gap) => gap.subject === subject && isType(gap, type)));
    return [...blobs.map((blob) => ({ blob })), ...news.map((type) => ({ type }))].map((what) => ({ ...known, what }));
  });
  return [...seen, ...(await Promise.all(deeper)).flat()];
}

function isType({ what }: Gap, type: string): boolean {
  return 'type' in what && what.type === type;
}

async function missingBlobs(at: Reference, registry: Registry, call: Call): Promise<readonly Descriptor[]> {
  const stored = await registry.manifest(at, call);
  if (stored === undefined) return [];
  const { config, layers = [] } = parseManifest(stored.bytes, 'a manifest');
  const blobs = new Map([...(config ? [config] : []), ...layers].map((blob) => [blob.digest, blob]));
  const asked = [...blobs.values()].map(async (blob) => ((await registry.hasBlob(at, blob, call)) ? [] : [blob]));
  return (await Promise.all(asked)).flat();
}

async function unverified(at: Reference, types: readonly string[], { attestor }: InspectDeps, { signal }: Call) {
  const { bundle, legacy, attestations } = await attestor.verify(at, { signal });
  return types.filter((type) => {
    if (type === BUNDLE_SIGNATURE) return bundle !== 'valid';
    if (type === LEGACY_SIGNATURE) return legacy !== 'valid';
    return type in SIGNED && !attestations.includes(type);
  });
}

function subjectsOf({ digest, platforms }: ReleaseManifests): readonly { subject: Digest; platform?: Platform }[] {
  const children = Object.entries(platforms).map(([platform, child]) => ({
    subject: child!,
    platform: platform as Platform,
  }));
  return [{ subject: digest }, ...children];
}

/** What is signed, and how people call it. */
const SIGNED: Readonly<Record<string, string>> = {
  [PREDICATE_TYPES.provenance]: 'the provenance',
  [PREDICATE_TYPES.verdict]: 'the verdict',
  [PREDICATE_TYPES.spdx]: 'the SPDX SBOM',
  [PREDICATE_TYPES.vulnerabilities]: 'the vulnerability report',
};

const NAMES: Readonly<Record<string, string>> = {
  ...SIGNED,
  [BUNDLE_SIGNATURE]: 'the signature (bundle)',
  [LEGACY_SIGNATURE]: 'the signature (legacy)',
  [SYFT_JSON]: 'the SBOM for rescans',
  [INPUTS_ARTIFACT_TYPE]: 'the record of its inputs',
};

/** `the signature (bundle) of linux/amd64`, `a layer of linux/arm64`. */
export function explainGap({ platform, what }: Gap): string {
  const whose = platform === undefined ? 'of the index' : `of ${platform}`;
  if ('manifest' in what) return `the manifest ${whose}`;
  if ('blob' in what) return `the blob ${what.blob.digest} ${whose}`;
  return `${NAMES[what.type] ?? what.type} ${whose}`;
}

/**
 * What the plan is told of the release in use: names of what is missing. What cannot be asked is not missing; the
 * record of the inputs is looked at by the plan itself.
 */
export async function findDamage(
  repository: Reference,
  release: Release,
  { registry }: Pick<InspectDeps, 'registry'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (release.foreign) return [];
  try {
    const gaps = await lookForGaps(repository, release, registry, { signal });
    return gaps.filter((gap) => !isType(gap, INPUTS_ARTIFACT_TYPE)).map(explainGap);
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return [];
  }
}
