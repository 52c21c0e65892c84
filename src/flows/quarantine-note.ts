import { canonicalJson } from '../domain/inputs.ts';
import type { Mark } from '../domain/marks.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { putArtifact } from '../image/artifact.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { ANNOTATIONS } from './releases.ts';

/**
 * Artifact type of the referrer on a quarantined image, for consumers that know nothing of ingot's log of marks.
 * Annotation and document say `quarantined`, or `lifted`; the newest stands.
 */
export const QUARANTINE_TYPE = 'application/vnd.ingot.quarantine.v1+json';
const STATE = 'io.ingot.quarantine';

/** Says on the image itself what the mark says in the log. One that says the same is there already: nothing new. */
export async function attachQuarantineNote(
  registry: Registry,
  repository: Reference,
  { kind, digest, version, at, by, reason }: Mark,
  call: Call,
): Promise<void> {
  const subject = digest && (await registry.head(atDigest(repository, digest), call));
  if (subject === undefined) return;
  const state = kind === 'quarantine' ? 'quarantined' : 'lifted';
  const document = { state, at, by, ...(version && { version }), ...(reason && { reason }) };
  const layers = [{ mediaType: QUARANTINE_TYPE, content: Buffer.from(canonicalJson(document)) }];
  const annotations = { [ANNOTATIONS.created]: at, [STATE]: state };
  const { registry: host, repository: path } = repository;
  const artifact = { artifactType: QUARANTINE_TYPE, layers, annotations, subject };
  await putArtifact(registry, { registry: host, repository: path }, artifact, call);
}

/** Those that a killed process did not come to. @param marks oldest first */
export async function attachMissingNotes(
  registry: Registry,
  repository: Reference,
  marks: readonly Mark[],
  call: Call,
): Promise<void> {
  const said = marks.filter(({ kind }) => kind === 'quarantine' || kind === 'unquarantine');
  const last = new Map(said.flatMap((mark) => (mark.digest === undefined ? [] : [[mark.digest, mark] as const])));
  for (const mark of last.values()) {
    const subject = atDigest(repository, mark.digest!);
    const found = await registry.referrers(subject, { ...call, artifactType: QUARANTINE_TYPE });
    const isThere = found.some(({ annotations }) => annotations?.[ANNOTATIONS.created] === mark.at);
    if (!isThere) await attachQuarantineNote(registry, repository, mark, call);
  }
}
