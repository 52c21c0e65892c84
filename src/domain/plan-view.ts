import type { Digest } from './digest.ts';
import type { Image, ImageInput } from './fleet/model.ts';
import { ancestorsOf, descendantsOf, parentsOf } from './graph.ts';
import type { PlanEntry } from './plan.ts';
import type { Platform } from './platform.ts';
import { explainHold } from './reasons.ts';
import { upstreamName } from './upstream.ts';
import type { Ahead } from './waves-ahead.ts';
import { explainAhead } from './what-if.ts';

/** What a plan says of one image, and what will come of it. */
export interface ViewedImage {
  readonly image: string;
  /** The golden image or upstream that it is built FROM; absent for one from scratch. */
  readonly base?: string;
  /** Golden images that it uses, its base first. */
  readonly parents: readonly string[];
  /** Upstreams that it uses, by full reference. */
  readonly upstreams: readonly string[];
  readonly platforms: readonly Platform[];
  readonly entry: PlanEntry;
  /** 1 is built first. Absent: nothing is to be built, or what holds it does not end by itself. */
  readonly wave?: number;
  /** Why it is stale, or will be when its turn comes, in words. */
  readonly because: readonly string[];
  /** What it waits for now, and when its turn comes, in words. */
  readonly waits: readonly string[];
}

/** Every image with its wave and its reasons in words, parents before children. */
export function viewPlan(
  images: readonly Image[],
  ahead: Ahead,
  invented: ReadonlySet<Digest>,
): readonly ViewedImage[] {
  const now = new Map(ahead.plan.map((entry) => [entry.image, entry]));
  const turns = new Map<string, { wave: number; entry: PlanEntry }>();
  for (const [index, wave] of ahead.waves.entries()) {
    for (const entry of wave) turns.set(entry.image, { wave: index + 1, entry });
  }
  const end = new Map(ahead.end.map((entry) => [entry.image, entry]));
  const unseen = new Set([...invented, ...ahead.invented]);
  return images.flatMap((image) => {
    const entry = now.get(image.name);
    if (entry === undefined) return [];
    const turn = turns.get(image.name);
    const reasons = entry.reasons.length > 0 ? entry.reasons : (turn?.entry.reasons ?? []);
    const upstreams = image.inputs.flatMap((input) => ('upstream' in input.source ? [nameOf(input)] : []));
    const base = image.inputs.find(({ role }) => role === 'base');
    return {
      image: image.name,
      ...(base && { base: nameOf(base) }),
      parents: parentsOf(image),
      upstreams,
      platforms: image.platforms,
      entry,
      ...(turn === undefined ? {} : { wave: turn.wave }),
      because: reasons.map((reason) => explainAhead(reason, unseen)),
      waits: [...new Set([...entry.holds, ...((turn?.entry ?? end.get(image.name))?.holds ?? [])].map(explainHold))],
    };
  });
}

function nameOf({ source }: ImageInput): string {
  return 'golden' in source ? source.golden : upstreamName(source);
}

/** The named images with all that they are built from and all that is built on them. */
export function relativesOf(names: readonly string[], images: readonly Image[]): ReadonlySet<string> {
  return new Set(names.flatMap((name) => [name, ...ancestorsOf(name, images), ...descendantsOf(name, images)]));
}

/** How many images are in which state, and what is ahead. */
export interface PlanSummary {
  readonly images: number;
  /** To be built now, or being built. */
  readonly now: number;
  /** Built later by itself: when a parent is released, or a time has come. */
  readonly later: number;
  /** Stale and held by something that does not end by itself. */
  readonly held: number;
  readonly fresh: number;
  readonly unknown: number;
  readonly waves: number;
  /** Builds of single platforms in all waves. */
  readonly builds: number;
}

export function summarise(views: readonly ViewedImage[]): PlanSummary {
  const count = (holds: (view: ViewedImage) => boolean) => views.filter(holds).length;
  const inWave = views.filter(({ wave }) => wave !== undefined);
  return {
    images: views.length,
    now: count(({ entry }) => entry.state === 'rebuild' || entry.state === 'running'),
    later: count(({ entry, wave }) => entry.state === 'held' && wave !== undefined),
    held: count(isStuck),
    fresh: count(needsNothing),
    unknown: count(({ entry }) => entry.state === 'unknown'),
    waves: new Set(inWave.map(({ wave }) => wave)).size,
    builds: inWave.reduce((sum, { platforms }) => sum + platforms.length, 0),
  };
}

/** Nothing is to be done, now or later. */
export function needsNothing({ entry, wave }: ViewedImage): boolean {
  return entry.state === 'fresh' && wave === undefined;
}

function isStuck({ entry, wave }: ViewedImage): boolean {
  return entry.state === 'held' && wave === undefined;
}
