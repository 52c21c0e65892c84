import { HttpError } from '../lib/http.ts';
import { type ApiClient, ClientError } from './api-client.ts';
import { ClientRun } from './runs.ts';

export interface WaitOptions {
  readonly signal: AbortSignal;
  /** Milliseconds for all of it. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told when its state or holds are others than before. */
  readonly onChange: (run: ClientRun) => void;
}

const POLL_SECONDS = 50;
const ANSWER_MS = 30_000;
const PAUSE_MS = 2_000;
/** For so long a service may be away: it is restarted, say. */
const PATIENCE_MS = 5 * 60_000;

/** Waits for the end of a run by long polls, also over a restart of the service. */
export async function waitForEnd(client: ApiClient, id: string, options: WaitOptions): Promise<ClientRun> {
  const { signal, timeoutMs, now, sleep, onChange } = options;
  const end = now() + timeoutMs;
  let heard = now();
  let told = '';
  for (;;) {
    const left = Math.max(0, Math.min(POLL_SECONDS, Math.ceil((end - now()) / 1000)));
    try {
      const run = await client.get(`/v1/runs/${id}`, ClientRun, {
        ...{ query: { wait: String(left) }, signal, timeoutMs: left * 1000 + ANSWER_MS },
      });
      heard = now();
      const state = JSON.stringify([run.state, run.holds.map(({ kind }) => kind)]);
      if (state !== told) onChange(run);
      told = state;
      if (run.state === 'ended' || now() >= end) return run;
    } catch (error) {
      if (!isAway(error) || now() - heard > PATIENCE_MS || now() >= end) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof HttpError) return error.code === 'unavailable' || error.code === 'timed-out';
  return error instanceof ClientError && error.code === 'unavailable';
}
