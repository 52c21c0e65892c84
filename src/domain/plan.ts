import type { Digest } from './digest.ts';
import type { Image, ImageInput } from './fleet/model.ts';
import { epochOf, type Inputs, RECIPE_VERSION, type ResolvedInput } from './inputs.ts';
import type { Platform } from './platform.ts';
import { formatReference } from './reference.ts';
import type { Outcome } from './run.ts';
import { type Hold, type Reason, type Release, reasonsFor } from './staleness.ts';

/** An answer that may be "absent" or "could not be asked": never mixed up (promise 5). */
export type Known<T> =
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly why: string };

/** What an upstream reference points to now. */
export interface Upstream {
  readonly digest: Digest;
  readonly platforms: Readonly<Partial<Record<Platform, Digest>>>;
  readonly created?: string;
}

export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly why: string; readonly remedy: string };

/** Everything that a plan is computed from. */
export interface FleetFacts {
  /** Parents before children. */
  readonly images: readonly Image[];
  /** By full reference. */
  readonly upstreams: ReadonlyMap<string, Known<Upstream>>;
  /** By image name; absent means never released. */
  readonly releases: ReadonlyMap<string, Known<Release>>;
  /** Platforms that were asked about; a platform not asked about counts as ready. */
  readonly builders: ReadonlyMap<Platform, Readiness>;
  /** Images with a run under way, or ended in this cycle, and how. */
  readonly runs: ReadonlyMap<string, 'running' | Outcome>;
}

export type PlanState = 'fresh' | 'rebuild' | 'running' | 'held' | 'unknown';

/** What is to be done for one image, and why. */
export interface PlanEntry {
  readonly image: string;
  readonly state: PlanState;
  readonly reasons: readonly Reason[];
  readonly holds: readonly Hold[];
  /** For `unknown`: what could not be asked. */
  readonly unknown?: string;
  /** Absent while an input is not known. */
  readonly inputs?: Inputs;
  readonly release?: Release;
}

/** Decides for each image of the fleet. Pure: the same facts give the same plan. */
export function planFleet(facts: FleetFacts): readonly PlanEntry[] {
  const entries = new Map<string, PlanEntry>();
  for (const image of facts.images) entries.set(image.name, planImage(image, facts, entries));
  return [...entries.values()];
}

function planImage(image: Image, facts: FleetFacts, earlier: ReadonlyMap<string, PlanEntry>): PlanEntry {
  const asked = facts.releases.get(image.name) ?? { state: 'absent' };
  if (asked.state === 'unknown') return unknownEntry(image, asked.why);
  const release = asked.state === 'known' ? asked.value : undefined;
  const found = image.inputs.map((input) => resolveInput(input, image, facts, earlier));
  const unknown = found.find((result) => result.unknown !== undefined)?.unknown;
  if (unknown !== undefined) return unknownEntry(image, unknown, release);
  const holds = found.flatMap((result) => result.hold ?? []);
  const resolved = found.flatMap((result) => result.resolved ?? []);
  return decide(image, facts, release, { holds, ...(holds.length === 0 ? { inputs: toInputs(image, resolved) } : {}) });
}

function decide(
  image: Image,
  facts: FleetFacts,
  release: Release | undefined,
  found: { holds: readonly Hold[]; inputs?: Inputs },
): PlanEntry {
  const common = { image: image.name, ...(release === undefined ? {} : { release }) };
  const run = facts.runs.get(image.name);
  if (found.inputs === undefined) {
    const reasons: Reason[] = release === undefined ? [{ kind: 'never-released' }] : [];
    return { ...common, state: 'held', reasons, holds: found.holds };
  }
  const reasons = reasonsFor(release, found.inputs);
  const entry = { ...common, reasons, inputs: found.inputs };
  if (run === 'running') return { ...entry, state: 'running', holds: [] };
  if (reasons.length === 0) return { ...entry, state: 'fresh', holds: [] };
  const holds = missingBuilders(image, facts);
  return { ...entry, state: holds.length > 0 ? 'held' : 'rebuild', holds };
}

function unknownEntry(image: Image, why: string, release?: Release): PlanEntry {
  const known = release === undefined ? {} : { release };
  return { image: image.name, state: 'unknown', reasons: [], holds: [], unknown: why, ...known };
}

interface FoundInput {
  readonly resolved?: ResolvedInput;
  readonly hold?: Hold;
  readonly unknown?: string;
}

function resolveInput(
  input: ImageInput,
  image: Image,
  facts: FleetFacts,
  earlier: ReadonlyMap<string, PlanEntry>,
): FoundInput {
  if ('golden' in input.source) return resolveGolden(input, image, input.source.golden, facts, earlier);
  const name = formatReference(input.source.upstream);
  const upstream = facts.upstreams.get(name) ?? { state: 'unknown', why: `${name} was not asked about` };
  if (upstream.state === 'unknown') return { unknown: upstream.why };
  if (upstream.state === 'absent') return { unknown: `${name} does not exist in its registry` };
  return complete(image, { role: input.role, name, ...upstream.value });
}

function resolveGolden(
  input: ImageInput,
  image: Image,
  parent: string,
  facts: FleetFacts,
  earlier: ReadonlyMap<string, PlanEntry>,
): FoundInput {
  const entry = earlier.get(parent);
  if (entry === undefined) return { unknown: `the fleet has no image ${parent}` };
  if (entry.state === 'unknown') return { unknown: `nothing is decided for its parent ${parent}: ${entry.unknown}` };
  if (entry.state !== 'fresh') return { hold: { kind: 'waiting-for-parent', parent, why: whyWaiting(entry, facts) } };
  const { digest, platforms, version, inputs } = entry.release!;
  const created = new Date(epochOf(inputs!) * 1000).toISOString();
  return complete(image, { role: input.role, name: `golden/${parent}`, digest, platforms, version, created });
}

function whyWaiting(parent: PlanEntry, facts: FleetFacts): string {
  const outcome = facts.runs.get(parent.image);
  if (outcome !== undefined && outcome !== 'running') return `its run ended as ${outcome}`;
  return parent.state === 'held' ? 'it waits itself' : 'it is being rebuilt';
}

function complete(image: Image, resolved: ResolvedInput): FoundInput {
  const missing = image.platforms.filter((platform) => resolved.platforms[platform] === undefined);
  if (missing.length === 0) return { resolved };
  return { hold: { kind: 'waiting-for-platform', name: resolved.name, platforms: missing } };
}

function toInputs(image: Image, inputs: readonly ResolvedInput[]): Inputs {
  const { name, platforms, definition } = image;
  return { image: name, recipe: RECIPE_VERSION, platforms, inputs, definition };
}

function missingBuilders(image: Image, facts: FleetFacts): Hold[] {
  return image.platforms.flatMap((platform) => {
    const readiness = facts.builders.get(platform);
    return readiness === undefined || readiness.ready
      ? []
      : [{ kind: 'no-builder', platform, ...withoutReady(readiness) }];
  });
}

function withoutReady({ why, remedy }: { why: string; remedy: string }) {
  return { why, remedy };
}
