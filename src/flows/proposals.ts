import type { KnownDigest, PinVersion } from '../domain/bump/format.ts';
import { isStaged } from '../domain/channel-stages.ts';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Fleet, Image } from '../domain/fleet/model.ts';
import type { ImageContent } from '../domain/image-content.ts';
import type { Places } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { explainReason } from '../domain/reasons.ts';
import { atDigest, atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import { isCalled } from '../domain/rollout.ts';
import type { Release } from '../domain/staleness.ts';
import { standingOf } from '../domain/standing.ts';
import { isOfLine } from '../domain/version.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import type { FreshnessStore } from '../ledger/freshness.ts';
import type { ProposeEnd } from '../queue/dispatcher.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Registry } from '../registry/registry.ts';
import type { FolderRelease } from './folder-pins.ts';
import { noteProposed } from './freshness.ts';
import { readMarks } from './marks.ts';
import { adoptedUpstreams, createOlder, endedLines } from './pin-facts.ts';
import type { ProposeResult, ReleaseLookup, ReleaseToPropose } from './propose.ts';
import { type EverywhereEnd, proposeEverywhere } from './propose-everywhere.ts';
import { type ContentDeps, readContent } from './release-content.ts';
import { ANNOTATIONS, readTag } from './releases.ts';

export interface ProposerDeps extends ContentDeps {
  readonly fleet: Fleet;
  readonly places: Places;
  readonly now: () => Date;
  readonly downstreams: {
    list(signal: AbortSignal): Promise<readonly ForgeRepository[]>;
    /** The channel that a downstream follows; `undefined`: the line. */
    follows(downstream: ForgeRepository): string | undefined;
  };
  /** Absent: nobody keeps how long things take. */
  readonly freshness?: FreshnessStore | undefined;
  /** Told how long pull requests will take, before they begin. */
  readonly announce?: ((line: string) => void) | undefined;
}

export interface ProposeOptions {
  /** Says what would be done, and writes nothing. */
  readonly isDry?: boolean;
  /** A person asks for these downstreams: none waits for others. */
  readonly isAsked?: boolean;
}

/** Proposes the release in use of an image to every downstream. */
export function createProposer(deps: ProposerDeps, { isDry = false, isAsked = false }: ProposeOptions = {}) {
  return async (name: string, signal: AbortSignal): Promise<ProposeEnd> => {
    const image = deps.fleet.images.find((each) => each.name === name);
    if (image === undefined) throw new FactoryError(`${name} is no longer in the fleet`, { code: 'superseded' });
    const repository = deps.places.release(name);
    const lookup = createLookup(image, repository, deps, signal);
    const ends: EverywhereEnd[] = [];
    const all = await deps.downstreams.list(signal);
    const rollout = isAsked ? undefined : (image.rollout ?? deps.fleet.settings.rollout);
    const strangers = rollout?.canary.filter((canary) => !all.some((each) => isCalled(each.name, canary))) ?? [];
    for (const canary of strangers) deps.announce?.(`rollout names the canary ${canary}, which is no downstream`);
    for (const [tag, downstreams] of Map.groupBy(all, (each) => deps.downstreams.follows(each) ?? image.line)) {
      const release = await readTag(deps.registry, atTag(repository, tag), { signal });
      if (release === undefined) continue;
      const proposal = await toProposal(image, repository, release, deps, signal);
      const announce = (line: string) => deps.announce?.(`${name}: ${line}`);
      const request = { release: proposal, lookup, now: deps.now(), rollout, announce, isDry, signal };
      const end = await proposeEverywhere(downstreams, request);
      ends.push(end);
      if (isDry || deps.freshness === undefined) continue;
      const proposed = { image: name, digest: release.digest, results: end.results };
      await noteProposed(proposed, deps.freshness, deps.now().toISOString());
    }
    return toEnd(name, ends);
  };
}

function toEnd(image: string, ends: readonly EverywhereEnd[]): ProposeEnd {
  const forecasts = ends.flatMap((each) => each.forecasts);
  const times = ends.flatMap(({ nextAt }) => nextAt ?? []);
  return {
    image,
    results: ends.flatMap(({ results }) => results.map(toLine)),
    ...(forecasts.length > 0 && { forecasts }),
    ...(times.length > 0 && { nextAt: new Date(Math.min(...times)).toISOString() }),
  };
}

function toLine({ repository, base, action, number, title, message, stuck, troubles }: ProposeResult) {
  const about = { ...(number && { number }), ...(title && { title }), ...(message && { message }) };
  return {
    repository,
    ...(base && { base }),
    action,
    ...about,
    ...(stuck && { stuck }),
    ...(troubles && { troubles }),
  };
}

/** The releases in use of images that are wanted, for pins outside a forge. */
export async function findFolderReleases(
  deps: Pick<ProposerDeps, 'registry' | 'fleet' | 'places' | 'now'>,
  isWanted: (repository: string) => boolean,
  signal: AbortSignal,
): Promise<readonly FolderRelease[]> {
  const found: FolderRelease[] = [];
  for (const image of deps.fleet.images) {
    const repository = deps.places.release(image.name);
    if (!isWanted(repositoryOf(repository))) continue;
    const release = await readTag(deps.registry, atTag(repository, image.line), { signal });
    if (release === undefined) continue;
    const versions = await deps.registry.tags(repository, { signal });
    const proposal = await toProposal(image, repository, release, deps, signal);
    found.push({ ...proposal, versions, identify: createIdentify(image, repository, deps.registry, signal) });
  }
  return found;
}

async function toProposal(
  image: Image,
  repository: Reference,
  release: Release,
  { registry, fleet, now }: Pick<ProposerDeps, 'registry' | 'fleet' | 'now'>,
  signal: AbortSignal,
): Promise<ReleaseToPropose> {
  const stored = await registry.manifest(atDigest(repository, release.digest), { signal });
  const { annotations } = parseManifest(stored!.bytes, 'an index');
  const { version, digest, platforms } = release;
  const places = await placesOfChannels(repository, digest, { registry, fleet }, signal);
  const { quarantined } = standingOf(await readMarks(registry, repository, { signal }), new Date(0).toISOString());
  const reason = annotations?.[ANNOTATIONS.reason];
  const reasons = reason === undefined ? [explainReason({ kind: 'never-released' })] : reason.split('; ');
  return {
    image: image.name,
    repository: repositoryOf(repository),
    line: image.line,
    version,
    digest,
    platforms,
    ...places,
    reasons,
    urgent: release.urgent === true,
    deprecated: image.deprecated,
    quarantined,
    settings: fleet.settings.pins,
    adopts: adoptedUpstreams(image),
    ended: endedLines(image, now().toISOString()),
    older: createOlder(repository, registry, signal),
  };
}

/** Which channels are at a release. Where all move with each release, nothing has to be asked. */
async function placesOfChannels(
  repository: Reference,
  digest: Digest,
  { registry, fleet }: Pick<ProposerDeps, 'registry' | 'fleet'>,
  signal: AbortSignal,
): Promise<{ readonly channels: readonly string[]; readonly elsewhere: readonly string[] }> {
  const { channels, freezes } = fleet.settings;
  const names = channels.map(({ name }) => name);
  if (!channels.some(isStaged) && freezes.length === 0) return { channels: names, elsewhere: [] };
  const heads = await Promise.all(names.map((name) => registry.head(atTag(repository, name), { signal })));
  const isThere = (name: string) => heads[names.indexOf(name)]?.digest === digest;
  return { channels: names.filter(isThere), elsewhere: names.filter((name) => !isThere(name)) };
}

/** Answers about releases from the registry alone. */
function createLookup(image: Image, repository: Reference, deps: ProposerDeps, signal: AbortSignal): ReleaseLookup {
  const { registry } = deps;
  const identify = createIdentify(image, repository, registry, signal);
  const known = new Map<string, Promise<ImageContent | undefined>>();
  const read = async (version: string) => {
    const release = await readTag(registry, atTag(repository, version), { signal });
    return release && (await readContent(repository, release.platforms, deps, { signal }));
  };
  const versionOf = async ({ tag, digest }: PinVersion) =>
    digest === undefined ? tag : (await identify(digest))?.version;
  return {
    identify,
    async origin(pin) {
      const version = await versionOf(pin);
      const stored =
        version === undefined ? undefined : await registry.manifest(atTag(repository, version), { signal });
      if (stored === undefined) return undefined;
      const { annotations = {} } = parseManifest(stored.bytes, 'an index');
      return { source: annotations[ANNOTATIONS.source], revision: annotations[ANNOTATIONS.revision] };
    },
    /** Repositories mostly are on the same few releases, each of which is read once. */
    async content(pin) {
      const version = await versionOf(pin);
      if (version === undefined) return undefined;
      const content = known.get(version) ?? read(version);
      known.set(version, content);
      return content;
    },
  };
}

/** Each digest is asked once. */
function createIdentify(image: Image, repository: Reference, registry: Registry, signal: AbortSignal) {
  const known = new Map<Digest, Promise<KnownDigest | undefined>>();
  return (digest: Digest) => {
    const answer = known.get(digest) ?? identifyDigest(image, atDigest(repository, digest), registry, signal);
    known.set(digest, answer);
    return answer;
  };
}

/** Which release, or platform of one, a digest is; `undefined` for none. */
export async function identifyDigest(
  image: Image,
  reference: Reference,
  registry: Registry,
  signal: AbortSignal,
): Promise<KnownDigest | undefined> {
  const release = await readTag(registry, reference, { signal });
  if (release === undefined) return undefined;
  if (release.version !== '') return { version: release.version };
  return findPlatform(image, reference, registry, signal);
}

/** A manifest of one platform does not say which release it is of: the releases do, newest first. */
async function findPlatform(
  image: Image,
  reference: Reference,
  registry: Registry,
  signal: AbortSignal,
): Promise<KnownDigest | undefined> {
  const tags = (await registry.tags(reference, { signal })).filter((tag) => isOfLine(image.line, tag)).reverse();
  for (const tag of tags) {
    const release = await readTag(registry, atTag(reference, tag), { signal });
    const found = Object.entries(release?.platforms ?? {}).find(([, digest]) => digest === reference.digest);
    if (found !== undefined) return { version: release!.version, platform: found[0] as Platform };
  }
  return undefined;
}
