import type { SourceHint } from '../domain/hooks.ts';
import { hints, NOTHING, type Reading } from './hooks.ts';

/** A push as forges tell it; tags and removed branches are no news. */
export function pushed(
  ref: string,
  after: string | null | undefined,
  addresses: readonly (string | null | undefined)[],
): Reading {
  if (!ref.startsWith('refs/heads/') || (after && /^0+$/.test(after))) return NOTHING;
  const source: SourceHint = {
    addresses: addresses.filter((address) => typeof address === 'string' && address !== '') as string[],
    branch: ref.slice('refs/heads/'.length),
    ...(after && { mark: after }),
  };
  return hints([], [source]);
}
