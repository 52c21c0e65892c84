import { matchesGlob } from './access/glob.ts';
import { digestOf } from './digest.ts';
import type { Image } from './fleet/model.ts';
import type { NotifyChannel, NotifyRoute, NotifySettings } from './fleet/settings-notify.ts';
import { type Problem, type Problems, SEVERITIES, type Severity } from './problems.ts';

/** What one channel is told. */
export interface Message {
  /** The same when the same is sent again. */
  readonly id: string;
  readonly channel: string;
  readonly state: 'problem' | 'recovered' | 'test';
  readonly kind: Problem['kind'] | 'test';
  readonly severity: Severity;
  readonly title: string;
  /** At most `MAX_LINES`: one problem a line. */
  readonly lines: readonly { readonly image?: string; readonly reason: string; readonly link?: string }[];
  /** Beyond those lines. */
  readonly more: number;
  readonly fleet: string;
  /** Of the definitions, for a channel that marks commits. */
  readonly commit?: string;
  /** RFC 3339. */
  readonly at: string;
}

/** A problem as it was first seen, and whom it was told to. */
export interface Seen {
  readonly problem: Problem;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Not found any more. */
  readonly goneSince?: number;
  /** Channels; of one that marks commits `channel@commit`, the newest last. */
  readonly told: readonly string[];
}

export interface Decision {
  readonly messages: readonly Message[];
  /** All that is to be remembered, by key of the problem. */
  readonly seen: ReadonlyMap<string, Seen>;
}

