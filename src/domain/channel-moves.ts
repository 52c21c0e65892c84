import { type ChannelPosition, channelPositions, isOlder } from './channel-journal.ts';
import type { Digest } from './digest.ts';
import type { Mark } from './marks.ts';
import { quarantineOf, standingOf } from './standing.ts';

/** A channel and where it is to move. */
export interface ChannelMove {
  readonly channel: string;
  readonly version: string;
  readonly digest: Digest;
  /** A rollback: it may go to an older version. */
  readonly back?: boolean;
}

/** What a channel's tag points to now. `version`: as its annotation says. */
export interface ChannelTag {
  readonly digest: Digest;
  readonly version?: string;
}

export type MoveDecision =
  | { readonly kind: 'move'; readonly move: ChannelMove }
  /** It is there already. */
  | { readonly kind: 'done'; readonly move: ChannelMove }
  | {
      readonly kind: 'refused';
      readonly move: ChannelMove;
      readonly because: 'newer-in-place' | 'quarantined';
      /** A clause without a full stop. */
      readonly why: string;
    };

/**
 * Which channels may move. Never onto what is quarantined; never to an older version than the one in place, or
 * the one that the journal has already decided on, unless that is said: a process may wake late.
 * @param tags absent for a channel that points nowhere
 */
export function decideMoves(
  moves: readonly ChannelMove[],
  marks: readonly Mark[],
  tags: ReadonlyMap<string, ChannelTag>,
): readonly MoveDecision[] {
  const positions = channelPositions(marks);
  const standing = standingOf(marks, new Date(0).toISOString());
  return moves.map((move): MoveDecision => {
    const quarantine = quarantineOf(standing, move);
    if (quarantine !== undefined) {
      const why = `${move.version} is quarantined by ${quarantine.by}: ${quarantine.why}`;
      return { kind: 'refused', move, because: 'quarantined', why };
    }
    const tag = tags.get(move.channel);
    const position = positions.get(move.channel);
    const newer = [tag?.version, position?.version].find((version) => version && isOlder(move.version, version));
    if (!move.back && newer !== undefined) {
      const why = `${move.channel} is at ${newer} already, which is newer than ${move.version}`;
      return { kind: 'refused', move, because: 'newer-in-place', why };
    }
    return { kind: tag?.digest === move.digest && position?.digest === move.digest ? 'done' : 'move', move };
  });
}

/**
 * Moves that the journal decided on and no tag shows yet: the process died between, or another one that slept wrote
 * after it. A tag that somebody moved on to a newer version by other means is left where it is.
 */
export function unfinishedMoves(
  marks: readonly Mark[],
  tags: ReadonlyMap<string, ChannelTag>,
): readonly ChannelPosition[] {
  const standing = standingOf(marks, new Date(0).toISOString());
  const isQuarantined = (digest: Digest) => quarantineOf(standing, { digest }) !== undefined;
  return [...channelPositions(marks).values()].filter((position) => {
    const tag = tags.get(position.channel);
    if (tag?.digest === position.digest || isQuarantined(position.digest)) return false;
    if (tag === undefined || tag.digest === position.from || isQuarantined(tag.digest)) return true;
    return tag.version !== undefined && isOlder(tag.version, position.version);
  });
}
