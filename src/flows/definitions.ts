import { z } from 'zod';
import { type Digest, hexOf } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { Definitions } from '../domain/service/definitions.ts';
import { getArtifact, putArtifact } from '../image/artifact.ts';
import type { Call, Registry } from '../registry/registry.ts';

export const DEFINITIONS_ARTIFACT_TYPE = 'application/vnd.ingot.definitions.v1';
const ABOUT_TYPE = 'application/vnd.ingot.definitions.about.v1+json';
const FILES_TYPE = 'application/vnd.ingot.definitions.files.v1.tar+gzip';
const TITLE = 'org.opencontainers.image.title';

const About = z.object({
  v: z.literal(1),
  fleet: z.string(),
  commit: z.string().optional(),
  revisions: z.record(z.string(), z.string()),
  times: z.record(z.string(), z.string()).default({}),
});

/** Puts definitions into the registry, under a tag that keeps them from its garbage collection. */
export async function publishDefinitions(
  definitions: Definitions,
  { registry, repository }: { readonly registry: Registry; readonly repository: Reference },
  call: Call,
): Promise<Digest> {
  const { parts, ...about } = definitions;
  const text = JSON.stringify({ v: 1, ...about });
  const layers = [
    { mediaType: ABOUT_TYPE, content: Buffer.from(text) },
    ...parts.map(({ name, archive }) => ({ mediaType: FILES_TYPE, content: archive, annotations: { [TITLE]: name } })),
  ];
  const artifact = { artifactType: DEFINITIONS_ARTIFACT_TYPE, layers };
  const { digest, mediaType } = await putArtifact(registry, repository, artifact, call);
  const tag = atTag(repository, tagOf(digest));
  if ((await registry.head(tag, call)) === undefined) {
    const stored = await registry.manifest(atDigest(repository, digest), call);
    await registry.putManifest(tag, { mediaType, bytes: stored!.bytes }, call);
  }
  return digest;
}

/** Since when something is not used any more, kept between calls. */
export interface LeftSince {
  /**
   * Of names that are there and names that are in use. One that was not known is left since now.
   * @returns those that are in no use, with the time since when (milliseconds since the epoch)
   */
  leftSince(there: readonly string[], used: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

const LEFT_MS = 7 * 24 * 3600_000;

/** Removes definitions that nobody has used for a week, or only says which. @returns their tags */
export async function pruneDefinitions(
  used: readonly Digest[],
  deps: LeftSince & {
    readonly registry: Registry;
    readonly repository: Reference;
    readonly now: () => number;
    readonly remove?: boolean;
  },
  call: Call,
): Promise<readonly string[]> {
  const { registry, repository, now, remove = true } = deps;
  const there = (await registry.tags(repository, call)).filter((tag) => tag.startsWith('definitions-'));
  const left = await deps.leftSince(there, used.map(tagOf));
  const old = there.filter((tag) => now() - (left.get(tag) ?? now()) >= LEFT_MS);
  for (const tag of remove ? old : []) {
    const found = await registry.head(atTag(repository, tag), call);
    if (found !== undefined) await registry.remove(atDigest(repository, found.digest), call);
  }
  return old;
}

function tagOf(digest: Digest): string {
  return `definitions-${hexOf(digest).slice(0, 32)}`;
}

/** @throws FactoryError `unavailable` when they are not in the registry (any more) */
export async function fetchDefinitions(
  digest: Digest,
  { registry, repository }: { readonly registry: Registry; readonly repository: Reference },
  call: Call,
): Promise<Definitions> {
  const artifact = await getArtifact(registry, atDigest(repository, digest), call);
  const about = artifact?.layers.find(({ mediaType }) => mediaType === ABOUT_TYPE);
  if (artifact === undefined || about === undefined) {
    const where = `${repository.registry}/${repository.repository}@${digest}`;
    throw new FactoryError(`the definitions ${where} are not in the registry`, {
      code: 'unavailable',
      retryable: true,
    });
  }
  const { fleet, commit, revisions, times } = About.parse(JSON.parse(Buffer.from(about.content).toString('utf8')));
  const parts = artifact.layers
    .filter(({ mediaType }) => mediaType === FILES_TYPE)
    .map(({ content, annotations }) => ({ name: annotations?.[TITLE] ?? '', archive: content }));
  return { fleet, ...(commit && { commit }), revisions, times, parts };
}
