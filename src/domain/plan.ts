import type { FleetFacts } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { decideHolds, type HoldContext, holdContext, isForRecipe, passesChildren } from './holds.ts';
import { type Inputs, RECIPE_VERSION, type ResolvedInput } from './inputs.ts';
import { type EntryLookup, findInput } from './plan-inputs.ts';
import type { Platform } from './platform.ts';
import { type Hold, type OfferedUpdate, type Reason, type Release, reasonsFor } from './staleness.ts';
import { newerNotes } from './track-notes.ts';

export type PlanState = 'fresh' | 'rebuild' | 'running' | 'held' | 'unknown';

/** What is to be done for one image, and why. */
export interface PlanEntry {
  readonly image: string;
  readonly state: PlanState;
  readonly reasons: readonly Reason[];
  readonly holds: readonly Hold[];
  /** For `unknown`: what could not be asked. */
  readonly unknown?: string;
  /** What could not be asked, and of what the last that is known was taken instead. */
  readonly doubts?: readonly string[];
  /** Absent while an input is not known. */
  readonly inputs?: Inputs;
  readonly release?: Release;
  /** What people may want to know and nothing follows from: a version beyond the range that is tracked. */
  readonly notes?: readonly string[];
}

/** Decides for each image of the fleet. Pure: the same facts give the same plan. */
export function planFleet(facts: FleetFacts): readonly PlanEntry[] {
  const entries = new Map<string, PlanEntry>();
  const context = holdContext(facts);
  for (const image of facts.images) {
    const notes = newerNotes(image, facts);
    const planned = planImage(image, facts, { entries, context });
    const entry = notes.length === 0 ? planned : { ...planned, notes };
    entries.set(image.name, entry);
    if (entry.state === 'rebuild' && isForRecipe(entry.reasons)) context.recipesStarted += 1;
  }
  return [...entries.values()];
}

interface Around {
  readonly entries: ReadonlyMap<string, PlanEntry>;
  readonly context: HoldContext;
}

function planImage(image: Image, facts: FleetFacts, { entries, context }: Around): PlanEntry {
  const asked = facts.releases.get(image.name) ?? { state: 'absent' };
  if (asked.state === 'unknown') return unknownEntry(image, asked.why);
  const release = asked.state === 'known' ? asked.value : undefined;
  const lookup: EntryLookup = (name) => usable(name, entries, facts);
  const found = image.inputs.map((input) => findInput(input, { image, facts, release, lookup }));
  const unknown = found.find((result) => result.unknown !== undefined)?.unknown;
  if (unknown !== undefined) return unknownEntry(image, unknown, release);
  const holds = found.flatMap((result) => result.hold ?? []);
  if (holds.length > 0) {
    const reasons: Reason[] = release === undefined ? [{ kind: 'never-released' }] : [];
    return { image: image.name, state: 'held', reasons, holds, ...(release && { release }) };
  }
  const doubts = [...new Set(found.flatMap((result) => result.doubt ?? []))];
  return decide(image, { release, inputs: found.flatMap((result) => result.resolved ?? []), doubts, context });
}

interface Found {
  readonly release: Release | undefined;
  readonly inputs: readonly ResolvedInput[];
  readonly doubts: readonly string[];
  readonly context: HoldContext;
}

function decide(image: Image, { release, inputs: resolved, doubts: asked, context }: Found): PlanEntry {
  const { facts } = context;
  const packages = facts.packages?.get(image.name);
  const offered = packages?.state === 'known' ? packages.value : [];
  const updates = offered.filter((update) => isWanted(update, image));
  const request = facts.requested?.get(image.name);
  const inputs = { ...toInputs(image, resolved, updates), ...(request && { requestedAt: request.at }) };
  const upgraded = new Set(updates.map(({ source }) => source));
  const reasons = reasonsFor(release, inputs, {
    requestedBy: request?.by,
    updates,
    fixable: facts.fixable?.get(image.name)?.filter(({ source }) => upgraded.has(source)),
    damage: facts.damage?.get(image.name),
  });
  const doubts = [...asked, ...(packages?.state === 'unknown' ? [packages.why] : [])];
  const entry = {
    ...{ image: image.name, reasons, inputs },
    ...(release && { release }),
    ...(doubts.length > 0 && { doubts }),
  };
  if (facts.runs.get(image.name) === 'running') return { ...entry, state: 'running', holds: [] };
  if (reasons.length === 0 && doubts.length > 0) {
    return { ...entry, state: 'unknown', holds: [], unknown: doubts.join('; ') };
  }
  if (reasons.length === 0) return { ...entry, state: 'fresh', holds: [] };
  const holds = decideHolds({ image, reasons, inputs, release, updates }, context);
  return { ...entry, state: holds.length > 0 ? 'held' : 'rebuild', holds };
}

function unknownEntry(image: Image, why: string, release?: Release): PlanEntry {
  const known = release === undefined ? {} : { release };
  return { image: image.name, state: 'unknown', reasons: [], holds: [], unknown: why, ...known };
}

/** Whether a child may be built on what is in use of this image, or has to wait for a newer release of it. */
function usable(name: string, entries: ReadonlyMap<string, PlanEntry>, facts: FleetFacts): ReturnType<EntryLookup> {
  const entry = entries.get(name);
  if (entry === undefined) return { unknown: `the fleet has no image ${name}` };
  const { state, release, holds } = entry;
  if (state === 'unknown') {
    const doubt = `nothing is decided for its parent ${name}: ${entry.unknown}`;
    return release?.inputs === undefined ? { unknown: doubt } : { release, doubt };
  }
  const goesOn = state === 'fresh' || (state === 'held' && passesChildren(holds));
  if (goesOn && release?.inputs !== undefined) return { release };
  return { waits: whyWaiting(entry, facts) };
}

function whyWaiting(parent: PlanEntry, facts: FleetFacts): string {
  const outcome = facts.runs.get(parent.image);
  if (outcome !== undefined && outcome !== 'running') return `its run ended as ${outcome}`;
  return parent.state === 'held' ? 'it waits itself' : 'it is being rebuilt';
}

/** A rendered image says what it upgrades; of an own Dockerfile nobody knows before it was tried. */
function isWanted({ name, security }: OfferedUpdate, { recipe }: Image): boolean {
  if (recipe.kind === 'own' || recipe.upgrade === 'all') return true;
  if (recipe.packages.includes(name) || recipe.install.includes(name)) return true;
  return recipe.upgrade === 'security' && security;
}

function toInputs(image: Image, inputs: readonly ResolvedInput[], updates: readonly OfferedUpdate[]): Inputs {
  const { name, platforms, definition } = image;
  const packages = versionsByPlatform(platforms, updates);
  return { image: name, recipe: RECIPE_VERSION, platforms, inputs, definition, ...(packages && { packages }) };
}

function versionsByPlatform(platforms: readonly Platform[], updates: readonly OfferedUpdate[]): Inputs['packages'] {
  if (updates.length === 0) return undefined;
  const versions = platforms.map((platform) => {
    const own = updates.filter((update) => update.platforms.includes(platform));
    return [platform, Object.fromEntries(own.map(({ name, to }) => [name, to]))] as const;
  });
  return Object.fromEntries(versions);
}