export interface Situation extends Problems {
  readonly seen: ReadonlyMap<string, Seen>;
  readonly images: readonly Pick<Image, 'name' | 'owners'>[];
  readonly settings: NotifySettings;
  readonly fleet: string;
  /** Of the definitions in use, and of newer ones that are refused; absent: they are from no repository. */
  readonly commits?: { readonly used?: string | undefined; readonly refused?: string | undefined };
  /** Where people reach the service; absent: no links. */
  readonly url?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const MAX_LINES = 30;
/** Of settling, the most that the first of a group waits. */
const MOST_SETTLES = 5;

/**
 * What to say to whom now. Each problem is told to each channel once, and once more when it is over; those of one group
 * together, when for a while no other has joined them. Said again after that moment: the same decision, nothing more.
 */
export function decideNotifications(situation: Situation): Decision {
  const seen = observe(situation);
  const messages = [...tellBegun(seen, situation), ...tellOver(seen, situation)];
  return { messages, seen };
}

function tellBegun(seen: Map<string, Seen>, situation: Situation): readonly Message[] {
  const lasting = [...seen.values()].filter(({ goneSince }) => goneSince === undefined);
  const settled = groupsOf(lasting, ({ since }) => since).filter((group) => isSettled(group, situation));
  return settled.flatMap(({ entries }) =>
    situation.settings.channels.flatMap((channel) => {
      const commit = channel.kind === 'status' ? commitOf(entries[0]!.problem, situation) : undefined;
      if (channel.kind === 'status' && commit === undefined) return [];
      const mark = commit === undefined ? channel.name : `${channel.name}@${commit}`;
      const fresh = entries.filter(({ problem, told }) => !told.includes(mark) && isFor(channel, problem, situation));
      for (const { problem } of fresh) {
        const entry = seen.get(problem.key)!;
        const others = entry.told.filter((each) => !isOf(channel.name, each));
        seen.set(problem.key, { ...entry, told: [...others, mark] });
      }
      return fresh.length === 0 ? [] : [compose('problem', { channel: channel.name, commit }, fresh, situation)];
    }),
  );
}

function tellOver(seen: Map<string, Seen>, situation: Situation): readonly Message[] {
  const gone = [...seen.values()].filter(({ goneSince }) => goneSince !== undefined);
  // Over before anybody heard of it
  for (const { problem, told } of gone) if (told.length === 0) seen.delete(problem.key);
  const heardOf = gone.filter(({ told }) => told.length > 0);
  const settled = groupsOf(heardOf, ({ goneSince }) => goneSince!).filter((group) => isSettled(group, situation));
  return settled.flatMap(({ entries }) => {
    for (const { problem } of entries) seen.delete(problem.key);
    return situation.settings.channels.flatMap(({ name }) => {
      const heard = entries.filter(({ told }) => told.some((mark) => isOf(name, mark)));
      const marks = Map.groupBy(heard, ({ told }) => told.find((mark) => isOf(name, mark))!);
      return [...marks].map(([mark, each]) => {
        const marked = mark === name ? undefined : mark.slice(name.length + 1);
        // A refused commit stays a bad one; what is over is said of the one that took its place
        const commit = each[0]!.problem.kind === 'definitions-refused' ? marked && situation.commits?.used : marked;
        return compose('recovered', { channel: name, commit }, each, situation);
      });
    });
  });
}

/** Names of channels have no `@`. */
function isOf(channel: string, mark: string): boolean {
  return mark === channel || mark.startsWith(`${channel}@`);
}

function commitOf({ kind }: Problem, { commits = {} }: Situation): string | undefined {
  return kind === 'definitions-refused' ? commits.refused : commits.used;
}

/** What was seen before, with what is found now. What was not asked about stays as it was. */
function observe(situation: Situation): Map<string, Seen> {
  const { problems, seen, now } = situation;
  const found = new Map(problems.map((problem) => [problem.key, problem]));
  const subjects = new Set(problems.map(subjectOf));
  const next = new Map<string, Seen>();
  for (const [key, entry] of seen) {
    const problem = found.get(key);
    const { goneSince, ...rest } = entry;
    if (problem !== undefined) next.set(key, { ...rest, problem });
    else if (!wasAsked(entry.problem, situation)) next.set(key, entry);
    else if (!isReplaced(entry.problem, subjects)) next.set(key, { ...rest, goneSince: goneSince ?? now });
  }
  for (const [key, problem] of found) if (!next.has(key)) next.set(key, { problem, since: now, told: [] });
  return next;
}

function wasAsked({ kind, repository }: Problem, { asked, unasked }: Situation): boolean {
  return asked.includes(kind) && !(repository !== undefined && unasked.includes(repository));
}

/** The same trouble for another reason: that one is told, not that this one is over. */
function isReplaced(problem: Problem, subjects: ReadonlySet<string>): boolean {
  return PROBLEMS_OF_STATE.includes(problem.kind) && subjects.has(subjectOf(problem));
}

/** Of which a subject has one at a time. */
const PROBLEMS_OF_STATE: readonly Problem['kind'][] = ['blocked', 'failing', 'definitions-refused'];

function subjectOf({ kind, image = '' }: Problem): string {
  return `${kind} ${image}`;
}

interface Group {
  readonly entries: readonly Seen[];
  readonly newest: number;
  readonly oldest: number;
}

function groupsOf(entries: readonly Seen[], timeOf: (entry: Seen) => number): readonly Group[] {
  return [...Map.groupBy(entries, ({ problem }) => problem.group).values()].map((group) => {
    const times = group.map(timeOf);
    const sorted = group.toSorted((a, b) => (a.problem.key < b.problem.key ? -1 : 1));
    return { entries: sorted, newest: Math.max(...times), oldest: Math.min(...times) };
  });
}

function isSettled({ newest, oldest }: Group, { now, settings }: Situation): boolean {
  const settleMs = settings.settleSeconds * 1000;
  return now - newest >= settleMs || now - oldest >= settleMs * MOST_SETTLES;
}

function isFor(
  { name: channel, kind }: NotifyChannel,
  problem: Problem,
  { settings: { routes }, images }: Situation,
): boolean {
  // A pull request elsewhere says nothing against a commit here
  if (kind === 'status' && problem.severity === 'info') return false;
  if (routes.length === 0) return true;
  const owners = images.find(({ name }) => name === problem.image)?.owners.map(({ team }) => team) ?? [];
  return routes.some((route) => route.to.includes(channel) && fits(route, problem, owners));
}

function fits({ owners, images, kinds, severity }: NotifyRoute, problem: Problem, teams: readonly string[]): boolean {
  const { image } = problem;
  if (owners !== undefined && !owners.some((owner) => teams.includes(owner))) return false;
  if (images !== undefined && !(image !== undefined && images.some((glob) => matchesGlob(glob, image)))) return false;
  if (kinds !== undefined && !kinds.includes(problem.kind)) return false;
  return severity === undefined || SEVERITIES.indexOf(problem.severity) >= SEVERITIES.indexOf(severity);
}

function compose(
  state: 'problem' | 'recovered',
  to: Pick<Message, 'channel'> & { readonly commit: string | undefined },
  entries: readonly Seen[],
  { fleet, url, now }: Situation,
): Message {
  const [{ problem: first }] = entries as [Seen];
  const lines = entries.slice(0, MAX_LINES).map(({ problem: { image, reason, link } }) => {
    const target = link === undefined || !link.startsWith('/') ? link : url && `${url}${link}`;
    return { ...(image && { image }), reason, ...(target && { link: target }) };
  });
  const { channel, commit } = to;
  const ways = commit === undefined ? [channel] : [channel, commit];
  const what = entries.map(({ problem, since }) => [problem.key, since]);
  return {
    id: `ingot-${digestOf(JSON.stringify([fleet, ...ways, state, what])).slice('sha256:'.length, 'sha256:'.length + 32)}`,
    ...{ channel, state, lines, fleet },
    ...(commit !== undefined && { commit }),
    ...{ kind: first.kind, severity: state === 'recovered' ? 'info' : first.severity },
    title: titleOf(state, entries),
    more: Math.max(0, entries.length - MAX_LINES),
    at: new Date(now).toISOString(),
  };
}

const WORDS: Readonly<Record<Problem['kind'], readonly [one: string, many: string]>> = {
  blocked: ['is blocked', 'are blocked'],
  failing: ['fails again and again', 'fail again and again'],
  freshness: ['is older than it may be', 'are older than they may be'],
  'pull-stuck': ['has a pull request that waits', 'have pull requests that wait'],
  'definitions-refused': ['the newest definitions are not used', 'the newest definitions are not used'],
  'disk-low': ['builds wait for disk space', 'builds wait for disk space'],
};

function titleOf(state: 'problem' | 'recovered', entries: readonly Seen[]): string {
  const [{ problem }] = entries as [Seen];
  const [one, many] = WORDS[problem.kind];
  const names = new Set(entries.flatMap(({ problem: { image } }) => image ?? []));
  const subject = names.size === 0 ? '' : names.size === 1 ? `${[...names][0]} ` : `${names.size} images `;
  const words = `${subject}${names.size > 1 ? many : one}`;
  return state === 'recovered' ? `over: ${words}` : words;
}

/** What `ingot notify test` sends. @param commit of the definitions, when they are in a repository */
export function testMessage(
  channel: string,
  fleet: string,
  { id, at, commit }: { id: string; at: string; commit?: string | undefined },
): Message {
  const lines = [{ reason: `somebody wanted to see whether notifications of ${fleet} arrive here` }];
  const about = { state: 'test', kind: 'test', severity: 'info', title: 'a test of ingot' } as const;
  return { id, channel, ...about, lines, more: 0, fleet, at, ...(commit && { commit }) };
}

const FIRST_RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 3600_000;
/** About a day of tries. */
export const MOST_ATTEMPTS = 30;

/** When to try again after so many attempts, in milliseconds; `undefined`: not any more. */
export function retryIn(attempts: number, retryAfterMs: number | undefined): number | undefined {
  if (attempts >= MOST_ATTEMPTS) return undefined;
  const backoff = Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS);
  return Math.max(backoff, Math.min(retryAfterMs ?? 0, 24 * LONGEST_RETRY_MS));
}
