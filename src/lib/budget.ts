import { createHash } from 'node:crypto';
import type { HttpHeaders } from './http.ts';

/** One request that a host may count. */
export interface Spending {
  /** With its port, when it has one. */
  readonly host: string;
  /** Whether the registry counts it as a pull: a GET of a manifest does, a HEAD does not (Docker Hub). */
  readonly counted: boolean;
  /** Who asks: hosts count accounts apart, and nobody in particular. Default `anonymous`. */
  readonly identity?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const ANONYMOUS = 'anonymous';

/** Tells the accounts of a host apart without naming them. @param account a name, never a secret */
export function identityOf(account: string): string {
  return `account-${createHash('sha256').update(account).digest('hex').slice(0, 8)}`;
}

/** What a host allows: how many requests at once, and when not at all. */
export interface Budget {
  /** Sends when the host allows it, and learns from the answer. */
  spend<T extends { status: number; headers: HttpHeaders }>(use: Spending, send: () => Promise<T>): Promise<T>;
}
