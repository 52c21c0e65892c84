import { familiarReference, type Reference, repositoryOf } from '../reference.ts';
import { isOfLine } from '../version.ts';
import type { PinDecision } from './decide-pin.ts';
import type { AdoptedUpstream, ImageChange } from './format.ts';
import { DEFAULT_POLICY } from './policy.ts';

export type AdoptionDecision =
  | (PinDecision & { readonly kind: 'move'; readonly reference: string; readonly note: string })
  | (PinDecision & { readonly kind: 'leave' });

/**
 * Whether a place that names an upstream is offered the golden image that takes its place. `undefined`: it is none of
 * our business, since nobody asked for it or the upstream is of another line.
 */
export function decideAdoption(upstream: Reference, change: ImageChange): AdoptionDecision | undefined {
  const { update, adopt } = { ...DEFAULT_POLICY, ...change.policy };
  const found = change.adopts?.find((each) => each.repository === repositoryOf(upstream));
  if (adopt === 'off' || update === 'hold' || found === undefined || !isSameLine(upstream, found, change))
    return undefined;
  const { repository, version, digest } = change;
  const note = `${repository}:${version} takes the place of ${familiarReference(upstream)}`;
  if (adopt === 'report')
    return { kind: 'leave', reason: 'adoptable', message: `${note}; "adopt: propose" has it moved` };
  const to = { tag: version, ...(upstream.digest === undefined ? {} : { digest }) };
  const reference = `${repository}:${version}${upstream.digest === undefined ? '' : `@${digest}`}`;
  return { kind: 'move', to, reference, note };
}

/** `12-slim` and `12.5` for the line 12, or the very tag that the image is built from. */
function isSameLine({ tag }: Reference, found: AdoptedUpstream, { line }: ImageChange): boolean {
  if (tag === undefined) return false;
  const version = /^v?(\d+(?:\.\d+)*)(?:-|$)/.exec(tag)?.[1];
  return tag === found.tag || (version !== undefined && (version === line || isOfLine(line, version)));
}
