import { digestOf } from './digest.ts';
import { explainBreach, type FreshnessBreach } from './freshness-breaches.ts';
import type { PlanEntry } from './plan.ts';
import type { Run } from './run.ts';

export const PROBLEM_KINDS = [
  'blocked',
  'failing',
  'freshness',
  'pull-stuck',
  'definitions-refused',
  'disk-low',
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** From the least to the most. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Something that people have to know, for as long as it is so. */
export interface Problem {
  /** The same for as long as it is the same problem. */
  readonly key: string;
  readonly kind: ProblemKind;
  readonly severity: Severity;
  /** Absent: it is of the whole fleet. */
  readonly image?: string;
  /** Of a pull request. */
  readonly repository?: string;
  /** One line for people. */
  readonly reason: string;
  /** Problems of one group are told together. */
  readonly group: string;
  /** Where people see more, below the address of the service; or a whole address. */
  readonly link?: string;
}

/** A goal of freshness that an image does not keep now. */
export type RunningBreach = Pick<FreshnessBreach, 'image' | 'goal' | 'goalSeconds' | 'seconds'> &
  Partial<Pick<FreshnessBreach, 'upstream' | 'findings' | 'unseen' | 'why'>>;

/** A pull request that nobody merged for longer than it should take. */
export interface StuckPull {
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly url?: string;
  readonly image?: string;
  readonly days: number;
}

/** What problems are found in. What is absent was not asked about: nothing is said of it, nor that it is over. */
export interface ProblemFacts {
  /** Ended runs, newest first, by image. */
  readonly runs?: ReadonlyMap<string, readonly Run[]>;
  readonly failingAfter: number;
  readonly entries?: readonly PlanEntry[];
  /** What is wrong with the newest definitions, `undefined` in it: nothing. */
  readonly definitions?: { readonly refused: string | undefined };
  readonly freshness?: readonly RunningBreach[];
  /** `unasked`: names of repositories that could not be asked. */
  readonly pulls?: { readonly stuck: readonly StuckPull[]; readonly unasked: readonly string[] };
}

export interface Problems {
  readonly problems: readonly Problem[];
  /** Kinds that were asked about. */
  readonly asked: readonly ProblemKind[];
  /** Repositories that were not, though others were. */
  readonly unasked: readonly string[];
}

/** Every problem that there is, by what is known now. */
export function findProblems(facts: ProblemFacts): Problems {
  const { runs, entries, definitions, freshness, pulls } = facts;
  const found = [
    ...[...(runs ?? [])].flatMap(([image, history]) => ofRuns(image, history, facts.failingAfter)),
    ...(entries === undefined ? [] : diskLow(entries)),
    ...(definitions?.refused === undefined ? [] : [refused(definitions.refused)]),
    ...(freshness ?? []).map(breached),
    ...(pulls?.stuck ?? []).map(stuck),
  ];
  const asked: (ProblemKind | false)[] = [
    ...(runs === undefined ? [] : (['blocked', 'failing'] as const)),
    entries !== undefined && 'disk-low',
    definitions !== undefined && 'definitions-refused',
    freshness !== undefined && 'freshness',
    pulls !== undefined && 'pull-stuck',
  ];
  return { problems: found, asked: asked.filter((kind) => kind !== false), unasked: pulls?.unasked ?? [] };
}

/** Runs that were ended by people or by newer ones say nothing about the image. */
function ofRuns(image: string, history: readonly Run[], failingAfter: number): readonly Problem[] {
  const telling = history.filter(({ outcome }) => outcome && outcome !== 'cancelled' && outcome !== 'superseded');
  const [last] = telling;
  if (last === undefined) return [];
  const reason = last.summary ?? last.outcome!;
  const about = { image, reason, link: `/runs/${last.id}` };
  if (last.outcome === 'blocked') return [problem({ ...about, kind: 'blocked', severity: 'warning' })];
  const failures = telling.findIndex(({ outcome }) => outcome !== 'failed');
  const count = failures === -1 ? telling.length : failures;
  if (count < failingAfter) return [];
  return [problem({ ...about, kind: 'failing', severity: 'critical' })];
}

function diskLow(entries: readonly PlanEntry[]): readonly Problem[] {
  const hold = entries.flatMap(({ holds }) => holds).find(({ kind }) => kind === 'disk-low');
  if (hold?.kind !== 'disk-low') return [];
  const reason = `${gibibytes(hold.freeBytes)} are free where builds need ${gibibytes(hold.neededBytes)}`;
  return [{ key: 'disk-low', group: 'disk-low', kind: 'disk-low', severity: 'critical', reason, link: '/workers' }];
}

function refused(message: string): Problem {
  return problem({ kind: 'definitions-refused', severity: 'warning', reason: message.split('\n')[0]!, exact: message });
}

function breached(breach: RunningBreach): Problem {
  const { image, goal } = breach;
  const severity = goal === 'critical' ? 'critical' : 'warning';
  const reason = explainBreach(breach);
  const about = problem({ kind: 'freshness', severity, image, reason, link: `/images/${image}` });
  return { ...about, key: `freshness ${image} ${goal}` };
}

function stuck({ repository, number, title, url, image, days }: StuckPull): Problem {
  const reason = `pull request ${number} of ${repository} has been open for ${days} days: ${title}`;
  const about = { ...(image && { image }), ...(url && { link: url }) };
  const key = `pull-stuck ${repository} ${number}`;
  return { key, group: 'pull-stuck', kind: 'pull-stuck', severity: 'info', repository, reason, ...about };
}

/** A problem with another reason is another problem; with other numbers in it, it is the same. */
function problem({
  exact,
  ...about
}: Omit<Problem, 'key' | 'group'> & { readonly exact?: string | undefined }): Problem {
  const { kind, image, reason } = about;
  const form = digestOf(exact ?? formOf(reason, image)).slice('sha256:'.length, 'sha256:'.length + 16);
  return { ...about, key: [kind, image, form].filter(Boolean).join(' '), group: `${kind} ${form}` };
}

/** A reason without what differs from image to image: its name, digests, ids, numbers. */
function formOf(reason: string, image: string | undefined): string {
  const without = image === undefined ? reason : reason.replaceAll(image, '<image>');
  return without
    .replaceAll(/sha256:[0-9a-f]{8,64}/g, '<digest>')
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>')
    .replaceAll(/\d+(?:[.:]\d+)*/g, '<number>');
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
