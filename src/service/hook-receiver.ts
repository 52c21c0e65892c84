import { digestOf } from '../domain/digest.ts';
import type { Fleet } from '../domain/fleet/model.ts';
import {
  type HookDialect,
  type HookOutcome,
  type ImageHint,
  isSourceHinted,
  type SourceHint,
  upstreamsHinted,
} from '../domain/hooks.ts';
import { changeOfUpstream } from '../domain/upstream.ts';
import type { HookStore } from '../ledger/hooks.ts';
import type { ServiceStore } from '../ledger/store.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { HookReceiver } from './hooks.ts';

export interface HookReceiverDeps {
  readonly hooks: HookStore;
  readonly store: Pick<ServiceStore, 'changed' | 'definitions'>;
  readonly runs: Pick<RunQueue, 'look'>;
  withFleet<T>(use: (fleet: Fleet) => T): Promise<T>;
  reload(): Promise<void>;
  readonly now: () => Date;
  /** Calls back after so many milliseconds, unless the process ends before. */
  readonly after: (ms: number, work: () => Promise<void>) => void;
  readonly onTrouble: (message: string) => void;
}

/** Within it, one thing is checked when it is first hinted at, and once more at its end if something else was said. */
export const WINDOW_MS = 10_000;
/** The definitions, among the things that are hinted at. */
const DEFINITIONS = 'definitions';
/** Reading them costs nobody else anything: those who commit twice wait for less. */
const DEFINITIONS_WINDOW_MS = 2_000;

export function createHookReceiver(deps: HookReceiverDeps): HookReceiver {
  const count = (dialect: HookDialect, outcome: HookOutcome) =>
    deps.hooks.count(dialect, outcome, deps.now().toISOString());
  return {
    count,
    settings: (dialect) => deps.withFleet(({ settings }) => settings.hooks[dialect]),
    async receive(dialect, { images, sources }) {
      const ends = [
        ...(await receiveImages(images, deps)),
        ...(await Promise.all(sources.map((source) => receiveSource(source, deps)))),
      ];
      for (const { name, outcome } of ends) {
        await count(dialect, outcome);
        if (outcome === 'unknown') await deps.hooks.unknown(dialect, name);
      }
      const of = (wanted: HookOutcome) => ends.flatMap(({ name, outcome }) => (outcome === wanted ? [name] : []));
      return { accepted: of('accepted'), coalesced: of('coalesced'), unknown: of('unknown') };
    },
  };
}

interface End {
  readonly name: string;
  readonly outcome: 'accepted' | 'coalesced' | 'unknown';
}

async function receiveImages(hints: readonly ImageHint[], deps: HookReceiverDeps): Promise<readonly End[]> {
  if (hints.length === 0) return [];
  const found = await deps.withFleet((fleet) => hints.map((hint) => ({ hint, names: upstreamsHinted(fleet, hint) })));
  const ends: End[] = [];
  for (const { hint, names } of found) {
    if (names.length === 0) ends.push({ name: hint.repository, outcome: 'unknown' });
    for (const name of names) {
      const subject = digestOf(name).slice('sha256:'.length);
      const outcome = await once({ subject, mark: markOf(hint), windowMs: WINDOW_MS }, () => check(name, deps), deps);
      ends.push({ name, outcome });
    }
  }
  return ends;
}

async function check(name: string, { store, runs }: HookReceiverDeps): Promise<void> {
  await store.changed([changeOfUpstream(name)]);
  await runs.look();
}

async function receiveSource(hint: SourceHint, deps: HookReceiverDeps): Promise<End> {
  const name = hint.addresses[0] ?? '';
  const pointer = await deps.store.definitions();
  if (pointer === undefined || !isSourceHinted(pointer.source, hint)) return { name, outcome: 'unknown' };
  const reload = async () => {
    // Whoever sent the hook does not wait for a fetch
    void deps.reload().catch((error: Error) => deps.onTrouble(error.message));
  };
  const window = { subject: DEFINITIONS, mark: hint.mark ?? '', windowMs: DEFINITIONS_WINDOW_MS };
  return { name, outcome: await once(window, reload, deps) };
}

/**
 * The first hint is followed at once. One with the same mark says nothing new; one with another mark, or with none, may
 * be about a push that came after the check, so that there is one more when the window ends.
 */
async function once(
  { subject, mark, windowMs }: { readonly subject: string; readonly mark: string; readonly windowMs: number },
  work: () => Promise<void>,
  { hooks, after, onTrouble }: HookReceiverDeps,
): Promise<'accepted' | 'coalesced'> {
  const before = await hooks.open(subject, mark, windowMs);
  if (before === undefined) {
    await work();
    return 'accepted';
  }
  const isNews = mark === '' || before !== mark;
  if (isNews && (await hooks.again(subject, windowMs))) {
    after(windowMs, () => work().catch((error: Error) => onTrouble(error.message)));
  }
  return 'coalesced';
}

function markOf({ tags, mark }: ImageHint): string {
  return mark === undefined ? '' : digestOf(JSON.stringify([tags, mark]));
}
