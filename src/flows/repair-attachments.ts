import { type Digest, isDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { candidateKey, INPUTS_ARTIFACT_TYPE, type Inputs, inputsDigest } from '../domain/inputs.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import type { Manifest } from '../registry/registry.ts';
import type { Sbom } from '../scanner/scanner.ts';
import type { Statement } from '../signer/signer.ts';
import {
  PREDICATE_TYPES,
  provenanceStatement,
  spdxStatement,
  verdictStatement,
  vulnerabilityStatement,
} from '../signer/statements.ts';
import { referenceOf } from './attestations.ts';
import type { Gap } from './damage.ts';
import { createEvidenceStore, SYFT_JSON } from './evidence.ts';
import { attachNativeSbom } from './release-content.ts';
import { ANNOTATIONS } from './releases.ts';
import type { RepairDeps } from './repair.ts';

/** One release that is repaired. */
export interface RepairJob {
  readonly image: string;
  readonly repository: Reference;
  readonly digest: Digest;
  /** Of the index. */
  readonly annotations: NonNullable<Manifest['annotations']>;
  /** Every record of inputs that is attached to it, newest first. */
  readonly records: readonly Inputs[];
}

/**
 * Makes a document or statement again: from the evidence of the candidate while staging has it, from the image itself
 * where that tells the same. @throws FactoryError `missing-content` that says why it cannot be done
 */
export async function restoreAttachment(
  job: RepairJob,
  { subject, platform, what }: Gap,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<void> {
  if (!('type' in what)) return;
  const at = atDigest(job.repository, subject);
  if (what.type === SYFT_JSON && platform !== undefined) {
    const { native } = await sbomOf(job, subject, platform, deps, signal);
    await attachNativeSbom(deps.registry, at, native, { signal, createdAt: createdOf(job) });
    return;
  }
  const statement = await statementFor(what.type, job, { subject, platform }, deps, signal);
  await deps.attestor.attest(at, statement, { createdAt: createdOf(job), signal });
}

export function createdOf({ annotations }: RepairJob): string {
  return annotations[ANNOTATIONS.created] ?? new Date(0).toISOString();
}

interface About {
  readonly subject: Digest;
  readonly platform: Platform | undefined;
}

async function statementFor(
  type: string,
  job: RepairJob,
  { subject, platform }: About,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<Statement> {
  if (platform !== undefined && type === PREDICATE_TYPES.spdx) {
    return spdxStatement((await sbomOf(job, subject, platform, deps, signal)).spdx);
  }
  if (platform !== undefined && type === PREDICATE_TYPES.vulnerabilities) {
    const { native } = await sbomOf(job, subject, platform, deps, signal);
    const now = deps.now().toISOString();
    return vulnerabilityStatement({
      ...(await deps.scanner.scan(native, { signal })),
      startedOn: now,
      finishedOn: now,
    });
  }
  if (type === PREDICATE_TYPES.provenance) return provenanceOf(job, deps);
  if (type === PREDICATE_TYPES.verdict) return verdictOf(job, deps, signal);
  if (type === INPUTS_ARTIFACT_TYPE) throw lost('only a run knows what it was made from');
  throw lost(`nothing makes ${type} again`);
}

/** From staging, when the evidence there is about these bytes; else catalogued again from the image itself. */
async function sbomOf(
  { image, repository, records }: RepairJob,
  subject: Digest,
  platform: Platform,
  { registry, places, cataloguer }: RepairDeps,
  signal: AbortSignal,
): Promise<Sbom> {
  const evidence = createEvidenceStore(registry, places.staging(image));
  for (const record of records) {
    const tag = stagingTag.sbom(candidateKey(record), platform);
    if (!(await evidence.has(tag, subject, { signal }))) continue;
    const sbom = await evidence.sbom(tag, { signal });
    if (sbom !== undefined) return sbom;
  }
  return cataloguer.catalogue(atDigest(repository, subject), { platform, signal });
}

/** The record of the inputs that the index itself names. */
export function recordOf({ annotations, records }: RepairJob): Inputs | undefined {
  const wanted = annotations[ANNOTATIONS.inputs];
  return records.find((record) => inputsDigest(record) === wanted);
}

function provenanceOf(job: RepairJob, deps: RepairDeps): Statement {
  const inputs = recordOf(job);
  if (inputs === undefined) throw lost('no record of its inputs is left that says what it was made from');
  const { source } = deps.settings;
  const { [ANNOTATIONS.revision]: revision } = job.annotations;
  return provenanceStatement({
    inputs,
    referenceOf: (input) => referenceOf(input, deps),
    reasons: [],
    builder: deps.factory,
    ...(source === undefined || revision === undefined ? {} : { source: { uri: source, revision } }),
    invocationId: candidateKey(inputs),
    startedOn: createdOf(job),
    finishedOn: createdOf(job),
  });
}

/** Only the verdict that allowed it, as it was kept: one of today would be about other findings. */
async function verdictOf(job: RepairJob, deps: RepairDeps, signal: AbortSignal): Promise<Statement> {
  const evidence = createEvidenceStore(deps.registry, deps.places.staging(job.image));
  const inputs = recordOf(job);
  const verdict = inputs && (await evidence.verdict(stagingTag.verdict(candidateKey(inputs)), { signal }));
  if (inputs === undefined || !verdict?.allowed) throw lost('staging no longer has the verdict that allowed it');
  const version = job.annotations[ANNOTATIONS.version] ?? '';
  const facts = { image: job.image, version, inputs: inputsDigest(inputs), verdict, evaluatedAt: createdOf(job) };
  return verdictStatement(facts);
}

export function lost(why: string): FactoryError {
  return new FactoryError(why, { code: 'missing-content' });
}

/** Whether an index says of itself what the record attached to it says. */
export function agrees(job: RepairJob): boolean {
  const named = job.annotations[ANNOTATIONS.inputs];
  return named !== undefined && isDigest(named) && (job.records.length === 0 || recordOf(job) !== undefined);
}
