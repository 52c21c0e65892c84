import { type Digest, digestOf, isDigest, shortDigest } from './digest.ts';
import { FactoryError } from './errors.ts';
import type { FleetFacts, Upstream } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { nearestOf } from './fleet/nearest.ts';
import type { Platform } from './platform.ts';
import { explainReason } from './reasons.ts';
import { familiarReference, formatReference, parseReference, type Reference, repositoryOf } from './reference.ts';
import type { Reason } from './staleness.ts';

/** An upstream that is supposed to have moved. */
export interface Supposed {
  /** Full reference: `docker.io/library/debian:12`. */
  readonly name: string;
  /** Absent: any other digest than now. */
  readonly digest?: Digest;
}

/**
 * `debian:12-slim` or `debian:12-slim=sha256:…` as a person writes it.
 * @throws FactoryError `usage` when it is no reference or digest, or no image of the fleet uses it
 */
export function parseSupposed(text: string, images: readonly Image[]): Supposed {
  const at = text.lastIndexOf('=');
  const written = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw usage(`"${digest}" is no digest; write ${written}=sha256:… with 64 hex digits, or ${written} alone`);
  }
  const reference = parseReference(written);
  const [name, names] = [formatReference(reference), upstreamNames(images)];
  if (!names.includes(name)) throw unused(written, reference, images);
  return { name, ...(digest === undefined ? {} : { digest }) };
}

/** The upstreams that a fleet is built from, sorted. */
export function upstreamNames(images: readonly Image[]): string[] {
  const names = images.flatMap((image) => image.inputs.flatMap(upstreamName));
  return [...new Set(names)].sort();
}

function upstreamName({ source }: Image['inputs'][number]): string[] {
  return 'upstream' in source ? [formatReference(source.upstream)] : [];
}

function unused(written: string, reference: Reference, images: readonly Image[]): FactoryError<'usage'> {
  if (images.some(({ name }) => name === written || `golden/${name}` === written)) {
    return usage(`${written} is a golden image, not an upstream; "--image ${written}" shows what hangs on it`);
  }
  const upstreams = upstreamNames(images).map((name) => parseReference(name));
  const known = upstreams.map(familiarReference);
  const sameRepository = upstreams.find((upstream) => repositoryOf(upstream) === repositoryOf(reference));
  const nearest =
    nearestOf(familiarReference(reference), known) ?? (sameRepository && familiarReference(sameRepository));
  const hint = nearest === undefined ? `the fleet uses ${known.slice(0, 8).join(', ')}` : `did you mean "${nearest}"?`;
  return usage(`no image is built from ${written}; ${hint}`);
}

function usage(message: string): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage' });
}

/** What a reference would point to that nobody has seen yet: as many platforms as now, all with other content. */
export function inventUpstream({ name, digest }: Supposed, facts: FleetFacts): Upstream {
  const current = facts.upstreams.get(name);
  const now = current?.state === 'known' ? current.value : undefined;
  const platforms =
    now === undefined ? wantedPlatforms(name, facts.images) : (Object.keys(now.platforms) as Platform[]);
  const to = digest ?? digestOf(`supposed content of ${name} after ${now?.digest}`);
  return {
    digest: to,
    platforms: Object.fromEntries(platforms.map((platform) => [platform, digestOf(`${to} for ${platform}`)])),
  };
}

/** Every platform that an image wants of an upstream. */
export function wantedPlatforms(name: string, images: readonly Image[]): Platform[] {
  const users = images.filter((image) => image.inputs.flatMap(upstreamName).includes(name));
  return [...new Set(users.flatMap((image) => image.platforms))];
}

/** The same facts, but for where the upstreams point. */
export function supposeMoved(facts: FleetFacts, moved: ReadonlyMap<string, Upstream>): FleetFacts {
  const upstreams = new Map(facts.upstreams);
  for (const [name, value] of moved) upstreams.set(name, { state: 'known', value });
  return { ...facts, upstreams };
}

/** The images that use one of the upstreams, and all that are built on those. Images come parents first. */
export function reachOf(names: ReadonlySet<string>, images: readonly Image[]): ReadonlySet<string> {
  const reached = new Set<string>();
  for (const image of images) {
    const isReached = image.inputs.some(({ source }) =>
      'golden' in source ? reached.has(source.golden) : names.has(formatReference(source.upstream)),
    );
    if (isReached) reached.add(image.name);
  }
  return reached;
}

/** A reason in words, without digests that nobody will ever see. */
export function explainAhead(reason: Reason, invented: ReadonlySet<Digest>): string {
  const isMove = reason.kind === 'base-changed' || reason.kind === 'input-changed';
  if (!isMove || !invented.has(reason.to)) return explainReason(reason);
  const name = reason.name.startsWith('golden/') ? reason.name : familiarReference(parseReference(reason.name));
  const from = reason.from === undefined ? '' : ` from ${shortDigest(reason.from)}`;
  const to = reason.version === undefined ? '' : ` to ${reason.version}`;
  return `its ${reason.kind === 'base-changed' ? 'base' : 'input'} ${name} would move${to === '' ? from : to}`;
}
