import { inputsDigest, type ResolvedInput } from '../domain/inputs.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { upstreamReference } from '../domain/upstream.ts';
import type { Statement } from '../signer/signer.ts';
import {
  PREDICATE_TYPES,
  provenanceStatement,
  spdxStatement,
  verdictStatement,
  vulnerabilityStatement,
} from '../signer/statements.ts';
import type { CandidateIndex } from './candidate-index.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { judgeCandidate } from './verdict.ts';

/** Documents of a platform are about its manifest; provenance and verdict are about the index. */
const ON_PLATFORM = [PREDICATE_TYPES.spdx, PREDICATE_TYPES.vulnerabilities];
const ON_INDEX = [PREDICATE_TYPES.provenance, PREDICATE_TYPES.verdict];

export async function isAttested(
  job: ReleaseJob,
  index: CandidateIndex,
  deps: ReleaseDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const has = async (subject: Reference, types: readonly string[]) => {
    const { attestations } = await deps.attestor.verify(subject, { signal });
    return types.every((type) => attestations.includes(type));
  };
  const children = Object.values(await job.candidate.digests(signal));
  const checks = children.map((digest) => has(atDigest(job.repository, digest), ON_PLATFORM));
  return (await Promise.all([has(atDigest(job.repository, index.digest), ON_INDEX), ...checks])).every(Boolean);
}

/** Signed statements about a release: only ever made once the verdict allowed it (facts/signing.md 8). */
export async function attestCandidate(
  job: ReleaseJob,
  index: CandidateIndex,
  deps: ReleaseDeps,
  signal: AbortSignal,
): Promise<void> {
  const options = { createdAt: index.created, signal };
  for (const platform of job.image.platforms) {
    const subject = atDigest(job.repository, await job.candidate.digest(platform, signal));
    const [sbom, scan] = [await job.candidate.sbom(platform, signal), await job.candidate.scan(platform, signal)];
    await deps.attestor.attest(subject, spdxStatement(sbom.spdx), options);
    const times = { startedOn: index.created, finishedOn: index.created };
    await deps.attestor.attest(subject, vulnerabilityStatement({ ...scan, ...times }), options);
  }
  const subject = atDigest(job.repository, index.digest);
  await deps.attestor.attest(subject, await provenanceOf(job, index, deps), options);
  const verdict = await judgeCandidate(job, deps, signal);
  const { version, created } = index;
  const facts = { image: job.image.name, version, inputs: inputsDigest(job.inputs), verdict, evaluatedAt: created };
  await deps.attestor.attest(subject, verdictStatement(facts), options);
}

async function provenanceOf(job: ReleaseJob, index: CandidateIndex, deps: ReleaseDeps): Promise<Statement> {
  const { source } = deps.settings;
  const revision = await deps.revision(job.image);
  return provenanceStatement({
    inputs: job.inputs,
    referenceOf: (input) => referenceOf(input, deps),
    reasons: job.reasons,
    builder: deps.factory,
    ...(source === undefined || revision === undefined ? {} : { source: { uri: source, revision } }),
    invocationId: job.key,
    startedOn: index.created,
    finishedOn: index.created,
  });
}

export function referenceOf(input: ResolvedInput, { places }: Pick<ReleaseDeps, 'places'>): Reference {
  if (!input.name.startsWith('golden/')) return upstreamReference(input);
  return { ...places.release(input.name.slice('golden/'.length)), ...(input.version && { tag: input.version }) };
}
