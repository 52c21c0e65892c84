import { adoptionHold } from './adoption.ts';
import { endOfLifeHold } from './end-of-life.ts';
import type { FleetFacts } from './facts.ts';
import type { Image } from './fleet/model.ts';
import { freezeHold, isCritical } from './freeze.ts';
import { type Inputs, inputsDigest } from './inputs.ts';
import type { Mark } from './marks.ts';
import type { Run } from './run.ts';
import { type Hold, hasRoom, type OfferedUpdate, type Reason, type Release } from './staleness.ts';
import { upstreamName } from './upstream.ts';
import { opensAt } from './window.ts';

const HOUR = 3600_000;
const DAY = 24 * HOUR;

/** What the holds of one image are decided from. */
export interface Stale {
  readonly image: Image;
  readonly reasons: readonly Reason[];
  readonly inputs: Inputs;
  readonly release: Release | undefined;
  readonly updates: readonly OfferedUpdate[];
}

export interface HoldContext {
  readonly facts: FleetFacts;
  /** When runs for a new recipe alone were started within a day, oldest first: milliseconds since the epoch. */
  readonly recipeRuns: readonly number[];
  /** Images that this plan already rebuilds for a new recipe alone. */
  recipesStarted: number;
}

/** What the holds of all images of a plan have in common. */
export function holdContext(facts: FleetFacts): HoldContext {
  const from = Date.parse(facts.now ?? '') - DAY;
  const started = [...(facts.history?.values() ?? [])]
    .flatMap((runs) => runs.filter(({ reasons }) => isForRecipe(reasons)))
    .map(({ startedAt }) => Date.parse(startedAt))
    .filter((time) => time > from)
    .sort((a, b) => a - b);
  return { facts, recipeRuns: started, recipesStarted: 0 };
}

/** Whether nothing but a new recipe makes an image stale. */
export function isForRecipe(reasons: readonly Reason[]): boolean {
  return reasons.length > 0 && reasons.every(({ kind }) => kind === 'recipe-changed');
}

/** Why a stale image is not rebuilt now; all that hold, in the order in which a person would mind them. */
export function decideHolds(stale: Stale, context: HoldContext): readonly Hold[] {
  return [
    ...paused(stale, context.facts),
    ...endOfLife(stale, context.facts),
    ...frozen(stale, context.facts),
    ...notAdopted(stale, context.facts),
    ...quarantined(stale, context.facts),
    ...withoutEffect(stale),
    ...blocked(stale, context.facts),
    ...cancelled(stale, context.facts),
    ...backingOff(stale, context.facts),
    ...settling(stale, context.facts),
    ...outsideWindow(stale, context.facts),
    ...recipesSpent(stale, context),
    ...missingBuilders(stale, context.facts),
    ...diskLow(context.facts),
  ];
}

/**
 * Holds that may last: children go on with the release in use. With all others a newer release is to be expected
 * soon, and children wait for it.
 */
const LASTING: ReadonlySet<Hold['kind']> = new Set([
  'paused',
  'end-of-life',
  'frozen',
  'quarantined-result',
  'tag-withdrawn',
  'no-effect',
  'cancelled',
  'outside-window',
]);

export function passesChildren(holds: readonly Hold[]): boolean {
  return holds.some(({ kind }) => LASTING.has(kind));
}

function paused({ image }: Stale, { standing }: FleetFacts): Hold[] {
  const pause = standing?.get(image.name)?.paused;
  return pause === undefined ? [] : [{ kind: 'paused', ...pause }];
}

function endOfLife({ image }: Stale, { now }: FleetFacts): Hold[] {
  const hold = now === undefined ? undefined : endOfLifeHold(image, now);
  return hold === undefined ? [] : [hold];
}

function frozen({ image, reasons }: Stale, { now, freezes = [], standing }: FleetFacts): Hold[] {
  const marks = standing?.get(image.name)?.marks ?? [];
  const hold = now === undefined ? undefined : freezeHold(freezes, { reasons, marks, now });
  return hold === undefined ? [] : [hold];
}

function notAdopted({ image, release }: Stale, { standing }: FleetFacts): Hold[] {
  const hold = adoptionHold(image.line, release, standing?.get(image.name)?.marks ?? []);
  return hold === undefined ? [] : [hold];
}

function quarantined({ image, inputs }: Stale, { standing }: FleetFacts): Hold[] {
  const digest = inputsDigest(inputs);
  const found = standing?.get(image.name)?.quarantined.find((each) => each.inputs === digest);
  if (found === undefined) return [];
  const { digest: result, version, why } = found;
  return [{ kind: 'quarantined-result', digest: result, why, ...(version && { version }) }];
}

/** The release in use was already built for exactly these versions, and they are not in it. */
function withoutEffect({ reasons, release, updates }: Stale): Hold[] {
  const onlyPackages = reasons.every(({ kind }) => kind === 'package-updates' || kind === 'vulnerability-fixable');
  if (!onlyPackages || updates.length === 0) return [];
  const tried = release?.inputs?.packages ?? {};
  const isTried = ({ name, to, platforms }: OfferedUpdate) =>
    platforms.every((platform) => tried[platform]?.[name] === to);
  return updates.every(isTried) ? [{ kind: 'no-effect', updates }] : [];
}

