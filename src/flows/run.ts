import { FactoryError } from '../domain/errors.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import { gatesOf } from '../domain/fleet/settings-gates.ts';
import { isHandedBack } from '../domain/handed-back.ts';
import { candidateKey, canonicalJson, type Inputs } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import type { Run } from '../domain/run.ts';
import type { Reason } from '../domain/staleness.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RunEnd } from '../queue/dispatcher.ts';
import { type BuildDeps, buildSteps } from './build.ts';
import { noteCandidate } from './candidate-note.ts';
import { candidateIndex, type ReleaseDeps, type ReleaseJob, releaseJob, releaseSteps } from './release.ts';
import { readRelease } from './releases.ts';
import { type Ending, messageOf, runSteps, type StepObserver } from './steps.ts';
import { verdictBasis } from './verdict.ts';

export interface RunDeps {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly observer: StepObserver;
  readonly build: Omit<BuildDeps, 'onLog'>;
  readonly release: ReleaseDeps;
}

export interface PlatformJob {
  readonly runId: string;
  readonly image: string;
  readonly inputs: Inputs;
  readonly platform: Platform;
}

/** One platform of a run: built into staging and smoke-tested, or the reason why not. */
export async function runBuild(job: PlatformJob, deps: RunDeps, signal: AbortSignal): Promise<void> {
  const image = findImage(job.image, job.inputs, deps.fleet);
  const onLog = (platform: Platform, line: string) => deps.observer.onLog?.(job.runId, platform, line);
  const noted = { now: deps.release.now(), signal };
  const { registry, places } = deps.build;
  await noteCandidate(registry, places.staging(job.image), candidateKey(job.inputs), noted);
  const steps = buildSteps(image, job.inputs, job.platform, { ...deps.build, onLog });
  await runSteps(steps, { runId: job.runId, observer: deps.observer, now: () => deps.release.now().getTime(), signal });
}

export interface ReleaseRun {
  readonly runId: string;
  readonly image: string;
  readonly inputs: Inputs;
  readonly reasons: readonly Reason[];
}

export interface ReleaseContext {
  readonly signal: AbortSignal;
  /** What went wrong on platforms; empty when all are built. */
  readonly failedPlatforms: readonly string[];
  /** Whether a failure that may pass is to be thrown, so that the queue tries again. */
  readonly mayRetry: boolean;
}

/** The rest of a run, once every platform is there. Says how the run ended, in the ledger too. */
export async function runRelease(run: ReleaseRun, deps: RunDeps, context: ReleaseContext): Promise<RunEnd> {
  const end = await endOf(run, deps, context);
  const { outcome, summary, differs, version, digest, platformDigests } = end;
  const more = differs && { differs };
  const found = { ...(version && { version }), ...(digest && { digest }), ...(platformDigests && { platformDigests }) };
  const basis = outcome === 'blocked' ? await basisOf(run, deps, context.signal) : {};
  const cancelled = outcome === 'cancelled' ? personOf(context.signal) : {};
  const endedAt = deps.release.now().toISOString();
  await deps.ledger.finishRun(run.runId, { outcome, summary, ...more, ...found, ...basis, ...cancelled, endedAt });
  return end;
}

async function basisOf({ image: name }: ReleaseRun, deps: RunDeps, signal: AbortSignal): Promise<{ basis?: string }> {
  const image = deps.fleet.images.find((each) => each.name === name);
  return image === undefined ? {} : { basis: await verdictBasis(image, deps.release, signal) };
}

async function endOf(run: ReleaseRun, deps: RunDeps, context: ReleaseContext): Promise<RunEnd> {
  const base = { runId: run.runId, image: run.image };
  if (isHandedBack(context.signal)) throw context.signal.reason;
  if (context.signal.aborted) return { ...base, outcome: 'cancelled', summary: whyCancelled(context.signal) };
  if (context.failedPlatforms.length > 0) {
    return { ...base, outcome: 'failed', summary: context.failedPlatforms.join('\n') };
  }
  try {
    const image = findImage(run.image, run.inputs, deps.fleet);
    const job = releaseJob({ ...run, image }, deps.release);
    const now = () => deps.release.now().getTime();
    const ending = await runSteps(releaseSteps(job, deps.release), {
      runId: run.runId,
      observer: deps.observer,
      now,
      signal: context.signal,
    });
    return { ...base, ...(await describeEnd(job, ending, deps.release, context.signal)) };
  } catch (error) {
    if (isHandedBack(context.signal)) throw error;
    if (context.signal.aborted) return { ...base, outcome: 'cancelled', summary: whyCancelled(context.signal) };
    if (context.mayRetry && error instanceof FactoryError && error.retryable) throw error;
    const superseded = error instanceof FactoryError && error.code === 'superseded';
    return { ...base, outcome: superseded ? 'superseded' : 'failed', summary: messageOf(error) };
  }
}

function whyCancelled({ reason }: AbortSignal): string {
  return reason instanceof FactoryError && reason.code === 'cancelled' ? reason.message : 'cancelled';
}

/** Whoever cancelled it, when that was a person and not the end of a process. */
function personOf({ reason }: AbortSignal): Pick<Run, 'cancelled'> {
  const cancelled = reason instanceof FactoryError ? (reason.details.cancelled as Run['cancelled']) : undefined;
  return cancelled === undefined ? {} : { cancelled };
}

async function describeEnd(job: ReleaseJob, ending: Ending | undefined, deps: ReleaseDeps, signal: AbortSignal) {
  if (ending?.outcome === 'blocked') return { ...ending, platformDigests: await job.candidate.digests(signal) };
  if (ending !== undefined) {
    const release = await readRelease(deps.registry, job.repository, job.image, { signal });
    if (release.state !== 'known') return ending;
    const { digest, version, platforms } = release.value;
    return { ...ending, digest, version, platformDigests: platforms };
  }
  const { digest, version } = await candidateIndex(job, deps, signal);
  const platformDigests = await job.candidate.digests(signal);
  return {
    outcome: 'released' as const,
    summary: [`released as ${version}${gatesPassed(job, deps)}`, ...job.notes].join('\n'),
    ...(job.differs.length > 0 && { differs: job.differs }),
    digest,
    version,
    platformDigests,
  };
}

/** Gates that refuse end a run before it is here. */
function gatesPassed({ image }: ReleaseJob, { settings }: ReleaseDeps): string {
  const names = gatesOf(settings.gates, image.name, 'before').map(({ name }) => name);
  return names.length === 0 ? '' : `; passed ${names.join(', ')}`;
}

/** The definition that the run was decided upon, or nothing: a newer one gets a run of its own. */
function findImage(name: string, inputs: Inputs, fleet: Fleet): Image {
  const image = fleet.images.find((each) => each.name === name);
  if (image !== undefined && canonicalJson(image.definition) === canonicalJson(inputs.definition)) return image;
  const why = image === undefined ? 'is no longer in the fleet' : 'has another definition by now';
  throw new FactoryError(`${name} ${why}; the next plan decides anew`, { code: 'superseded' });
}
