import type { Digest } from '../domain/digest.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { RetentionSettings } from '../domain/fleet/settings-retention.ts';
import { candidateKey, type Inputs } from '../domain/inputs.ts';
import type { PruneDecision } from '../domain/prune/decision.ts';
import { decideMirror } from '../domain/prune/mirror.ts';
import { decideReleases, type ReleaseFact } from '../domain/prune/releases.ts';
import { decideStaging } from '../domain/prune/staging.ts';
import { subjectOfTag } from '../domain/prune/stored.ts';
import { repositoryOf } from '../domain/reference.ts';
import { parseUpstream } from '../domain/upstream.ts';
import { isVersionTag } from '../domain/version.ts';
import type { ImageStore, MirrorStore, PruneFacts } from './prune-facts.ts';
import type { FoundPin } from './prune-pins.ts';
import type { ReadRepository } from './prune-read.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';

/** One repository, and what is decided of what it holds. */
export interface PruneArea {
  readonly area: 'releases' | 'staging' | 'mirror';
  /** Absent for a mirror, which many images may use. */
  readonly image?: string;
  readonly repository: ReadRepository;
  /** Images whose runs take from here. */
  readonly users: readonly Image[];
  readonly decisions: readonly PruneDecision[];
  /** What stays whatever is decided of the rest. */
  readonly fixed: readonly Digest[];
  /** Keys of candidates of which nothing tells how old they are. */
  readonly undated?: readonly string[];
}

/** Clauses by digest, or by `repository:version` for pins that name no digest. */
type Needs = Map<string, string[]>;

/** Decides in the order of who needs whom: candidates, children before parents, then what was mirrored for them. */
export function decidePruning(facts: PruneFacts, retention: RetentionSettings, now: string): readonly PruneArea[] {
  const needs: Needs = new Map();
  for (const pin of facts.pins.pins) noteNeed(needs, keyOf(pin), `pinned by ${pin.where}`);
  const staging = facts.stores.map((store) => decideCandidates(store, facts, { retention, now, needs }));
  // The fleet has parents first
  const releases = facts.stores.toReversed().map((store) => decideImage(store, facts, { retention, now, needs }));
  const mirrors = facts.mirrors.map((mirror) => decideCopies(mirror, facts, needs));
  return [...releases.toReversed(), ...staging, ...mirrors];
}

interface Around {
  readonly retention: RetentionSettings;
  readonly now: string;
  readonly needs: Needs;
}

function noteNeed(needs: Needs, key: string | undefined, why: string): void {
  if (key !== undefined) needs.set(key, [...(needs.get(key) ?? []), why]);
}

function keyOf({ reference }: FoundPin): string | undefined {
  const { digest, tag } = reference;
  return digest ?? (tag && `${repositoryOf(reference)}:${tag}`);
}

/** Unknown is not absent: who cannot be asked may need anything. */
function unknowns({ pins, unread }: PruneFacts): readonly string[] {
  return [...unread, ...pins.unknown];
}

function decideCandidates({ image, staging, releases, records, busy }: ImageStore, facts: PruneFacts, around: Around) {
  const { retention, now, needs } = around;
  const groups = Map.groupBy(staging.tags.filter(keyOfTag), (tag) => keyOfTag(tag)!);
  const digestOf = new Map(
    [...staging.manifests.values()].flatMap(({ tags, digest }) => tags.map((tag) => [tag, digest])),
  );
  const candidates = [...groups].map(([key, tags]) => {
    const digests = [...new Set(tags.flatMap((tag) => digestOf.get(tag) ?? []))];
    return { key, digests, ...createdOf(digests, staging) };
  });
  const inUse = new Map<string, string>();
  for (const { digest, tags } of releasesIn(releases)) {
    const [channel] = tags;
    if (channel !== undefined) for (const each of records.get(digest) ?? []) inUse.set(candidateKey(each), channel);
  }
  const all = busy ? [`a run of ${image.name} is under way`] : facts.unread;
  const decisions = decideStaging({ candidates, inUse, all, seconds: retention.stagingSeconds, now });
  for (const { goes, roots, name } of decisions) {
    if (!goes)
      for (const base of basesOf(roots, staging)) noteNeed(needs, base, `${name} of ${image.name} is built on it`);
  }
  const covered = new Set(candidates.flatMap(({ digests }) => digests));
  const fixed = tagged(staging).filter((digest) => !covered.has(digest));
  const undated = candidates.flatMap(({ key, created }) => (created === undefined ? [key] : []));
  const users = [image];
  return { area: 'staging', image: image.name, repository: staging, users, decisions, fixed, undated } as const;
}

function keyOfTag(tag: string): string | undefined {
  return /^([0-9a-f]{32})-/.exec(tag)?.[1];
}

/** Its note, or the index that was assembled of it. */
function createdOf(digests: readonly Digest[], { manifests }: ReadRepository): { created?: string } {
  const times = digests.flatMap((digest) => {
    const { tags = [], manifest } = manifests.get(digest) ?? {};
    const says = tags.some((tag) => /^[0-9a-f]{32}-(note|index)$/.test(tag));
    return (says && manifest?.annotations?.[ANNOTATIONS.created]) || [];
  });
  const [created] = times.sort();
  return created === undefined ? {} : { created };
}