function blocked({ image, inputs }: Stale, { history, verdictBasis, standing }: FleetFacts): Hold[] {
  const last = lastRun(image, history);
  if (last?.outcome !== 'blocked' || last.endedAt === undefined || last.inputs !== inputsDigest(inputs)) return [];
  const basis = verdictBasis?.get(image.name);
  if (basis === undefined || last.basis !== basis) return [];
  const marks = standing?.get(image.name)?.marks ?? [];
  if (marks.some((mark) => isPermission(mark) && mark.at > last.endedAt!)) return [];
  return [{ kind: 'blocked', at: last.endedAt, why: firstLine(last.summary) }];
}

/** A person may have lifted since what blocked it. */
function isPermission({ kind }: Mark): boolean {
  return kind === 'adopted' || kind === 'unquarantine';
}

function cancelled({ image, inputs, reasons }: Stale, { history }: FleetFacts): Hold[] {
  const last = lastRun(image, history);
  if (last?.cancelled === undefined || last.inputs !== inputsDigest(inputs)) return [];
  if (reasons.some(({ kind }) => kind === 'requested')) return [];
  const { by, at, reason } = last.cancelled;
  return [{ kind: 'cancelled', by, at, ...(reason && { why: reason }) }];
}

const LONGEST_WAIT = DAY;

/** 0, 0, 1, 2, 4 … hours after failures of the same inputs; at once when the inputs change (promise 7). */
function backingOff({ image, inputs }: Stale, { history, now }: FleetFacts): Hold[] {
  const digest = inputsDigest(inputs);
  const runs = (history?.get(image.name) ?? []).filter(({ outcome }) => outcome !== 'cancelled');
  const end = runs.findIndex((run) => run.inputs !== digest || run.outcome !== 'failed');
  const failed = end === -1 ? runs : runs.slice(0, end);
  const [last] = failed;
  if (now === undefined || last?.endedAt === undefined) return [];
  const wait = failed.length < 3 ? 0 : Math.min(2 ** (failed.length - 3) * HOUR, LONGEST_WAIT);
  const until = Date.parse(last.endedAt) + wait;
  if (until <= Date.parse(now)) return [];
  const summary = last.summary === undefined ? {} : { summary: firstLine(last.summary) };
  return [{ kind: 'backing-off', failures: failed.length, until: new Date(until).toISOString(), ...summary }];
}

/** Upstreams often push several times within minutes; a critical vulnerability with a fix does not wait for that. */
function settling({ image, reasons }: Stale, facts: FleetFacts): Hold[] {
  const { now, rebuild } = facts;
  if (now === undefined || rebuild === undefined || rebuild.settleSeconds === 0) return [];
  if (!reasons.every(maySettle) || isCritical(reasons)) return [];
  const changed = new Set(reasons.flatMap((reason) => ('name' in reason ? [reason.name] : [])));
  const seen = image.inputs.flatMap(({ source }) => {
    if ('golden' in source) return [];
    const name = upstreamName(source);
    const upstream = facts.upstreams.get(name);
    const at = upstream?.state === 'known' ? upstream.value.firstSeenAt : undefined;
    return changed.has(name) && at !== undefined ? [Date.parse(at)] : [];
  });
  if (seen.length === 0) return [];
  const until = Math.min(
    Math.max(...seen) + rebuild.settleSeconds * 1000,
    Math.min(...seen) + rebuild.maxWaitSeconds * 1000,
  );
  return until <= Date.parse(now) ? [] : [{ kind: 'settling', until: new Date(until).toISOString() }];
}

function maySettle({ kind }: Reason): boolean {
  return kind === 'base-changed' || kind === 'input-changed';
}

/** Night work: what machines noticed. What a person did, and the rest of a wave under way, goes on at once. */
function outsideWindow({ reasons }: Stale, { now, rebuild }: FleetFacts): Hold[] {
  if (now === undefined || rebuild?.window === undefined) return [];
  if (!reasons.every(isNightWork) || isCritical(reasons)) return [];
  const until = opensAt(rebuild.window, now);
  return until === undefined ? [] : [{ kind: 'outside-window', until }];
}

function isNightWork(reason: Reason): boolean {
  switch (reason.kind) {
    case 'base-changed':
    case 'input-changed':
      return !reason.name.startsWith('golden/');
    case 'package-updates':
    case 'vulnerability-fixable':
    case 'recipe-changed':
      return true;
    default:
      return false;
  }
}

/** A new recipe makes the whole fleet stale at once: so many a day, and no more (decisions 7). */
function recipesSpent({ reasons }: Stale, { facts, recipeRuns, recipesStarted }: HoldContext): Hold[] {
  const { now, rebuild } = facts;
  if (now === undefined || rebuild === undefined || !isForRecipe(reasons)) return [];
  if (recipeRuns.length + recipesStarted < rebuild.recipesPerDay) return [];
  const until = (recipeRuns[0] ?? Date.parse(now)) + DAY;
  return [{ kind: 'outside-window', until: new Date(until).toISOString() }];
}

function missingBuilders({ image }: Stale, { builders }: FleetFacts): Hold[] {
  return image.platforms.flatMap((platform) => {
    const readiness = builders.get(platform);
    if (readiness === undefined || readiness.ready) return [];
    return [{ kind: 'no-builder', platform, why: readiness.why, remedy: readiness.remedy }];
  });
}

function diskLow({ disk }: FleetFacts): Hold[] {
  return disk === undefined || hasRoom(disk) ? [] : [{ kind: 'disk-low', ...disk }];
}

function lastRun(image: Image, history: FleetFacts['history']): Run | undefined {
  return history?.get(image.name)?.[0];
}

function firstLine(text = ''): string {
  return text.split('\n')[0]!;
}
