import semver from 'semver';
import type { Digest } from '../digest.ts';
import { isOfLine } from '../version.ts';
import type { ImageChange, KnownDigest, LeaveReason, PinVersion } from './format.ts';

export type PinDecision =
  | { readonly kind: 'move'; readonly to: PinVersion }
  | { readonly kind: 'current' }
  | { readonly kind: 'leave'; readonly reason: LeaveReason; readonly message: string };

const VERSION = /^\d+(?:\.\d+){0,2}$/;

/**
 * Where one pin of an image moves. A version keeps its precision (`12.0.0` to `12.0.1`, `12.4` to `12.5`), a
 * channel its name; the digest moves when there was one, and none is added.
 */
export function decidePin(pin: PinVersion, given: ImageChange): PinDecision {
  const known = pin.digest === undefined ? undefined : given.known?.get(pin.digest);
  const change = quarantineOfPin(pin, given) === undefined ? given : { ...given, back: true };
  const tag = pin.tag === undefined ? { to: undefined } : decideTag(pin.tag, change);
  if ('kind' in tag) return tag;
  if (pin.digest === undefined) return withoutDigest(pin.tag, tag.to, change);
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

function decideTag(tag: string, change: ImageChange): { to: string } | PinDecision {
  const { line, version, channels = [], elsewhere = [], back = false } = change;
  if (channels.includes(tag)) return { to: tag };
  if (elsewhere.includes(tag)) {
    return leave('elsewhere', `${tag} is not at ${version}; a downstream with "channel: ${tag}" follows that channel`);
  }
  if (!VERSION.test(tag)) {
    return leave('unknown-tag', `"${tag}" is no version or channel of the image; name ${line} or ${version}`);
  }
  if (tag !== line && !isOfLine(line, tag)) {
    return leave(
      'other-line',
      `${tag} is not of the line ${line}, which ${version} is of; moving there is a person's choice`,
    );
  }
  const to = version.split('.').slice(0, tag.split('.').length).join('.');
  if (!back && isNewer(tag, to)) return leave('ahead', `${tag} is newer than the release ${version}`);
  return { to };
}

function withoutDigest(tag: string | undefined, to: string | undefined, { version, digest }: ImageChange): PinDecision {
  if (to !== tag) return { kind: 'move', to: { tag: to! } };
  if (tag === version) return { kind: 'current' };
  const name = tag === undefined ? 'without a tag it' : `"${tag}"`;
  return leave('floating', `${name} moves by itself and is no pin; write ${tag ?? version}@${digest} to have it kept`);
}

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

function isNewer(a: string, b: string): boolean {
  return semver.gt(semver.coerce(a)!, semver.coerce(b)!);
}

function leave(reason: LeaveReason, message: string): PinDecision {
  return { kind: 'leave', reason, message };
}
