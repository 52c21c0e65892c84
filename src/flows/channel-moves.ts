import { channelPositions } from '../domain/channel-journal.ts';
import { type ChannelMove, decideMoves, type MoveDecision, unfinishedMoves } from '../domain/channel-moves.ts';
import { FactoryError } from '../domain/errors.ts';
import { BACK } from '../domain/marks.ts';
import { atDigest, atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import type { Lock } from '../ledger/ledger.ts';
import { RegistryError } from '../registry/registry.ts';
import { readChannelTags } from './channel-tags.ts';
import { type MarkDeps, type MarkLog, openMarkLog } from './mark-log.ts';
import { requireTurn, withRepositoryLock } from './repository-lock.ts';

export interface MoveRequest {
  /** In the order in which the tags move. */
  readonly moves: readonly ChannelMove[];
  /** Who wants it: a person, or `ingot`. */
  readonly by: string;
  readonly reason?: string;
}

const TRIES = 3;

/**
 * Moves channels of one image. What is to be is written down first, in one mark for all channels that move to the
 * same release; a process that dies between is made up for by whoever looks next. One that slept never moves a
 * channel back. @returns what became of each move, in order
 */
export async function moveChannels(
  repository: Reference,
  request: MoveRequest,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<readonly MoveDecision[]> {
  return withMarkLog(repository, deps, signal, (turn) => applyMoves(repository, request, turn, deps, signal));
}

/** Brings every tag to where the journal says. @returns the channels that were not there */
export async function finishMoves(
  repository: Reference,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  return withMarkLog(repository, deps, signal, (turn) => finish(repository, turn, deps, signal));
}

/**
 * Works under the repository's lock. Who lost the lock while it wrote cannot know what it wrote over: it looks again,
 * and finishes what the journal says.
 */
export async function inTurn<T>(
  repository: Reference,
  deps: MarkDeps,
  signal: AbortSignal,
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      return await withRepositoryLock(repository, deps, signal, async (lock) => {
        const result = await work(lock);
        requireTurn(lock, repository);
        return result;
      });
    } catch (error) {
      if (!(error instanceof FactoryError) || error.code !== 'lost-turn') throw error;
    }
  }
  const message = `${repositoryOf(repository)}: this process was stopped again and again while it moved tags`;
  throw new FactoryError(message, { code: 'timed-out', retryable: true });
}

/** The same, with the log open. */
export async function withMarkLog<T>(
  repository: Reference,
  deps: MarkDeps,
  signal: AbortSignal,
  work: (turn: Turn) => Promise<T>,
): Promise<T> {
  return inTurn(repository, deps, signal, async (lock) =>
    work({ lock, log: await openMarkLog(repository, lock, deps, signal) }),
  );
}

export interface Turn {
  readonly log: MarkLog;
  readonly lock: Lock;
}

/** For who has the lock already. */
export async function applyMoves(
  repository: Reference,
  { moves, by, reason }: MoveRequest,
  turn: Turn,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<readonly MoveDecision[]> {
  await finish(repository, turn, deps, signal);
  const { log } = turn;
  const channels = moves.map(({ channel }) => channel);
  const tags = await readChannelTags(deps.registry, repository, channels, log.marks, { signal });
  const decisions = decideMoves(moves, log.marks, tags);
  const wanted = decisions.flatMap(({ kind, move }) => (kind === 'move' ? [move] : []));
  await journal(wanted, { by, ...(reason && { reason }) }, log);
  for (const move of wanted) {
    if (tags.get(move.channel)?.digest !== move.digest) await putTag(repository, move, turn, deps, signal);
  }
  return decisions;
}

async function finish(repository: Reference, turn: Turn, deps: MarkDeps, signal: AbortSignal) {
  const { marks } = turn.log;
  const channels = [...channelPositions(marks).keys()];
  const tags = await readChannelTags(deps.registry, repository, channels, marks, { signal });
  const open = unfinishedMoves(marks, tags);
  for (const move of open) await putTag(repository, move, turn, deps, signal);
  return open.map(({ channel }) => channel);
}

/** What stands there already is not said twice. */
async function journal(moves: readonly ChannelMove[], who: { by: string; reason?: string }, log: MarkLog) {
  const positions = channelPositions(log.marks);
  const news = moves.filter(({ channel, digest }) => positions.get(channel)?.digest !== digest);
  const groups = Map.groupBy(news, ({ version, digest, back }) => `${version} ${digest} ${back === true}`);
  for (const group of groups.values()) {
    const { version, digest, back } = group[0]!;
    const channels = group.map(({ channel }) => channel);
    await log.add({ kind: 'channel', channels, version, digest, ...who, ...(back && { note: BACK }) });
  }
}

async function putTag(
  repository: Reference,
  { channel, digest, version }: Pick<ChannelMove, 'channel' | 'digest' | 'version'>,
  { lock }: Turn,
  { registry }: MarkDeps,
  signal: AbortSignal,
): Promise<void> {
  const stored = await registry.manifest(atDigest(repository, digest), { signal });
  if (stored === undefined) {
    const message = `${repositoryOf(repository)} has no ${version} (${digest}) any more, which ${channel} is to name`;
    throw new RegistryError(message, { code: 'missing-content' });
  }
  const { mediaType } = stored.descriptor;
  requireTurn(lock, repository);
  await registry.putManifest(atTag(repository, channel), { mediaType, bytes: stored.bytes }, { signal });
}
