import type { Digest } from '../domain/digest.ts';
import type { Inputs } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import type { Outcome } from '../domain/run.ts';
import type { Reason } from '../domain/staleness.ts';

/** What a run is asked to do: identity, and the inputs that were decided upon. No secret ever. */
export interface RunRequest {
  /** ULID. */
  readonly runId: string;
  readonly image: string;
  readonly inputs: Inputs;
  readonly reasons: readonly Reason[];
}

/** How a run ended. */
export interface RunEnd {
  readonly runId: string;
  readonly image: string;
  readonly outcome: Outcome;
  readonly summary: string;
  /** See `Run`. */
  readonly differs?: readonly string[];
  readonly version?: string;
  readonly digest?: Digest;
  readonly platformDigests?: Readonly<Partial<Record<Platform, Digest>>>;
}

/** Hands runs to workers, wherever they are, and hears how they ended. */
export interface Dispatcher {
  start(run: RunRequest): Promise<void>;
  /** The next run that ends. */
  ended(signal: AbortSignal): Promise<RunEnd>;
  /** Looks at every downstream of an image; answers when that is done. */
  propose(image: string, signal: AbortSignal): Promise<ProposeEnd>;
}

export interface ProposeEnd {
  readonly image: string;
  readonly results: readonly ProposeLine[];
  /** How many are still to come where, and until when, in words. */
  readonly forecasts?: readonly string[];
  /** When another look finds more to do; RFC 3339. Absent: nothing waits for a time. */
  readonly nextAt?: string;
}

/** What was done about one image in one downstream repository. */
export interface ProposeLine {
  readonly repository: string;
  /** Into which branch, when that is not the default one. */
  readonly base?: string;
  readonly action: string;
  readonly number?: number;
  readonly title?: string;
  readonly message?: string;
  /** It is open, and nobody merges it: `checks-failing` or `waiting`, since when (RFC 3339), and which checks. */
  readonly stuck?: { readonly kind: string; readonly since: string; readonly failing: readonly string[] };
  /** What was asked for and could not be had. */
  readonly troubles?: readonly string[];
}
