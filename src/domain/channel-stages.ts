import semver from 'semver';
import { formatMinute } from './calendar.ts';
import type { Digest } from './digest.ts';
import type { Channel, Freeze } from './fleet/settings-channels.ts';
import { EMERGENCY, freezeAt } from './freeze.ts';
import { BACK, type Mark } from './marks.ts';
import { isOfLine } from './version.ts';

/** A release that a channel may come to. */
export interface StagedRelease {
  readonly version: string;
  readonly digest: Digest;
  /** RFC 3339. */
  readonly releasedAt: string;
  /** It fixes a critical vulnerability. */
  readonly critical: boolean;
  /** What became of gates after its release, by name; absent: not tried yet. */
  readonly gates: ReadonlyMap<string, { readonly passed: boolean; readonly message: string }>;
}

/** Everything that the stages of one image are decided from. */
export interface StageFacts {
  /** In their order; those without a condition move with each release and are not decided here. */
  readonly channels: readonly Channel[];
  readonly freezes: readonly Freeze[];
  /** Releases of the line up to the one in use, in any order. */
  readonly releases: readonly StagedRelease[];
  /** Version that each channel is at; absent for a channel that points nowhere. */
  readonly current: ReadonlyMap<string, string>;
  readonly quarantined: ReadonlySet<Digest>;
  /** The log of the image, oldest first. */
  readonly marks: readonly Mark[];
  /** RFC 3339. */
  readonly now: string;
}

/** Why a release is not in a channel yet. Times are RFC 3339, UTC. */
export type StageWait =
  | { readonly kind: 'soaking'; readonly until: string }
  | { readonly kind: 'approval'; readonly by?: readonly string[] }
  | { readonly kind: 'gate-open' | 'gate-failed'; readonly gate: string; readonly message?: string }
  | { readonly kind: 'frozen'; readonly until: string; readonly why: string }
  /** The stage before has not had it. */
  | { readonly kind: 'behind'; readonly channel: string };

export interface WaitingRelease {
  readonly release: StagedRelease;
  readonly waits: readonly StageWait[];
}

/** What is to become of one channel of one image. */
export interface StageDecision {
  readonly channel: string;
  /** Version that it is at now. */
  readonly current?: string;
  /** Where it is to move; absent when it stays. */
  readonly target?: StagedRelease;
  /** Newer releases than where it ends up, newest first, each with all that it waits for. */
  readonly waiting: readonly WaitingRelease[];
}

/** Whether a channel moves by stages, or with each release. */
export function isStaged({ afterSeconds, approval, gates }: Channel): boolean {
  return afterSeconds !== undefined || approval !== undefined || gates !== undefined;
}

/** The channels that a release moves at once: without a condition, and not frozen. */
export function channelsAtRelease(
  { channels, freezes }: { readonly channels: readonly Channel[]; readonly freezes: readonly Freeze[] },
  { critical, now }: { critical: boolean; now: string },
): readonly string[] {
  const free = channels.filter((channel) => !isStaged(channel));
  return free
    .filter(({ name }) => freezeAt(freezes, { channel: name, critical, now }) === undefined)
    .map(({ name }) => name);
}

/**
 * Where each channel has to be now. The newest release that has met all conditions of a channel wins: a newer one
 * that still waits does not make an older one wait again. Never backwards, never onto what is quarantined, never
 * onto what a rollback of this channel left behind. Pure: the same facts give the same answer.
 */
export function decideStages(facts: StageFacts): readonly StageDecision[] {
  const decided = new Map<string, string | undefined>();
  const decisions: StageDecision[] = [];
  for (const [index, channel] of facts.channels.entries()) {
    const decision = decideChannel(channel, facts.channels[index - 1], facts, decided);
    decided.set(channel.name, decision.target?.version ?? decision.current);
    decisions.push(decision);
  }
  return decisions;
}

function decideChannel(
  channel: Channel,
  before: Channel | undefined,
  facts: StageFacts,
  decided: ReadonlyMap<string, string | undefined>,
): StageDecision {
  const current = facts.current.get(channel.name);
  const known = { channel: channel.name, ...(current === undefined ? {} : { current }) };
  const left = leftBehind(channel.name, facts.marks);
  const newer = facts.releases
    .filter(({ digest }) => !facts.quarantined.has(digest))
    .filter(({ version }) => (current === undefined || semver.gt(version, current)) && !left(version))
    .sort((a, b) => semver.rcompare(a.version, b.version));
  const waiting: WaitingRelease[] = [];
  for (const release of newer) {
    const waits = waitsOf(release, channel, before, facts, decided);
    if (waits.length === 0) return { ...known, target: release, waiting };
    waiting.push({ release, waits });
  }
  return { ...known, waiting };
}

/**
 * What stands in the way of a person who moves one release to one channel by hand: soak times and the order of
 * stages are theirs to skip, an approval is theirs to give if they may; the rest takes an emergency.
 */
export function obstaclesFor(
  release: StagedRelease,
  channel: Channel,
  person: string,
  facts: StageFacts,
): readonly StageWait[] {
  const isTheirs = (wait: StageWait) =>
    wait.kind === 'soaking' || wait.kind === 'behind' || (wait.kind === 'approval' && mayApprove(wait, person));
  return waitsOf(release, channel, undefined, facts, new Map()).filter((wait) => !isTheirs(wait));
}

