import { isStaged, type StagedRelease, type StageFacts, versionsBetween } from '../domain/channel-stages.ts';
import type { Image, Settings } from '../domain/fleet/model.ts';
import type { Channel } from '../domain/fleet/settings-channels.ts';
import { type Gate, gatesOf } from '../domain/fleet/settings-gates.ts';
import type { Mark } from '../domain/marks.ts';
import type { Places } from '../domain/places.ts';
import { atTag, type Reference } from '../domain/reference.ts';
import { standingOf } from '../domain/standing.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { readChannelTags } from './channel-tags.ts';
import { readGateResults } from './gates.ts';
import { readMarks } from './marks.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';

export interface StageFactsDeps {
  readonly registry: Registry;
  readonly places: Places;
  readonly settings: Settings;
  readonly now: () => Date;
}

/** A release, with what gates are told about it. */
export interface KnownRelease extends StagedRelease {
  readonly platforms: ReturnType<typeof childDigests>;
  readonly reasons: readonly string[];
}

export interface ImageStages extends StageFacts {
  readonly releases: readonly KnownRelease[];
}

/** Gates of the image that its channels may wait for. */
export function stageGates(image: Image, { gates }: Settings): readonly Gate[] {
  return gatesOf(gates, image.name, 'after');
}

/**
 * Whether a channel of the image may have to move: few requests, since most are at the newest release most of the time.
 */
export async function mayMove(
  image: Image,
  { registry, settings, places }: StageFactsDeps,
  call: Call,
): Promise<boolean> {
  if (!settings.channels.some(isStaged) && settings.freezes.length === 0) return false;
  const tags = [image.line, ...settings.channels.map(({ name }) => name)];
  const heads = await Promise.all(tags.map((tag) => registry.head(atTag(places.release(image.name), tag), call)));
  const line = heads[0];
  return line !== undefined && heads.some((head) => head?.digest !== line.digest);
}

/** What the stages of one image are decided from. */
export async function readStages(image: Image, deps: StageFactsDeps, call: Call): Promise<ImageStages> {
  const { registry, settings } = deps;
  const repository = deps.places.release(image.name);
  const tags = [image.line, ...settings.channels.map(({ name }) => name)];
  const marks = await readMarks(registry, repository, call);
  const positions = await readChannelTags(registry, repository, tags, marks, call);
  const current = [...positions].flatMap(([tag, { version }]) =>
    version && tag !== image.line ? [[tag, version] as const] : [],
  );
  const now = deps.now().toISOString();
  return {
    channels: settings.channels.map((channel) => withGatesOf(image, channel, settings)),
    freezes: settings.freezes,
    releases: await readReleases(
      image,
      repository,
      { newest: positions.get(image.line)?.version, current, marks },
      deps,
      call,
    ),
    current: new Map(current),
    quarantined: new Set(standingOf(marks, now).quarantined.map(({ digest }) => digest)),
    marks,
    now,
  };
}

/** A channel waits only for the gates that are for this image. */
function withGatesOf(image: Image, { gates, ...channel }: Channel, settings: Settings): Channel {
  const own = stageGates(image, settings).map(({ name }) => name);
  const left = gates?.filter((name) => own.includes(name)) ?? [];
  return left.length === 0 ? channel : { ...channel, gates: left };
}

interface Bounds {
  /** Version of the line's tag: nothing newer is in use, perhaps since a rollback. */
  readonly newest: string | undefined;
  readonly current: readonly (readonly [string, string])[];
  readonly marks: readonly Mark[];
}

async function readReleases(
  image: Image,
  repository: Reference,
  { newest, current }: Bounds,
  deps: StageFactsDeps,
  call: Call,
): Promise<readonly KnownRelease[]> {
  if (newest === undefined) return [];
  const oldest = current.length < deps.settings.channels.length ? [] : current.map(([, version]) => version);
  const tags = await deps.registry.tags(repository, call);
  const wanted = versionsBetween(tags, { line: image.line, newest, oldest });
  const gates = stageGates(image, deps.settings);
  const read = wanted.map((tag) => readStaged(atTag(repository, tag), gates, deps.registry, call));
  return (await Promise.all(read)).flat();
}

/** Only what ingot released itself, as the record of its inputs tells: what others made was checked by nobody. */
export async function readStaged(
  reference: Reference,
  gates: readonly Gate[],
  registry: Registry,
  call: Call,
): Promise<KnownRelease[]> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return [];
  const index = parseManifest(stored.bytes, 'a release');
  const { [ANNOTATIONS.version]: version, [ANNOTATIONS.created]: releasedAt } = index.annotations ?? {};
  if (version !== reference.tag || releasedAt === undefined || !index.annotations?.[ANNOTATIONS.inputs]) return [];
  const { digest } = stored.descriptor;
  const results =
    gates.length === 0 ? new Map() : await readGateResults(registry, { ...reference, digest }, gates, call);
  return [
    {
      ...{ version: reference.tag!, digest, releasedAt, gates: results, platforms: childDigests(index) },
      critical: index.annotations[ANNOTATIONS.urgency] === 'critical',
      reasons: index.annotations[ANNOTATIONS.reason]?.split('; ') ?? [],
    },
  ];
}
