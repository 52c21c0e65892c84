import { formatMinute } from './calendar.ts';
import { type Digest, digestOf } from './digest.ts';
import type { RolloutSettings } from './fleet/settings-rollout.ts';

/** One downstream, as far as one release has come there. */
export interface RolloutMember {
  /** `acme/shop` */
  readonly repository: string;
  /**
   * `wanted`: its pull request is to be opened, or moved on to this release. `open`, `merged`: it has this release.
   * `unknown`: it could not be asked. What takes no part (declined, taken over by somebody) is left out.
   */
  readonly state: 'wanted' | 'open' | 'merged' | 'unknown';
  /** Since when it has that; milliseconds since the epoch. Absent for pins that people moved. */
  readonly at?: number | undefined;
  /** Whether checks of the branch that it was merged into fail. */
  readonly isRed?: boolean | undefined;
}

export interface RolloutDecision {
  /** Why members wait that are wanted, by their place in the list. Others that are wanted are due. */
  readonly waits: ReadonlyMap<number, string>;
  /** When another look finds more; milliseconds since the epoch. Absent: when something else changes. */
  readonly nextAt?: number;
}

export interface RolloutFacts {
  readonly digest: Digest;
  /** It fixes a critical vulnerability. */
  readonly urgent: boolean;
  readonly now: number;
}

const LOOK_AGAIN_MS = 60_000;

/** Which downstreams are proposed a release now: canaries first, then by shares, each when the ones before have soaked. */
export function decideRollout(
  settings: RolloutSettings,
  members: readonly RolloutMember[],
  facts: RolloutFacts,
): RolloutDecision {
  const wanted = [...members.keys()].filter((index) => members[index]!.state === 'wanted');
  const stop = whyStopped(settings, members);
  if (stop !== undefined) return { waits: new Map(wanted.map((index) => [index, stop])) };
  if (facts.urgent && settings.critical === 'skip-soak') return { waits: new Map() };
  const waits = new Map<number, string>();
  let hold: Hold | undefined;
  for (const wave of wavesOf(settings, members, facts.digest)) {
    const inWave = wave.members.map((index) => members[index]!);
    if (hold !== undefined) {
      for (const index of wave.members) if (members[index]!.state === 'wanted') waits.set(index, hold.why);
    } else hold = holdAfter(wave.name, inWave, settings, facts);
  }
  return { waits, ...(waits.size > 0 && hold?.until !== undefined && { nextAt: hold.until }) };
}

interface Hold {
  readonly why: string;
  readonly until?: number;
}

/** What keeps the waves after one from their turn. */
function holdAfter(
  name: string,
  members: readonly RolloutMember[],
  { soak }: RolloutSettings,
  { now }: RolloutFacts,
): Hold | undefined {
  const unknown = members.find(({ state }) => state === 'unknown');
  if (unknown !== undefined && name === CANARIES)
    return { why: `waits for the canary ${unknown.repository}, which could not be asked` };
  const soakMs = soak * 1000;
  const latest = Math.max(0, ...members.map(({ state, at = 0 }) => (state === 'wanted' ? now : at)));
  const until = latest + soakMs;
  if (latest === 0 || (until <= now && !members.some(({ state }) => state === 'wanted'))) return undefined;
  const again = Math.max(until, now + LOOK_AGAIN_MS);
  return { why: `waits for ${name}, until ${formatMinute(new Date(again).toISOString())} at least`, until: again };
}

function whyStopped({ maxFailing }: RolloutSettings, members: readonly RolloutMember[]): string | undefined {
  const merged = members.filter(({ state }) => state === 'merged');
  const red = merged.filter(({ isRed }) => isRed).map(({ repository }) => repository);
  if (red.length <= maxFailing) return undefined;
  const named = [...red.slice(0, 3), ...(red.length > 3 ? ['…'] : [])].join(', ');
  const those = `checks fail in ${red.length} of ${merged.length} downstreams that merged it (${named})`;
  return `stopped: ${those}; it goes on when they pass, or after "ingot rollback"`;
}

const CANARIES = 'the canaries';

interface Wave {
  readonly name: string;
  readonly members: readonly number[];
}

/** The order of the rest is by chance, another one for each release, and the same at each look. */
function wavesOf({ canary, share }: RolloutSettings, members: readonly RolloutMember[], digest: Digest): Wave[] {
  const all = [...members.keys()];
  const isFirst = (index: number) => canary.some((name) => isCalled(members[index]!.repository, name));
  const lot = new Map(all.map((index) => [index, digestOf(`${digest} ${members[index]!.repository}`)]));
  const rest = all.filter((index) => !isFirst(index)).sort((a, b) => lot.get(a)!.localeCompare(lot.get(b)!));
  const waves: Wave[] = [{ name: CANARIES, members: all.filter(isFirst) }];
  let from = 0;
  for (const percent of [...share, 100]) {
    const to = Math.ceil((rest.length * percent) / 100);
    waves.push({ name: `the first ${percent}%`, members: rest.slice(from, to) });
    from = Math.max(from, to);
  }
  return waves.filter((wave) => wave.members.length > 0);
}

/** By the whole name, or by the end of it, as a path to a repository on this machine. */
export function isCalled(full: string, name: string): boolean {
  const bare = full.replace(/\.git$/, '').toLowerCase();
  const wanted = name.replace(/\.git$/, '').toLowerCase();
  return bare === wanted || bare.endsWith(`/${wanted}`);
}
