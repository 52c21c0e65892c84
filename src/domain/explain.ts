import type { Digest } from './digest.ts';
import type { FleetFacts, Upstream } from './facts.ts';
import type { ResolvedInput } from './inputs.ts';
import type { PlanEntry } from './plan.ts';
import { explainHold, explainReason } from './reasons.ts';
import type { Run } from './run.ts';
import type { OfferedUpdate } from './staleness.ts';

/** Everything that is known about why an image is rebuilt or not. Times are RFC 3339. */
export interface Explanation {
  readonly image: string;
  readonly state: PlanEntry['state'];
  /** One sentence: what happens now and why. */
  readonly verdict: string;
  readonly release?: { readonly version: string; readonly digest: Digest; readonly created?: string };
  readonly inputs: readonly ExplainedInput[];
  readonly reasons: readonly string[];
  readonly holds: readonly string[];
  /** What could not be asked. */
  readonly doubts: readonly string[];
  /** Versions beyond what is tracked. */
  readonly notes: readonly string[];
  /** `undefined`: nobody asked the archives. */
  readonly updates?: readonly OfferedUpdate[];
  /** Newest first. */
  readonly attempts: readonly Attempt[];
}

export interface ExplainedInput {
  readonly name: string;
  readonly role: 'base' | 'input';
  /** In the release in use. */
  readonly before?: Digest;
  readonly now?: Digest;
  readonly changed: boolean;
  /** Where tags are tracked: that of the release in use, and the highest now. */
  readonly tagBefore?: string;
  readonly tag?: string;
  /** When upstream made what it is now, and when ingot saw it first. */
  readonly created?: string;
  readonly firstSeenAt?: string;
}

export interface Attempt {
  readonly id: string;
  readonly startedAt: string;
  readonly outcome: string;
  readonly version?: string;
  readonly summary?: string;
}

const ATTEMPTS = 5;

export function explainEntry(entry: PlanEntry, facts: FleetFacts): Explanation {
  const { image, state, release, reasons, holds, doubts = [], unknown, notes = [] } = entry;
  const packages = facts.packages?.get(image);
  const runs = facts.history?.get(image) ?? [];
  return {
    image,
    state,
    verdict: verdictOf(entry),
    ...(release && { release: { version: release.version, digest: release.digest, ...createdOf(release) } }),
    inputs: explainInputs(entry, facts),
    reasons: reasons.map(explainReason),
    holds: holds.map(explainHold),
    doubts: doubts.length === 0 && unknown !== undefined ? [unknown] : doubts,
    notes,
    ...(packages?.state === 'known' && { updates: packages.value }),
    attempts: runs.slice(0, ATTEMPTS).map(toAttempt),
  };
}

function createdOf({ created }: { readonly created?: string }) {
  return created === undefined ? {} : { created };
}

function verdictOf({ state, release, reasons, holds, unknown }: PlanEntry): string {
  const because = reasons.map(explainReason).join('; ');
  switch (state) {
    case 'fresh':
      return `not rebuilt, because nothing that decides the content of ${release?.version} has changed`;
    case 'unknown':
      return `not rebuilt, because nothing can be decided: ${unknown}`;
    case 'held':
      return `not rebuilt now: ${holds.map(explainHold).join('; ')}`;
    case 'running':
      return `being rebuilt, because ${because}`;
    case 'rebuild':
      return `rebuilt by the next run, because ${because}`;
  }
}

function explainInputs({ release, inputs, holds }: PlanEntry, facts: FleetFacts): ExplainedInput[] {
  const before = new Map((release?.inputs?.inputs ?? []).map((input) => [input.name, input]));
  const now = new Map((inputs?.inputs ?? []).map((input) => [input.name, input]));
  const held = holds.flatMap((hold) => ('name' in hold ? [hold.name] : []));
  return [...new Set([...now.keys(), ...before.keys(), ...held])].map((name) =>
    explainInput(name, before.get(name), now.get(name), upstreamOf(name, facts)),
  );
}

function upstreamOf(name: string, { upstreams }: FleetFacts): Upstream | undefined {
  const upstream = upstreams.get(name);
  return upstream?.state === 'known' ? upstream.value : undefined;
}

function explainInput(
  name: string,
  before: ResolvedInput | undefined,
  now: ResolvedInput | undefined,
  upstream: Upstream | undefined,
): ExplainedInput {
  const digest = now?.digest ?? upstream?.digest;
  const created = now?.created ?? upstream?.created;
  const firstSeenAt = upstream?.firstSeenAt;
  const tag = now?.tag ?? upstream?.tag;
  return {
    name,
    role: (now ?? before)?.role ?? 'input',
    ...(before && { before: before.digest }),
    ...(digest && { now: digest }),
    changed: before?.digest !== digest,
    ...(before?.tag && { tagBefore: before.tag }),
    ...(tag && { tag }),
    ...(created && { created }),
    ...(firstSeenAt && { firstSeenAt }),
  };
}

function toAttempt({ id, startedAt, outcome, version, summary }: Run): Attempt {
  const rest = { ...(version && { version }), ...(summary && { summary }) };
  return { id, startedAt, outcome: outcome ?? 'running', ...rest };
}
