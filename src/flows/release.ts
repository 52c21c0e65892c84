import type { Image, Settings } from '../domain/fleet/model.ts';
import { gatesOf } from '../domain/fleet/settings-gates.ts';
import { candidateKey, type Inputs } from '../domain/inputs.ts';
import { type Places, stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { Reason } from '../domain/staleness.ts';
import type { GateRunner } from '../gates/gates.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Registry, RegistryError } from '../registry/registry.ts';
import type { Cataloguer, Scanner } from '../scanner/scanner.ts';
import type { Attestor } from '../signer/signer.ts';
import { admitStep } from './admit.ts';
import { attestCandidate, isAttested } from './attestations.ts';
import { requireDigest } from './build.ts';
import { type CandidateStore, createCandidateStore } from './candidate.ts';
import { type CandidateIndex, findIndex, isAhead, makeIndex } from './candidate-index.ts';
import { compareStep } from './compare.ts';
import { gatesStep } from './gates.ts';
import { recordStep } from './record.ts';
import { repairSteps } from './repair-step.ts';
import type { Step } from './steps.ts';
import { channelsStep, tagStep } from './tag-steps.ts';
import { verdictStep } from './verdict.ts';
import { requireVerified } from './verify.ts';

export interface ReleaseDeps {
  readonly registry: Registry;
  readonly ledger: Pick<Ledger, 'lock' | 'runs'>;
  readonly places: Places;
  readonly settings: Settings;
  readonly cataloguer: Cataloguer;
  readonly scanner: Scanner;
  readonly attestor: Attestor;
  readonly gates: GateRunner;
  /** Last commit that touched the image's definition, when the fleet is in git. */
  readonly revision: (image: Image) => Promise<string | undefined>;
  /** Names this factory in provenance: what consumers trust together with the key. */
  readonly factory: { readonly id: string; readonly version: string };
  readonly now: () => Date;
}

/** What a release job works on. */
export interface ReleaseJob {
  readonly runId: string;
  readonly image: Image;
  readonly inputs: Inputs;
  readonly reasons: readonly Reason[];
  readonly key: string;
  readonly staging: Reference;
  readonly repository: Reference;
  readonly candidate: CandidateStore;
  /** What its end says besides; steps that run each time add to it. */
  readonly notes: string[];
  /** What changed although the inputs did not: see `Run`. */
  readonly differs: string[];
}

export function releaseJob(
  run: { runId: string; image: Image; inputs: Inputs; reasons: readonly Reason[] },
  deps: ReleaseDeps,
): ReleaseJob {
  const key = candidateKey(run.inputs);
  const staging = deps.places.staging(run.image.name);
  const repository = deps.places.release(run.image.name);
  const candidate = createCandidateStore(run, { ...deps, key, staging });
  return { ...run, key, staging, repository, candidate, notes: [], differs: [] };
}

/**
 * The steps that turn built platforms into a release. A tag moves in the last two, after the signature was read
 * back (promise 1); everything before writes by digest, or into staging.
 */
export function releaseSteps(job: ReleaseJob, deps: ReleaseDeps): readonly (Step | readonly Step[])[] {
  const { platforms } = job.image;
  const index = (signal: AbortSignal) => candidateIndex(job, deps, signal);
  return [
    ...repairSteps(job, deps),
    compareStep(job, deps),
    admitStep(job, deps),
    platforms.map((platform) => sbomStep(job, platform, deps)),
    platforms.map((platform) => scanStep(job, platform, deps)),
    verdictStep(job, deps),
    assembleStep(job, deps),
    ...gates(job, deps),
    promoteStep(job, deps),
    signStep(job, deps),
    attestStep(job, deps),
    recordStep(job, deps, index),
    verifyStep(job, deps),
    tagStep(job, deps, index),
    channelsStep(job, deps, index),
  ];
}

/** Only where gates are set up. After assembling, so that they are given what would be released. */
function gates(job: ReleaseJob, deps: ReleaseDeps): Step[] {
  if (gatesOf(deps.settings.gates, job.image.name, 'before').length === 0) return [];
  return [gatesStep(job, deps, (signal) => candidateIndex(job, deps, signal))];
}

function sbomStep({ key, candidate }: ReleaseJob, platform: Platform, deps: ReleaseDeps): Step {
  const tag = stagingTag.sbom(key, platform);
  return {
    name: 'sbom',
    platform,
    external: true,
    isDone: async (signal) => candidate.evidence.has(tag, await candidate.digest(platform, signal), { signal }),
    async run(signal) {
      const digest = await candidate.digest(platform, signal);
      const sbom = await deps.cataloguer.catalogue(atDigest(candidate.staging, digest), { platform, signal });
      await candidate.evidence.putSbom(tag, digest, sbom, { signal });
    },
  };
}

function scanStep({ candidate }: ReleaseJob, platform: Platform, { scanner }: ReleaseDeps): Step {
  return {
    name: 'scan',
    platform,
    external: true,
    async isDone(signal) {
      const [tag, digest] = [await candidate.scanTag(platform, signal), await candidate.digest(platform, signal)];
      return candidate.evidence.has(tag, digest, { signal });
    },
    async run(signal) {
      const [tag, digest] = [await candidate.scanTag(platform, signal), await candidate.digest(platform, signal)];
      const { native } = await candidate.sbom(platform, signal);
      await candidate.evidence.putJson(tag, 'scan', digest, await scanner.scan(native, { signal }), { signal });
    },
  };
}

function assembleStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'assemble',
    external: false,
    async isDone(signal) {
      const found = await findIndex(job, deps, signal);
      return found !== undefined && isAhead(found, job, deps, signal);
    },
    async run(signal) {
      await makeIndex(job, deps, signal);
    },
  };
}

function promoteStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'promote',
    external: true,
    async isDone(signal) {
      const { digest } = await candidateIndex(job, deps, signal);
      return (await deps.registry.head(atDigest(job.repository, digest), { signal })) !== undefined;
    },
    async run(signal) {
      const { digest } = await candidateIndex(job, deps, signal);
      const { registry, repository } = job.repository;
      await deps.registry.copy(atDigest(job.staging, digest), { registry, repository }, { signal });
    },
  };
}

/** Index and each platform: admission controllers check the first, podman and skopeo the second (facts/signing.md 1). */
function signStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'sign',
    external: false,
    isDone: async (signal) => {
      const checks = (await subjects(job, deps, signal)).map((subject) => deps.attestor.verify(subject, { signal }));
      return (await Promise.all(checks)).every(({ bundle, legacy }) => bundle === 'valid' && legacy === 'valid');
    },
    async run(signal) {
      const { created } = await candidateIndex(job, deps, signal);
      for (const subject of await subjects(job, deps, signal)) {
        await deps.attestor.sign(subject, { createdAt: created, signal });
      }
    },
  };
}

function attestStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'attest',
    external: false,
    isDone: async (signal) => isAttested(job, await candidateIndex(job, deps, signal), deps, signal),
    run: async (signal) => attestCandidate(job, await candidateIndex(job, deps, signal), deps, signal),
  };
}

function verifyStep(job: ReleaseJob, deps: ReleaseDeps): Step {
  return {
    name: 'verify',
    external: false,
    isDone: async () => false,
    run: async (signal) => requireVerified(await subjects(job, deps, signal), deps.attestor, signal),
  };
}

async function subjects(job: ReleaseJob, deps: ReleaseDeps, signal: AbortSignal): Promise<readonly Reference[]> {
  const { digest } = await candidateIndex(job, deps, signal);
  const children = Object.values(await job.candidate.digests(signal));
  return [digest, ...children].map((each) => atDigest(job.repository, each));
}

/** The assembled index; assembling comes before every step that asks for it. */
export async function candidateIndex(job: ReleaseJob, deps: ReleaseDeps, signal: AbortSignal): Promise<CandidateIndex> {
  const found = await findIndex(job, deps, signal);
  if (found !== undefined) return found;
  await requireDigest(deps.registry, atTag(job.staging, stagingTag.index(job.key)), signal);
  const message = `the candidate of ${job.image.name} does not fit any more: its version was taken, or a platform changed`;
  throw new RegistryError(`${message}; run again`, { code: 'missing-content', retryable: true });
}
