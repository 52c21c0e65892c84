import { eachChannel, type Mark } from '../domain/marks.ts';
import type { Reference } from '../domain/reference.ts';
import type { Lock } from '../ledger/ledger.ts';
import type { Registry } from '../registry/registry.ts';
import { addMark, readMarks } from './marks.ts';
import { type LockDeps, requireTurn } from './repository-lock.ts';

export interface MarkDeps extends LockDeps {
  readonly registry: Registry;
  readonly now: () => Date;
}

/** The log of one repository, for who has its lock. */
export interface MarkLog {
  readonly marks: readonly Mark[];
  /** Time of what is decided on these marks: after all of them, also when clocks disagree. */
  readonly at: string;
  /** Writes at that time, so that a process that slept meanwhile stands before what came after it. */
  add(mark: Omit<Mark, 'at'>): Promise<void>;
}

export async function openMarkLog(
  repository: Reference,
  lock: Lock,
  { registry, now }: MarkDeps,
  signal: AbortSignal,
): Promise<MarkLog> {
  const marks: Mark[] = [...(await readMarks(registry, repository, { signal }))];
  const next = () => {
    const last = marks.at(-1);
    const time = Math.max(now().getTime(), last === undefined ? 0 : Date.parse(last.at) + 1);
    return new Date(time).toISOString();
  };
  let at = next();
  return {
    marks,
    get at() {
      return at;
    },
    async add(mark) {
      requireTurn(lock, repository);
      const whole = { ...mark, at };
      await addMark(registry, repository, whole, { signal });
      marks.push(...eachChannel(whole));
      at = new Date(Date.parse(at) + 1).toISOString();
    },
  };
}
