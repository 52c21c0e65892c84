import { stagingTag } from '../domain/places.ts';
import { atTag, type Reference } from '../domain/reference.ts';
import { putArtifact } from '../image/artifact.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { ANNOTATIONS } from './releases.ts';

/** Artifact type of the note beside a candidate that says since when it is there. Its manifests must not (decisions 1). */
const CANDIDATE_TYPE = 'application/vnd.ingot.candidate.v1+json';

/** Once for each candidate: pruning goes by it. */
export async function noteCandidate(
  registry: Registry,
  staging: Reference,
  key: string,
  { now, ...call }: Call & { readonly now: Date },
): Promise<void> {
  const at = atTag(staging, stagingTag.note(key));
  if ((await registry.head(at, call)) !== undefined) return;
  const annotations = { [ANNOTATIONS.created]: now.toISOString(), 'io.ingot.candidate': key };
  await putArtifact(registry, at, { artifactType: CANDIDATE_TYPE, layers: [], annotations }, call);
}
