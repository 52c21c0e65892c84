import { explainWait, mayApprove, obstaclesFor, type StageWait } from '../domain/channel-stages.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image, Settings } from '../domain/fleet/model.ts';
import type { Channel } from '../domain/fleet/settings-channels.ts';
import { EMERGENCY } from '../domain/freeze.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { moveChannels, withMarkLog } from './channel-moves.ts';
import type { GateResult } from './gates.ts';
import type { MarkDeps, MarkLog } from './mark-log.ts';
import { readRelease } from './releases.ts';
import { type ImageStages, type KnownRelease, readStaged, readStages, stageGates } from './stage-facts.ts';
import { askReleased, type StageDeps } from './stages.ts';
import { requireVerified } from './verify.ts';

/** What a person wants, and who they are. */
export interface ByHand {
  readonly image: Image;
  readonly by: string;
  readonly reason: string;
}

export interface Promoted {
  readonly channel: string;
  readonly version: string;
  /** False when it was there already. */
  readonly moved: boolean;
  /** What the emergency went over. */
  readonly overruled: readonly StageWait[];
}

/**
 * Moves a channel by hand: soak times and the order of stages are skipped. A freeze, a gate that did not pass and an
 * approval that is not theirs to give are not, unless it is an emergency, which leaves a mark of its own.
 * @param request.version absent: the release in use
 */
export async function promote(
  request: ByHand & { readonly channel: string; readonly version?: string; readonly emergency: boolean },
  deps: StageDeps,
  signal: AbortSignal,
): Promise<Promoted> {
  const { image, by, reason, emergency } = request;
  const repository = deps.places.release(image.name);
  const [release, facts] = [await findRelease(request, deps, signal), await readStages(image, deps, { signal })];
  const channel = channelOf(request.channel, facts);
  const overruled = obstaclesFor(release, channel, by, facts);
  if (overruled.length > 0 && !emergency) throw refusal(release, channel, overruled);
  await requireVerified([atDigest(repository, release.digest)], deps.attestor, signal);
  const { version, digest } = release;
  if (emergency) await leaveTrace(repository, { by, reason, channel: channel.name, version, digest }, deps, signal);
  const moves = [{ channel: channel.name, version, digest }];
  const [result] = await moveChannels(repository, { moves, by, reason }, deps, signal);
  if (result?.kind === 'refused') {
    const remedy = result.because === 'newer-in-place' ? '; "ingot rollback" goes back' : '';
    throw new FactoryError(`${channel.name} was not moved: ${result.why}${remedy}`, { code: 'usage' });
  }
  return { channel: channel.name, version, moved: result?.kind === 'move', overruled };
}

/** Records that a release may go to a channel that wants an approval. It moves once it meets the other conditions, too. */
export async function approve(
  request: ByHand & { readonly channel: string; readonly version: string },
  deps: StageDeps,
  signal: AbortSignal,
): Promise<{ readonly channel: string; readonly version: string }> {
  const { image, by, reason } = request;
  const { approval, name } = channelOf(request.channel, deps.settings);
  if (approval === undefined) {
    throw new FactoryError(`${name} asks for no approval; "ingot promote" moves it by hand`, { code: 'usage' });
  }
  if (!mayApprove(approval, by)) {
    throw new FactoryError(`${by} may not approve for ${name}; ${approval.by?.join(', ')} may`, { code: 'usage' });
  }
  const { version, digest } = await findRelease(request, deps, signal);
  const mark = { kind: 'approval', by, reason, channel: name, version, digest } as const;
  await addInTurn(deps.places.release(image.name), mark, deps, signal);
  return { channel: name, version };
}

const EMERGENCY_HOURS = 24;

/** Lets an image through a freeze of everything for a day. @returns until when, RFC 3339 */
export async function openFreeze({ image, by, reason }: ByHand, deps: StageDeps, signal: AbortSignal): Promise<string> {
  const until = new Date(deps.now().getTime() + EMERGENCY_HOURS * 3600_000).toISOString();
  await leaveTrace(deps.places.release(image.name), { by, reason, until }, deps, signal);
  return until;
}

/** Asks the gates `after` of a release now, also those that have answered before. @param version absent: the release in use */
export async function askGatesAgain(
  { image, version }: { readonly image: Image; readonly version?: string },
  deps: StageDeps,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly results: readonly GateResult[] }> {
  const release = await findRelease({ image, ...(version && { version }) }, deps, signal);
  const results: GateResult[] = [];
  for (const gate of stageGates(image, deps.settings)) {
    results.push(await askReleased(image, release, gate, deps, signal));
  }
  return { version: release.version, results };
}

async function leaveTrace(
  repository: Reference,
  mark: Omit<Parameters<typeof addInTurn>[1], 'kind' | 'note'>,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<void> {
  await addInTurn(repository, { ...mark, kind: 'approval', note: EMERGENCY }, deps, signal);
}

async function addInTurn(
  repository: Reference,
  mark: Parameters<MarkLog['add']>[0],
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<void> {
  await withMarkLog(repository, deps, signal, ({ log }) => log.add(mark));
}

function channelOf(name: string, { channels }: Pick<Settings | ImageStages, 'channels'>): Channel {
  const found = channels.find((channel) => channel.name === name);
  if (found !== undefined) return found;
  const known = channels.map((channel) => channel.name).join(', ');
  throw new FactoryError(`there is no channel "${name}"; ingot.yaml has ${known === '' ? 'none' : known}`, {
    code: 'usage',
  });
}

async function findRelease(
  { image, version }: { image: Image; version?: string },
  deps: StageDeps,
  signal: AbortSignal,
): Promise<KnownRelease> {
  const repository = deps.places.release(image.name);
  const wanted = version ?? (await versionInUse(image, repository, deps, signal));
  const gates = stageGates(image, deps.settings);
  const [release] = await readStaged(atTag(repository, wanted), gates, deps.registry, { signal });
  if (release !== undefined) return release;
  throw new FactoryError(`${image.name} has no release ${wanted} that ingot made`, { code: 'usage' });
}

async function versionInUse(image: Image, repository: Reference, deps: StageDeps, signal: AbortSignal) {
  const found = await readRelease(deps.registry, repository, image, { signal });
  if (found.state === 'known') return found.value.version;
  throw found.state === 'unknown'
    ? new FactoryError(found.why, { code: 'unavailable', retryable: true })
    : new FactoryError(`${image.name} was never released`, { code: 'usage' });
}

function refusal({ version }: KnownRelease, { name }: Channel, waits: readonly StageWait[]): FactoryError {
  const why = waits.map(explainWait).join('; ');
  const message = `${name} was not moved: ${version} ${why}; --emergency moves it all the same, and leaves a trace`;
  return new FactoryError(message, { code: 'usage' });
}
