import type { ImageHint, SourceHint } from '../domain/hooks.ts';

/** A hook as it came in. */
export interface HookRequest {
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** `token` of the address. */
  readonly token?: string | undefined;
  readonly body: Uint8Array;
  /** `host[:port]` as ingot.yaml has it. */
  readonly registry?: string | undefined;
}

/** What a sender said. */
export type Reading =
  | { readonly kind: 'hints'; readonly images: readonly ImageHint[]; readonly sources: readonly SourceHint[] }
  /** The sender wants to know whether it may send, and waits for this answer. */
  | { readonly kind: 'handshake'; readonly answer: Readonly<Record<string, string>> }
  | { readonly kind: 'invalid'; readonly why: string };

/** How one sender writes and signs. Pure. */
export interface Dialect {
  /** Whether the request proves that its sender knows the secret. */
  holds(request: HookRequest, secret: string): boolean;
  read(request: HookRequest): Reading;
}

export function hints(images: readonly ImageHint[], sources: readonly SourceHint[] = []): Reading {
  return { kind: 'hints', images, sources };
}

/** An event that is nobody's business here: a ping, a delete. */
export const NOTHING: Reading = { kind: 'hints', images: [], sources: [] };

export function invalid(why: string): Reading {
  return { kind: 'invalid', why };
}