function waitsOf(
  release: StagedRelease,
  channel: Channel,
  before: Channel | undefined,
  facts: StageFacts,
  decided: ReadonlyMap<string, string | undefined>,
): readonly StageWait[] {
  const freeze = freezeAt(facts.freezes, { channel: channel.name, critical: release.critical, now: facts.now });
  // What moves with each release has no stage before it: it is here only after a freeze.
  const behind = before !== undefined && isStaged(channel) && !hasReached(decided.get(before.name), release.version);
  return [
    ...(behind ? [{ kind: 'behind', channel: before.name } as const] : soaking(release, channel, before, facts)),
    ...openGates(release, channel),
    ...(isApproved(release, channel, facts.marks) ? [] : [{ kind: 'approval', ...channel.approval } as const]),
    ...(freeze === undefined ? [] : [{ kind: 'frozen', until: freeze.until, why: freeze.why } as const]),
  ];
}

function hasReached(at: string | undefined, version: string): boolean {
  return at !== undefined && semver.gte(at, version);
}

/** Soaks since the stage before had it, or something newer; since its release, where no stage is before or no mark tells. */
function soaking(
  release: StagedRelease,
  { afterSeconds, afterCriticalSeconds }: Channel,
  before: Channel | undefined,
  { marks, now }: StageFacts,
): StageWait[] {
  const seconds = release.critical ? (afterCriticalSeconds ?? afterSeconds) : afterSeconds;
  if (seconds === undefined) return [];
  const arrived = marks.find((mark) => isMove(mark, before?.name) && hasReached(mark.version, release.version));
  const since = Math.max(Date.parse(release.releasedAt), Date.parse(arrived?.at ?? release.releasedAt));
  const until = since + seconds * 1000;
  return until <= Date.parse(now) ? [] : [{ kind: 'soaking', until: new Date(until).toISOString() }];
}

function openGates({ gates }: StagedRelease, channel: Channel): StageWait[] {
  return (channel.gates ?? []).flatMap((gate): StageWait[] => {
    const result = gates.get(gate);
    if (result === undefined) return [{ kind: 'gate-open', gate }];
    return result.passed ? [] : [{ kind: 'gate-failed', gate, message: result.message }];
  });
}

function isApproved({ version, digest }: StagedRelease, { name, approval }: Channel, marks: readonly Mark[]): boolean {
  if (approval === undefined) return true;
  return marks.some(
    (mark) =>
      mark.kind === 'approval' &&
      mark.note !== EMERGENCY &&
      mark.channel === name &&
      mark.version === version &&
      (mark.digest === undefined || mark.digest === digest) &&
      mayApprove(approval, mark.by),
  );
}

export function mayApprove({ by }: NonNullable<Channel['approval']>, person: string): boolean {
  return by === undefined || by.includes(person);
}

function isMove(mark: Mark, channel: string | undefined): boolean {
  return channel !== undefined && mark.kind === 'channel' && mark.channel === channel && mark.version !== undefined;
}

/** Versions that a rollback took a channel back over: they do not come again unless a person moves it there. */
function leftBehind(channel: string, marks: readonly Mark[]): (version: string) => boolean {
  let at: string | undefined;
  let left: { above: string; upTo: string } | undefined;
  for (const mark of marks.filter((each) => isMove(each, channel))) {
    const to = mark.version!;
    const isBack = at !== undefined && semver.lt(to, at);
    if (isBack && mark.note !== BACK) continue; // of a process that slept: it moved nothing
    if (isBack) left = { above: to, upTo: left && semver.gt(left.upTo, at!) ? left.upTo : at! };
    else if (left !== undefined) left = semver.gte(to, left.upTo) ? undefined : { ...left, above: to };
    at = to;
  }
  return (version) => left !== undefined && semver.gt(version, left.above) && semver.lte(version, left.upTo);
}

/** More releases than these between two stages are more than anybody asks about. */
const MAX_VERSIONS = 20;

/**
 * The versions that a channel may come to, newest first.
 * @param newest the one in use: nothing above it counts, perhaps since a rollback
 * @param oldest where the channels are; nothing up to the last of them counts. Empty: everything does
 */
export function versionsBetween(
  tags: readonly string[],
  { line, newest, oldest }: { line: string; newest: string; oldest: readonly string[] },
): readonly string[] {
  const last = semver.sort([...oldest])[0];
  return tags
    .filter((tag) => semver.valid(tag) === tag && semver.prerelease(tag) === null && isOfLine(line, tag))
    .filter((tag) => semver.lte(tag, newest))
    .filter((tag) => last === undefined || semver.gt(tag, last))
    .sort(semver.rcompare)
    .slice(0, MAX_VERSIONS);
}

/** What a release waits for, in one clause without a full stop. */
export function explainWait(wait: StageWait): string {
  switch (wait.kind) {
    case 'soaking':
      return `soaks until ${formatMinute(wait.until)}`;
    case 'approval':
      return `waits for an approval${wait.by === undefined ? '' : ` of ${wait.by.join(' or ')}`}`;
    case 'gate-open':
      return `waits for the gate ${wait.gate}${wait.message === undefined ? '' : `: ${wait.message}`}`;
    case 'gate-failed':
      return `failed the gate ${wait.gate}: ${wait.message}`;
    case 'frozen':
      return `is frozen out until ${formatMinute(wait.until)}: ${wait.why}`;
    case 'behind':
      return `comes after it was in ${wait.channel}`;
  }
}
