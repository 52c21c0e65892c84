import pLimit from 'p-limit';
import { decideStages, type StageDecision } from '../domain/channel-stages.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Gate } from '../domain/fleet/settings-gates.ts';
import { atDigest } from '../domain/reference.ts';
import type { GateRunner } from '../gates/gates.ts';
import type { Attestor } from '../signer/signer.ts';
import { moveChannels } from './channel-moves.ts';
import { askGate, attachGateResult, type GateResult } from './gates.ts';
import type { MarkDeps } from './mark-log.ts';
import {
  type ImageStages,
  type KnownRelease,
  mayMove,
  readStages,
  type StageFactsDeps,
  stageGates,
} from './stage-facts.ts';
import { messageOf } from './steps.ts';
import { requireVerified } from './verify.ts';

export interface StageDeps extends StageFactsDeps, MarkDeps {
  readonly attestor: Attestor;
  readonly gates: GateRunner;
}

/** What became of the channels of one image that move by stages. */
export interface StageReport {
  readonly image: string;
  readonly moved: readonly { readonly channel: string; readonly from?: string; readonly to: string }[];
  /** As decided, moves included. */
  readonly decisions: readonly StageDecision[];
  /** What could not be asked, or was not allowed to move. */
  readonly problems: readonly string[];
}

const AT_ONCE = 8;

/** Brings the channels of all images to where they have to be now. What cannot be asked holds up no other image. */
export async function moveStages(
  images: readonly Image[],
  deps: StageDeps,
  signal: AbortSignal,
): Promise<readonly StageReport[]> {
  const limit = pLimit(AT_ONCE);
  const reports = images.map((image) => limit(() => moveStagesOf(image, deps, signal)));
  return (await Promise.all(reports)).filter((report) => report !== undefined);
}

async function moveStagesOf(image: Image, deps: StageDeps, signal: AbortSignal): Promise<StageReport | undefined> {
  try {
    if (!(await mayMove(image, deps, { signal }))) return undefined;
    const facts = await readStages(image, deps, { signal });
    const { stages, problems } = await askOpenGates(image, facts, deps, signal);
    const decisions = decideStages(stages);
    const moved = await moveDecided(image, decisions, deps, signal);
    return { image: image.name, decisions, moved: moved.moved, problems: [...problems, ...moved.problems] };
  } catch (error) {
    if (signal.aborted) throw error;
    return { image: image.name, moved: [], decisions: [], problems: [messageOf(error)] };
  }
}

/** Level-triggered: gates are asked about each release that waits for nothing else, and about the newest at once. */
async function askOpenGates(image: Image, facts: ImageStages, deps: StageDeps, signal: AbortSignal) {
  const open = openGates(decideStages(facts));
  const problems: string[] = [];
  const releases: KnownRelease[] = [];
  for (const release of facts.releases) {
    const names = open.get(release.version);
    if (names === undefined) releases.push(release);
    else releases.push(await askAbout(image, release, names, { deps, problems }, signal));
  }
  return { stages: { ...facts, releases }, problems };
}

function openGates(decisions: readonly StageDecision[]): ReadonlyMap<string, ReadonlySet<string>> {
  const open = new Map<string, Set<string>>();
  for (const { waiting } of decisions) {
    for (const [index, { release, waits }] of waiting.entries()) {
      if (index > 0 && waits.some(({ kind }) => kind !== 'gate-open')) continue;
      for (const wait of waits) {
        if (wait.kind !== 'gate-open') continue;
        open.set(release.version, (open.get(release.version) ?? new Set()).add(wait.gate));
      }
    }
  }
  return open;
}

async function askAbout(
  image: Image,
  release: KnownRelease,
  names: ReadonlySet<string>,
  { deps, problems }: { deps: StageDeps; problems: string[] },
  signal: AbortSignal,
): Promise<KnownRelease> {
  const gates = new Map(release.gates);
  for (const gate of stageGates(image, deps.settings).filter(({ name }) => names.has(name))) {
    try {
      gates.set(gate.name, await askReleased(image, release, gate, deps, signal));
    } catch (error) {
      if (signal.aborted) throw error;
      problems.push(`${image.name} ${release.version}: ${messageOf(error)}`);
    }
  }
  return { ...release, gates };
}

/** Asks one gate about a release, and keeps its word with the release: the last one counts. */
export async function askReleased(
  image: Image,
  release: KnownRelease,
  gate: Gate,
  deps: StageDeps,
  signal: AbortSignal,
): Promise<GateResult> {
  const repository = deps.places.release(image.name);
  const reference = { ...repository, digest: release.digest };
  const result = await askGate(gate, { ...release, image: image.name, repository, reference }, deps, signal);
  await attachGateResult(deps.registry, reference, result, { signal });
  return result;
}

/** Promise 1 holds for later stages, too: the signature is read back before the tag moves. */
async function moveDecided(image: Image, decisions: readonly StageDecision[], deps: StageDeps, signal: AbortSignal) {
  const wanted = decisions.flatMap(({ channel, target }) => (target === undefined ? [] : [{ channel, ...target }]));
  if (wanted.length === 0) return { moved: [], problems: [] };
  const repository = deps.places.release(image.name);
  const digests = new Set(wanted.map(({ digest }) => digest));
  await requireVerified(
    [...digests].map((digest) => atDigest(repository, digest)),
    deps.attestor,
    signal,
  );
  const moves = wanted.map(({ channel, version, digest }) => ({ channel, version, digest }));
  const results = await moveChannels(repository, { moves, by: 'ingot' }, deps, signal);
  const from = new Map(decisions.map(({ channel, current }) => [channel, current]));
  return {
    moved: results.flatMap(({ kind, move: { channel, version } }) =>
      kind === 'move' ? [{ channel, to: version, ...(from.get(channel) && { from: from.get(channel)! }) }] : [],
    ),
    problems: results.flatMap((result) => (result.kind === 'refused' ? [`${image.name}: ${result.why}`] : [])),
  };
}
