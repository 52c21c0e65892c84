import type { Digest } from '../digest.ts';
import { isOfLine } from '../version.ts';
import { chooseRelease } from './choose-release.ts';
import type { EndedLine, ImageChange, KnownDigest, LeaveReason, PinVersion } from './format.ts';
import { DEFAULT_POLICY, explainUpdate, type PinPolicy } from './policy.ts';

export type PinDecision =
  /** `note`: what is special about it, in a sentence. */
  | { readonly kind: 'move'; readonly to: PinVersion; readonly note?: string }
  | { readonly kind: 'current' }
  | { readonly kind: 'leave'; readonly reason: LeaveReason; readonly message: string };

const VERSION = /^\d+(?:\.\d+){0,2}$/;

/**
 * Where one pin of an image moves. A version keeps its precision (`12.0.0` to `12.0.1`, `12.4` to `12.5`), a
 * channel its name; the digest moves when there was one, and none is added unless the policy pins what floats.
 */
export function decidePin(pin: PinVersion, change: ImageChange): PinDecision {
  const known = pin.digest === undefined ? undefined : change.known?.get(pin.digest);
  const pinned = known?.version ?? (pin.tag !== undefined && VERSION.test(pin.tag) ? pin.tag : undefined);
  const bad = quarantineOfPin(pin, change);
  const policy: PinPolicy = { ...DEFAULT_POLICY, ...change.policy };
  const facts = { pinned, known, leaving: bad !== undefined, policy };
  const ended = change.ended?.find(({ line }) => pinned !== undefined && isWithin(line, pinned));
  const decision = decideByPolicy(pin, facts, change);
  if (bad !== undefined) return leavingQuarantine(decision, pinned ?? pin.digest ?? 'it');
  return ended === undefined ? decision : atEndOfLife(decision, pinned!, ended);
}

interface Facts {
  readonly pinned: string | undefined;
  readonly known: KnownDigest | undefined;
  readonly leaving: boolean;
  readonly policy: PinPolicy;
}

function decideByPolicy(pin: PinVersion, facts: Facts, change: ImageChange): PinDecision {
  const { pinned, leaving, policy } = facts;
  const { update } = policy;
  const free = decideVersion(pin, facts, change);
  if (free.kind === 'current') return free;
  if (update === 'hold') return leave('held', `it is held; the release is ${change.version}`);
  if (update === 'minor' || (free.kind === 'leave' && free.reason !== 'other-line')) return free;
  const keepsTag = free.kind !== 'move' || free.to.tag === pin.tag;
  if (update === 'digest-only' && pin.digest === undefined && !keepsTag)
    return leave('outside-policy', `${explainUpdate(update)} keeps the tag ${pin.tag}, and there is no digest to move`);
  const choice = chooseRelease({ pinned, tag: pin.tag }, update, change, { leaving });
  if ('none' in choice) return free.kind === 'leave' ? free : leave('outside-policy', choice.none);
  const crosses = update === 'major' || typeof update === 'object';
  const decision = decideVersion(pin, facts, { ...change, ...choice.release }, { crosses });
  if (decision.kind !== 'current') return decision;
  // It has the newest that it may have, which is not the release.
  const name = pinned ?? pin.tag ?? 'it';
  return leave('outside-policy', `${explainUpdate(update)} keeps it on ${name}; the release is ${change.version}`);
}

/** Where a pin moves if it may have the release of the change. */
function decideVersion(
  pin: PinVersion,
  { known, leaving, policy, pinned }: Facts,
  given: ImageChange,
  { crosses = false } = {},
): PinDecision {
  // A line that holds the pin as well as the release, where both may differ.
  const line = crosses && pinned !== undefined && VERSION.test(pinned) ? pinned.split('.')[0]! : given.line;
  const change = { ...given, line, back: given.back === true || leaving };
  const tag = pin.tag === undefined ? { to: undefined } : decideTag(pin, change, policy);
  if ('kind' in tag) return tag;
  if (pin.digest === undefined) return withoutDigest(pin.tag, tag.to, change, policy);
  const problem = digestProblem(pin as { digest: Digest; tag?: string }, known, change);
  if (problem !== undefined) return problem;
  const digest = digestFor(pin.digest, known, change);
  if (digest === undefined) return leave('unsafe', `the release has no manifest for ${known?.platform}`);
  if (digest === pin.digest && tag.to === pin.tag) return { kind: 'current' };
  return { kind: 'move', to: { ...(tag.to === undefined ? {} : { tag: tag.to }), digest } };
}

/** The quarantined release that a pin names: by digest, by the release that its digest is of, or by version. */
export function quarantineOfPin<T extends { readonly digest: Digest; readonly version?: string }>(
  { tag, digest }: PinVersion,
  { known, quarantined }: Pick<ImageChange, 'known'> & { readonly quarantined?: readonly T[] },
): T | undefined {
  const version = (digest && known?.get(digest)?.version) ?? tag;
  return quarantined?.find((each) => each.digest === digest || (version !== undefined && each.version === version));
}

