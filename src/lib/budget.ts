import type { HttpHeaders } from './http.ts';

/** One request that a host may count. */
export interface Spending {
  /** With its port, when it has one. */
  readonly host: string;
  /** Whether the registry counts it as a pull: a GET of a manifest does, a HEAD does not (Docker Hub). */
  readonly counted: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a host allows: how many requests at once, and when not at all. */
export interface Budget {
  /** Sends when the host allows it, and learns from the answer. */
  spend<T extends { status: number; headers: HttpHeaders }>(use: Spending, send: () => Promise<T>): Promise<T>;
}
