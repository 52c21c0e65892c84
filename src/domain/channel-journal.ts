import semver from 'semver';
import type { Digest } from './digest.ts';
import { BACK, type Mark } from './marks.ts';

/** Where the journal says that a channel has to be. */
export interface ChannelPosition {
  readonly channel: string;
  readonly version: string;
  readonly digest: Digest;
  /** RFC 3339: when that was decided. */
  readonly at: string;
  readonly by: string;
  readonly reason?: string;
  /** Reached by a rollback. */
  readonly back: boolean;
  /** Where it was before. */
  readonly from?: Digest;
}

/**
 * The wanted position of each channel: its tag in the registry follows. A process that slept may write its mark
 * late: one that would take a channel back without saying so, or onto what is quarantined, does not count.
 * @param marks oldest first
 */
export function channelPositions(marks: readonly Mark[]): ReadonlyMap<string, ChannelPosition> {
  const positions = new Map<string, ChannelPosition>();
  const quarantined = new Set<Digest>();
  for (const mark of marks) {
    if (mark.kind === 'quarantine' && mark.digest !== undefined) quarantined.add(mark.digest);
    if (mark.kind === 'unquarantine' && mark.digest !== undefined) quarantined.delete(mark.digest);
    const position = toPosition(mark);
    if (position === undefined || quarantined.has(position.digest)) continue;
    const before = positions.get(position.channel);
    if (position.back || before === undefined || !isOlder(position.version, before.version)) {
      const from = before?.digest === position.digest ? before.from : before?.digest;
      positions.set(position.channel, { ...position, ...(from && { from }) });
    }
  }
  return positions;
}

function toPosition({ kind, channel, version, digest, at, by, reason, note }: Mark): ChannelPosition | undefined {
  if (kind !== 'channel' || channel === undefined || version === undefined || digest === undefined) return undefined;
  return { channel, version, digest, at, by, ...(reason && { reason }), back: note === BACK };
}

/** False when one of them is no version: then nothing speaks against a move. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [semver.parse(version), semver.parse(than)];
  return a !== null && b !== null && semver.lt(a, b);
}
