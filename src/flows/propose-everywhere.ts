import pLimit from 'p-limit';
import type { RolloutSettings } from '../domain/fleet/settings-rollout.ts';
import { explainPace, pacedUntil } from '../domain/pace.ts';
import type { ForgeRepository, Turns } from '../forge/forge.ts';
import { carryOut, examine, type Intent, type ProposeRequest, type ProposeResult, reportOf } from './propose.ts';
import { isUrgent } from './propose-life.ts';
import { rollOut } from './roll-out.ts';
import { messageOf } from './steps.ts';

export interface EverywhereRequest extends Omit<ProposeRequest, 'repository'> {
  /** Told how long it will take, before it begins. */
  readonly announce?: ((line: string) => void) | undefined;
  /** In which order; absent: all at once. */
  readonly rollout?: RolloutSettings | undefined;
  /** Says what would be done, and writes nothing. */
  readonly isDry?: boolean | undefined;
}

export interface EverywhereEnd {
  readonly results: readonly ProposeResult[];
  /** How many are still to come where, and until when, in words. */
  readonly forecasts: readonly string[];
  /** When another look finds more to do, that waits for a time alone. Milliseconds since the epoch. */
  readonly nextAt?: number | undefined;
}

/** Looks cost a forge little, writes much. */
const LOOKS_AT_ONCE = 8;
const WRITES_AT_ONCE = 4;

/**
 * Looks at several repositories, and then does what is due: what is urgent first, as fast as each forge allows. One
 * that cannot be asked holds up no other. What is not done is done by the next look.
 */
export async function proposeEverywhere(
  repositories: readonly ForgeRepository[],
  request: EverywhereRequest,
): Promise<EverywhereEnd> {
  const looks = pLimit(LOOKS_AT_ONCE);
  const examined = await Promise.all(
    repositories.map((repository) =>
      looks(() => attempt(repository, request, () => examine({ ...request, repository }))),
    ),
  );
  const { waits, nextAt } = await rollOut(examined, request);
  const isDue = (each: Intent | ProposeResult, index: number) => 'state' in each && each.todo && !waits.has(index);
  const due = examined.filter(isDue) as readonly Intent[];
  const ahead = await forecast(due);
  for (const line of ahead) request.announce?.(line);
  const writes = pLimit(WRITES_AT_ONCE);
  const inOrder = [...examined.keys()].sort((a, b) => urgency(examined[b]!) - urgency(examined[a]!));
  const ends: End[] = [];
  await Promise.all(
    inOrder.map((index) =>
      writes(async () => {
        const why = waits.get(index);
        ends[index] = why
          ? { result: waitingFor(examined[index] as Intent, why) }
          : await end(examined[index]!, request);
      }),
    ),
  );
  const waiting = due.filter((intent) => ends[examined.indexOf(intent)]!.after !== undefined);
  const later = examined.flatMap((each) => ('state' in each ? (each.nextAt ?? []) : []));
  const times = [...later, ...ends.flatMap(({ after }) => after ?? []), ...(nextAt === undefined ? [] : [nextAt])];
  return {
    results: ends.map(({ result }) => result),
    forecasts: request.isDry ? ahead : await forecast(waiting),
    ...(times.length > 0 && { nextAt: Math.min(...times) }),
  };
}

interface End {
  readonly result: ProposeResult;
  /** The forge takes no more writes before. */
  readonly after?: number;
}

async function end(examined: Intent | ProposeResult, request: EverywhereRequest): Promise<End> {
  if (!('state' in examined)) return { result: examined };
  const { state, todo } = examined;
  if (request.isDry && todo !== undefined) {
    return { result: { ...reportOf(examined), action: 'due', message: `would be ${examined.action} now` } };
  }
  try {
    return { result: await carryOut(examined) };
  } catch (error) {
    const after = pacedUntil(error);
    if (after !== undefined && !request.signal.aborted)
      return { result: waitingFor(examined, messageOf(error)), after };
    return { result: unknown(state.repository, request, error) };
  }
}

function waitingFor(intent: Intent, message: string): ProposeResult {
  return { ...reportOf(intent), action: 'waiting', message };
}

async function attempt<T>(
  repository: ForgeRepository,
  request: EverywhereRequest,
  look: () => Promise<T>,
): Promise<T | ProposeResult> {
  try {
    return await look();
  } catch (error) {
    return unknown(repository, request, error);
  }
}

/** @throws the error itself when nobody waits for the answer any more */
function unknown({ name }: ForgeRepository, { release, signal }: EverywhereRequest, error: unknown): ProposeResult {
  if (signal.aborted) throw error;
  return { repository: name, image: release.image, action: 'unknown', message: messageOf(error), pins: [], left: [] };
}

function urgency(examined: Intent | ProposeResult): number {
  return 'state' in examined && isUrgent(examined.state) ? 1 : 0;
}

/** What is said when it takes a while; less than a minute is not worth a word. */
const WORTH_SAYING_MS = 60_000;

async function forecast(due: readonly Intent[]): Promise<readonly string[]> {
  const lines: string[] = [];
  const groups = Map.groupBy(due, ({ state }) => state.repository.turns?.group);
  for (const [group, intents] of groups) {
    if (group === undefined) continue;
    const turns = intents[0]!.state.repository.turns as Turns;
    const until = await turns.until(
      intents.flatMap(({ todo }) => todo!.writes),
      { urgent: intents.every(({ state }) => isUrgent(state)) },
    );
    if (until - turns.now() < WORTH_SAYING_MS) continue;
    lines.push(explainPace({ host: turns.host, count: intents.length, until }));
  }
  return lines;
}