function leavingQuarantine(decision: PinDecision, pinned: string): PinDecision {
  if (decision.kind === 'move')
    return { ...decision, note: `${pinned} is quarantined, so that it does not stay there` };
  if (decision.kind === 'current') return decision;
  return leave('quarantined', `${pinned} is quarantined, and it cannot be moved: ${decision.message}`);
}

function atEndOfLife(decision: PinDecision, pinned: string, ended: EndedLine): PinDecision {
  const { line, date, why, successor } = ended;
  const next = successor === undefined ? '' : `; ${successor} takes its place`;
  const note = `${line} has not been rebuilt since ${date}${why === undefined ? '' : ` (${why})`}${next}`;
  if (decision.kind === 'move') return isWithin(line, decision.to.tag ?? line) ? { ...decision, note } : decision;
  if (decision.kind === 'leave' && decision.reason !== 'other-line') return decision;
  return leave('end-of-life', `${pinned} is past its end of life: ${note}`);
}

function decideTag(
  { tag = '', digest }: PinVersion,
  change: ImageChange,
  { float }: PinPolicy,
): { to: string } | PinDecision {
  const { line, version, channels = [], elsewhere = [], back = false } = change;
  if (channels.includes(tag)) return { to: tag };
  if (elsewhere.includes(tag)) {
    return leave('elsewhere', `${tag} is not at ${version}; a downstream with "channel: ${tag}" follows that channel`);
  }
  if (tag === 'latest' && float === 'pin') return { to: version };
  if (!VERSION.test(tag)) {
    const reason = tag === 'latest' && digest === undefined ? 'floating' : 'unknown-tag';
    return leave(reason, `"${tag}" is no version or channel of the image; name ${line} or ${version}`);
  }
  const isOwn = isWithin(line, tag);
  const to = version.split('.').slice(0, tag.split('.').length).join('.');
  if (!isOwn) {
    return leave(
      'other-line',
      `${tag} is not of the line ${line}, which ${version} is of; moving there is a person's choice`,
    );
  }
  if (!back && isNewer(tag, to)) return leave('ahead', `${tag} is newer than the release ${version}`);
  return { to };
}

function withoutDigest(
  tag: string | undefined,
  to: string | undefined,
  { version, digest }: ImageChange,
  { float }: PinPolicy,
): PinDecision {
  if (tag === version) return { kind: 'current' };
  const isVersion = tag !== undefined && /^\d+\.\d+\.\d+$/.test(tag);
  if (float === 'pin' && !isVersion) return { kind: 'move', to: { tag: to ?? version, digest }, note: FLOATED };
  if (to !== tag) return { kind: 'move', to: { tag: to! } };
  const name = tag === undefined ? 'without a tag it' : `"${tag}"`;
  return leave('floating', `${name} moves by itself and is no pin; write ${tag ?? version}@${digest} to have it kept`);
}

const FLOATED = 'it moved by itself; with a digest it stays until it is moved';

function digestProblem(
  { digest, tag }: { digest: Digest; tag?: string },
  found: KnownDigest | undefined,
  { known, digest: release, platforms = {}, line, version, back = false }: ImageChange,
): PinDecision | undefined {
  if (known === undefined || digest === release || Object.values(platforms).includes(digest)) return undefined;
  if (found === undefined) {
    // Beside a version of the line the digest is only a detail of it; alone it could be anything.
    if (tag !== undefined) return undefined;
    return leave('unknown-digest', 'the registry knows no release of this digest; add its version as a tag');
  }
  if (!isOfLine(line, found.version))
    return leave('other-line', `it is ${found.version}, which is not of the line ${line}`);
  return !back && isNewer(found.version, version)
    ? leave('ahead', `it is ${found.version}, newer than the release ${version}`)
    : undefined;
}

/** A pin on the manifest of a platform stays on that platform. */
function digestFor(
  pinned: Digest,
  known: KnownDigest | undefined,
  { digest, platforms = {} }: ImageChange,
): Digest | undefined {
  if (Object.values(platforms).includes(pinned)) return pinned;
  return known?.platform === undefined ? digest : platforms[known.platform];
}

function isWithin(line: string, version: string): boolean {
  return version === line || isOfLine(line, version);
}

/** Part by part: also `24.04` and other tags that semver refuses. */
function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number)) as [number[], number[]];
  const at = left.findIndex((part, index) => part !== (right[index] ?? 0));
  return at !== -1 && left[at]! > (right[at] ?? 0);
}

function leave(reason: LeaveReason, message: string): PinDecision {
  return { kind: 'leave', reason, message };
}
