import type { Pacer, Writer } from '../lib/pacer.ts';
import type { ForgeRepository, Write } from './forge.ts';

/** Requests that write, for each kind of change. */
export type WriteCosts = Readonly<Record<Write, number>>;

/** Writes go by turns that all repositories of one forge and one account share. */
export function withTurns(
  repository: ForgeRepository,
  pacer: Pacer,
  writer: Writer,
  costs: WriteCosts,
): ForgeRepository {
  const cost = (writes: readonly Write[]) => writes.reduce((sum, write) => sum + costs[write], 0);
  return {
    ...repository,
    turns: {
      group: `${writer.host} ${writer.identity}`,
      host: writer.host,
      now: pacer.now,
      take: (writes, call) => pacer.turn(writer, cost(writes), call),
      until: (writes, call) => pacer.until(writer, cost(writes), call),
    },
  };
}
