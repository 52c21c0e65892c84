import { z } from 'zod';
import { type Digest, digestOf, zDigest } from '../domain/digest.ts';
import { type Gate, gatesOf } from '../domain/fleet/settings-gates.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { stagingTag } from '../domain/places.ts';
import { explainReason } from '../domain/reasons.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { GateRunner, GateSubject } from '../gates/gates.ts';
import { annotated, putArtifact } from '../image/artifact.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { CandidateIndex } from './candidate-index.ts';
import { SUBJECT } from './evidence.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { ANNOTATIONS } from './releases.ts';
import type { Step } from './steps.ts';

const GateResultSchema = z.object({
  gate: z.string(),
  /** Of the gate's settings: another gate of the same name has not been asked yet. */
  definition: zDigest,
  passed: z.boolean(),
  message: z.string(),
  /** RFC 3339. */
  at: z.string(),
});

/** What one gate said of one candidate or release. */
export type GateResult = z.infer<typeof GateResultSchema>;

/** Artifact type of a result: a referrer of a release, or a tag beside a candidate. */
const GATE_TYPE = 'application/vnd.ingot.gate.v1+json';

/** The whole result is in an annotation, which registries list with the referrers: no request for each. */
const CONTENT = 'io.ingot.gate';

/** Asks every gate `before` about the assembled candidate. One that refuses ends the run; results stay in staging. */
export function gatesStep(
  job: ReleaseJob,
  deps: ReleaseDeps,
  indexOf: (signal: AbortSignal) => Promise<CandidateIndex>,
): Step {
  const gates = gatesOf(deps.settings.gates, job.image.name, 'before');
  return {
    name: 'gates',
    external: true,
    async isDone(signal) {
      const index = await indexOf(signal);
      const results = await Promise.all(gates.map((gate) => staged(job, gate, index.digest, deps, { signal })));
      return results.every((result) => result?.passed);
    },
    async run(signal) {
      const index = await indexOf(signal);
      const subject = { ...(await subjectOf(job, signal)), ...about(index, job.staging) };
      const refused: GateResult[] = [];
      for (const gate of gates) {
        const known = await staged(job, gate, index.digest, deps, { signal });
        if (known?.passed) continue;
        const result = await askGate(gate, subject, deps, signal);
        await stage(job, result, index.digest, deps, { signal });
        if (!result.passed) refused.push(result);
      }
      if (refused.length > 0) return { outcome: 'blocked', summary: refused.map(explainRefusal).join('\n') };
    },
  };
}

export function explainRefusal({ gate, message }: GateResult): string {
  return `the gate ${gate} refused: ${message}`;
}

/** One gate, asked now. @throws when it could not be asked */
export async function askGate(
  gate: Gate,
  subject: GateSubject,
  { gates, now }: { readonly gates: GateRunner; readonly now: () => Date },
  signal: AbortSignal,
): Promise<GateResult> {
  const answer = await gates.ask(gate, subject, { signal });
  return { gate: gate.name, definition: definitionOf(gate), ...answer, at: now().toISOString() };
}

function definitionOf(gate: Gate): Digest {
  return digestOf(canonicalJson(gate));
}

async function subjectOf({ image, candidate, repository, reasons }: ReleaseJob, signal: AbortSignal) {
  const platforms = await candidate.digests(signal);
  return { image: image.name, repository, platforms, reasons: reasons.map(explainReason) };
}

function about({ digest, version }: CandidateIndex, { registry, repository }: Reference) {
  return { version, reference: { registry, repository, digest } };
}

/** Whether the release carries what the gates before it said. */
export async function areGatesRecorded(
  job: ReleaseJob,
  index: CandidateIndex,
  deps: ReleaseDeps,
  call: Call,
): Promise<boolean> {
  const gates = gatesOf(deps.settings.gates, job.image.name, 'before');
  if (gates.length === 0) return true;
  const known = await readGateResults(deps.registry, atDigest(job.repository, index.digest), gates, call);
  return gates.every(({ name }) => known.has(name));
}

/** Attaches to the release what the gates before it said. */
export async function recordGates(
  job: ReleaseJob,
  index: CandidateIndex,
  deps: ReleaseDeps,
  call: Call,
): Promise<void> {
  for (const gate of gatesOf(deps.settings.gates, job.image.name, 'before')) {
    const result = await staged(job, gate, index.digest, deps, call);
    if (result !== undefined) {
      await attachGateResult(deps.registry, atDigest(job.repository, index.digest), result, call);
    }
  }
}

/** The same result twice is one. */
export async function attachGateResult(
  registry: Registry,
  release: Reference,
  result: GateResult,
  call: Call,
): Promise<void> {
  const subject = await registry.head(release, call);
  if (subject === undefined) return;
  const { registry: host, repository } = release;
  await putArtifact(registry, { registry: host, repository }, { ...toArtifact(result), subject }, call);
}

/** What each of the gates said last of a release, by name. Those that were set up differently then are left out. */
export async function readGateResults(
  registry: Registry,
  release: Reference,
  gates: readonly Gate[],
  call: Call,
): Promise<ReadonlyMap<string, GateResult>> {
  const found = await registry.referrers(release, { ...call, artifactType: GATE_TYPE });
  const results = found
    .flatMap(({ annotations }) => annotated(annotations, CONTENT, GateResultSchema) ?? [])
    .sort((a, b) => (a.at < b.at ? -1 : 1));
  const current = new Map(gates.map((gate) => [gate.name, definitionOf(gate)]));
  return new Map(results.filter((each) => current.get(each.gate) === each.definition).map((each) => [each.gate, each]));
}

function stageTag({ key }: ReleaseJob, gate: string): string {
  return `${stagingTag.index(key)}-gate-${gate}`.slice(0, 128);
}

async function stage(job: ReleaseJob, result: GateResult, subject: Digest, { registry }: ReleaseDeps, call: Call) {
  const artifact = toArtifact(result);
  const annotations = { ...artifact.annotations, [SUBJECT]: subject };
  await putArtifact(registry, atTag(job.staging, stageTag(job, result.gate)), { ...artifact, annotations }, call);
}

async function staged(
  job: ReleaseJob,
  gate: Gate,
  subject: Digest,
  { registry }: ReleaseDeps,
  call: Call,
): Promise<GateResult | undefined> {
  const stored = await registry.manifest(atTag(job.staging, stageTag(job, gate.name)), call);
  if (stored === undefined) return undefined;
  const { annotations } = parseManifest(stored.bytes, 'what a gate said');
  const result = annotated(annotations, CONTENT, GateResultSchema);
  return annotations?.[SUBJECT] === subject && result?.definition === definitionOf(gate) ? result : undefined;
}

function toArtifact(result: GateResult) {
  const annotations = { [CONTENT]: canonicalJson(result), [ANNOTATIONS.created]: result.at };
  return { artifactType: GATE_TYPE, layers: [], annotations };
}
