import type { Fleet } from './fleet/model.ts';
import { sourceOf } from './fleet/sources.ts';
import { parseReference, type Reference, repositoryOf } from './reference.ts';
import { upstreamName } from './upstream.ts';

/** Who sends webhooks, by the last part of the address that they are sent to. */
export const HOOK_DIALECTS = [
  'acr',
  'cloudevents',
  'distribution',
  'docker-hub',
  'gitea',
  'github',
  'gitlab',
  'harbor',
  'quay',
  'zot',
] as const;
export type HookDialect = (typeof HOOK_DIALECTS)[number];

/** Something may have been pushed. Nothing of it is believed: the registry is asked. */
export interface ImageHint {
  /** `host[:port]/path` */
  readonly repository: string;
  /** Empty: any. */
  readonly tags: readonly string[];
  /** What tells one push from the next: a digest, a time. Absent: the sender does not say. */
  readonly mark?: string;
}

/** Something may have been pushed to a git repository. */
export interface SourceHint {
  /** All addresses that the forge knows it by. */
  readonly addresses: readonly string[];
  readonly branch: string;
  readonly mark?: string;
}

export interface Hints {
  readonly images: readonly ImageHint[];
  readonly sources: readonly SourceHint[];
}

export interface HookSettings {
  readonly secret: { readonly env: string } | { readonly file: string };
  /** `host[:port]` that pushes are of, in place of what the sender says or leaves out. */
  readonly registry?: string;
}

/** What became of a hook, or of one hint in it. */
export const HOOK_OUTCOMES = ['accepted', 'coalesced', 'unknown', 'refused', 'invalid'] as const;
export type HookOutcome = (typeof HOOK_OUTCOMES)[number];

export interface HookView {
  readonly dialect: HookDialect;
  /** Whether ingot.yaml names it. */
  readonly configured: boolean;
  /** Since the counts began. */
  readonly counts: Readonly<Record<HookOutcome, number>>;
  /** RFC 3339. */
  readonly lastAt?: string;
  /** Repositories that were hinted at and that no image uses, the most frequent ones first. */
  readonly unknown: readonly { readonly name: string; readonly count: number }[];
}

/** Names of the upstreams that a hint may be about: by their own name, or by where they are read from instead. */
export function upstreamsHinted({ images, settings }: Fleet, hint: ImageHint): readonly string[] {
  const hinted = normal(hint.repository);
  const names = images.flatMap(({ inputs }) =>
    inputs.flatMap(({ source }) => {
      if ('golden' in source || source.upstream.digest !== undefined) return []; // a digest does not move
      const places = [source.upstream, sourceOf(source.upstream, settings)];
      const isMeant = places.some((place) => repositoryOf(place) === hinted && hasTag(place, hint));
      return isMeant ? [upstreamName(source)] : [];
    }),
  );
  return [...new Set(names)].sort();
}

/** Of tracked tags any may be the next; an upstream without a tag means `latest`. */
function hasTag({ tag }: Reference, { tags }: ImageHint): boolean {
  return tags.length === 0 || tag === undefined || tags.includes(tag);
}

function normal(repository: string): string | undefined {
  try {
    return repositoryOf(parseReference(repository));
  } catch {
    return undefined; // no repository of ours has such a name
  }
}

/** @param source as `FleetSource` says it: `git+https://host/path#branch`, or a folder */
export function isSourceHinted(source: string, { addresses, branch }: SourceHint): boolean {
  const [, address, used] = /^git\+([^#]+)#(.+)$/.exec(source) ?? [];
  if (address === undefined || used !== branch) return false;
  const place = gitPlace(address);
  return addresses.some((each) => gitPlace(each) === place);
}

/** `https://git.acme.example/fleet.git`, `ssh://git@git.acme.example/fleet`, `git@git.acme.example:fleet.git`: one place. */
function gitPlace(address: string): string {
  const short = /^(?:[^@/]+@)?([^:/]+):(?!\/\/)(.+)$/.exec(address);
  const url = short === null ? URL.parse(address) : URL.parse(`ssh://${short[1]}/${short[2]}`);
  if (url === null) return address;
  const host = url.protocol.startsWith('http') ? url.host : url.hostname;
  const path = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '');
  return `${host}${path}`.toLowerCase();
}
