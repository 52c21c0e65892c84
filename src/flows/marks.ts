import { type Digest, digestOf } from '../domain/digest.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { eachChannel, MARK_TYPE, type Mark, MarkSchema } from '../domain/marks.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { annotated, putArtifact } from '../image/artifact.ts';
import { type Call, type Descriptor, MEDIA_TYPES, type Registry } from '../registry/registry.ts';

/** All marks hang on one manifest that is the same in every repository: one request reads the log of an image. */
const ANCHOR = Buffer.from(
  canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: 'application/vnd.ingot.marks.v1+json',
    config: {
      mediaType: MEDIA_TYPES.empty,
      digest: digestOf('{}'),
      size: 2,
    },
    layers: [{ mediaType: MEDIA_TYPES.empty, digest: digestOf('{}'), size: 2 }],
  }),
);
/** What every mark refers to. */
export const ANCHOR_DIGEST: Digest = digestOf(ANCHOR);

/** Keeps a registry's garbage collection from the anchor and what refers to it. */
const ANCHOR_TAG = 'ingot-marks';

/** The whole mark is in an annotation, which registries list with the referrers: no request for each. */
const CONTENT = 'io.ingot.mark';

/** @param repository where the image is released. @returns oldest first; empty for one that has none. */
export async function readMarks(registry: Registry, repository: Reference, call: Call): Promise<readonly Mark[]> {
  const found = await registry.referrers(atDigest(repository, ANCHOR_DIGEST), { ...call, artifactType: MARK_TYPE });
  const marks = found.flatMap(({ annotations }) => annotated(annotations, CONTENT, MarkSchema) ?? []);
  return marks.flatMap(eachChannel).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Adds to the log; the same mark twice is one mark. */
export async function addMark(registry: Registry, repository: Reference, mark: Mark, call: Call): Promise<void> {
  const subject = await ensureAnchor(registry, repository, call);
  const text = canonicalJson(MarkSchema.parse(mark));
  const annotations = { [CONTENT]: text, 'org.opencontainers.image.created': mark.at };
  const { registry: host, repository: path } = repository;
  await putArtifact(
    registry,
    { registry: host, repository: path },
    { artifactType: MARK_TYPE, layers: [], annotations, subject },
    call,
  );
}

/** What marks hang on, made where it is missing. */
export async function ensureAnchor(registry: Registry, repository: Reference, call: Call): Promise<Descriptor> {
  const reference = atTag(repository, ANCHOR_TAG);
  const found = await registry.head(reference, call);
  if (found?.digest === ANCHOR_DIGEST) return found;
  await registry.putBlob(repository, Buffer.from('{}'), { ...call, mediaType: MEDIA_TYPES.empty });
  return registry.putManifest(reference, { mediaType: MEDIA_TYPES.manifest, bytes: ANCHOR }, call);
}