function basesOf(digests: readonly Digest[], { manifests }: ReadRepository): string[] {
  return digests.flatMap((digest) => manifests.get(digest)?.manifest.annotations?.[ANNOTATIONS.baseDigest] ?? []);
}

function decideImage(store: ImageStore, facts: PruneFacts, { retention, now, needs }: Around): PruneArea {
  const { image, releases: repository, marks, records, orphans } = store;
  const releases = releasesIn(repository);
  const users = usersAmong(facts, (each) => each.name === image.name || isBuiltOn(each, image.name));
  const all = [...unknowns(facts), ...underWay(users, facts)];
  const own = withVersions(needs, repositoryOf(repository.reference), releases);
  const { line } = image;
  const decisions = decideReleases({ line, releases, marks, needs: own, all, retention: retention.releases, now });
  for (const { goes, roots, name } of decisions) {
    if (goes) continue;
    for (const record of records.get(roots[0]!) ?? [])
      noteInputs(needs, record, `${image.name} ${name} is built on it`);
  }
  const covered = new Set(releases.map(({ digest }) => digest));
  const left = orphanDecision(orphans.digests, all);
  const leftover = new Set(left.flatMap(({ roots }) => roots));
  const fixed = tagged(repository).filter((digest) => {
    if (covered.has(digest) || leftover.has(digest)) return false;
    const tags = repository.manifests.get(digest)!.tags;
    // Attachments stay and go with what they are attached to
    return !tags.every(
      (tag) => repository.manifests.has(subjectOfTag(tag) ?? digest) && subjectOfTag(tag) !== undefined,
    );
  });
  return { area: 'releases', image: image.name, repository, users, decisions: [...decisions, ...left], fixed };
}

function orphanDecision(roots: readonly Digest[], all: readonly string[]): PruneDecision[] {
  if (roots.length === 0) return [];
  const why = all.length > 0 ? all : ['what they were attached to is gone'];
  return [{ name: 'leftovers', roots, goes: all.length === 0, why }];
}

function usersAmong({ stores }: PruneFacts, isUser: (image: Image) => boolean): readonly Image[] {
  return stores.map(({ image }) => image).filter(isUser);
}

function underWay(users: readonly Image[], { stores }: PruneFacts): string[] {
  const busy = new Set(stores.flatMap((store) => (store.busy ? [store.image.name] : [])));
  return users.filter(({ name }) => busy.has(name)).map(({ name }) => `a run of ${name} is under way`);
}

function isBuiltOn({ inputs }: Image, parent: string): boolean {
  return inputs.some(({ source }) => 'golden' in source && source.golden === parent);
}

function noteInputs(needs: Needs, { inputs }: Inputs, why: string): void {
  for (const { digest, platforms } of inputs) {
    for (const each of new Set([digest, ...Object.values(platforms)])) noteNeed(needs, each, why);
  }
}

/** Versions are named within one repository only. */
function withVersions(needs: Needs, repository: string, releases: readonly ReleaseFact[]): Needs {
  const versions = releases.flatMap((release) => release.versions);
  const named = versions.map((version) => [version, needs.get(`${repository}:${version}`) ?? []] as const);
  return new Map([...needs, ...named]);
}

/** Everything that has a version's tag. */
function releasesIn({ manifests }: ReadRepository): readonly ReleaseFact[] {
  return [...manifests.values()].flatMap(({ digest, tags, manifest }) => {
    const versions = tags.filter(isVersionTag);
    if (versions.length === 0) return [];
    const created = manifest.annotations?.[ANNOTATIONS.created];
    const others = tags.filter((tag) => !isVersionTag(tag));
    const ours = manifest.annotations?.[ANNOTATIONS.inputs] !== undefined;
    return [{ digest, platforms: childDigests(manifest), versions, tags: others, ours, ...(created && { created }) }];
  });
}

function decideCopies(mirror: MirrorStore, facts: PruneFacts, needs: Needs): PruneArea {
  const { repository, upstreams, current } = mirror;
  const digests = tagged(repository).filter((digest) =>
    repository.manifests.get(digest)!.tags.every((tag) => tag.startsWith('mirror-')),
  );
  const users = usersAmong(facts, (each) => usesAny(each, upstreams));
  const all = [
    ...unknowns(facts),
    ...underWay(users, facts),
    ...(current === undefined ? [`what ${upstreams.join(', ')} points to now could not be asked`] : []),
  ];
  const now = [...(current ?? [])].map(([digest, why]): [string, string[]] => [
    digest,
    [...(needs.get(digest) ?? []), why],
  ]);
  const decisions = decideMirror({ upstreams, mirrored: digests, needs: new Map([...needs, ...now]), all });
  const covered = new Set(digests);
  const fixed = tagged(repository).filter((digest) => !covered.has(digest));
  return { area: 'mirror', repository, users, decisions, fixed };
}

function usesAny({ inputs }: Image, upstreams: readonly string[]): boolean {
  const names = new Set(upstreams.map((name) => repositoryOf(parseUpstream(name))));
  return inputs.some(({ source }) => 'upstream' in source && names.has(repositoryOf(source.upstream)));
}

function tagged({ manifests }: ReadRepository): Digest[] {
  return [...manifests.values()].flatMap(({ digest, tags }) => (tags.length > 0 ? [digest] : []));
}
