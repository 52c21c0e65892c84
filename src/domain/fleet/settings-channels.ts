import { z } from 'zod';
import { isDayOfCalendar } from '../calendar.ts';
import { Duration, Line } from './values.ts';

/** A moving tag beside those of the line. Without a condition it moves with each release, else as a later stage. */
export interface Channel {
  readonly name: string;
  /** Seconds that a release has been out before it comes here. */
  readonly afterSeconds?: number;
  /** The same for a release that fixes a critical vulnerability. Absent: no difference. */
  readonly afterCriticalSeconds?: number;
  /** A person has to approve each release. `by`: only these may. */
  readonly approval?: { readonly by?: readonly string[] };
  /** Names of gates (`when: after`) that have to have passed. */
  readonly gates?: readonly string[];
}

/** A stretch of time in which tags stay where they are. */
export interface Freeze {
  /** RFC 3339, UTC: the first moment. */
  readonly from: string;
  /** RFC 3339, UTC: the first moment after it. */
  readonly until: string;
  readonly why: string;
  /** Absent: everything; images are not even rebuilt. */
  readonly channels?: readonly string[];
  /** Fixes of critical vulnerabilities go on. */
  readonly allowCritical: boolean;
}

export const ChannelName = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, 'is no channel name; start with a small letter, as in stable');

const Names = z.array(Line.min(1, 'is empty')).min(1, 'is empty; name at least one');

const Yes = z.boolean().refine((value) => value, 'must be true; leave it out for "no"');

const Approval = z.union([Yes, z.strictObject({ by: Names })], {
  error: 'must be true, or { by: [names of those who may] }',
});

/** A channel as ingot.yaml writes it. */
export const ChannelFile = z
  .strictObject({
    name: ChannelName,
    after: Duration.optional(),
    afterCritical: Duration.optional(),
    approval: Approval.optional(),
    gates: Names.optional(),
  })
  .refine(({ after, afterCritical }) => after !== undefined || afterCritical === undefined, {
    message: 'means nothing without "after"',
    path: ['afterCritical'],
  })
  .transform(
    ({ name, after, afterCritical, approval, gates }): Channel => ({
      name,
      ...(after === undefined || after === 0 ? {} : { afterSeconds: after }),
      ...(afterCritical === undefined ? {} : { afterCriticalSeconds: afterCritical }),
      ...(approval === undefined ? {} : { approval: typeof approval === 'boolean' ? {} : approval }),
      ...(gates === undefined ? {} : { gates }),
    }),
  );

const DAY_MS = 86_400_000;

/** A day (UTC), or a time with its offset. */
const Moment = z
  .string({ error: 'must be a day or a time' })
  .regex(
    /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?$/,
    'is neither a day nor a time; write it as in 2026-12-20 or 2026-12-20T18:00+01:00',
  )
  .refine(isRealTime, { error: 'is no day of the calendar', abort: true });

function isRealTime(text: string): boolean {
  return !Number.isNaN(Date.parse(text)) && isDayOfCalendar(text);
}

export const FreezeFile = z
  .strictObject({
    from: Moment,
    until: Moment,
    why: Line.min(1, 'is empty'),
    channels: z.array(ChannelName).min(1, 'is empty; leave it out to freeze everything').optional(),
    allow: z.literal('critical').optional(),
  })
  .refine(({ from, until }) => endOf(until) > Date.parse(from), {
    message: 'ends before it begins',
    path: ['until'],
  })
  .transform(
    ({ from, until, why, channels, allow }): Freeze => ({
      from: new Date(Date.parse(from)).toISOString(),
      until: new Date(endOf(until)).toISOString(),
      why,
      ...(channels === undefined ? {} : { channels }),
      allowCritical: allow === 'critical',
    }),
  );

/** The last day belongs to the freeze. */
function endOf(moment: string): number {
  return Date.parse(moment) + (moment.length === 'YYYY-MM-DD'.length ? DAY_MS : 0);
}

/** What the channels, freezes and gates of one ingot.yaml get wrong together: where, what, and what to write. */
export function channelMistakes(settings: {
  readonly channels: readonly Channel[];
  readonly freezes: readonly Freeze[];
  readonly gates: readonly { readonly name: string; readonly when: 'before' | 'after' }[];
  readonly downstreams: readonly { readonly channel?: string | undefined }[];
}): { readonly at: readonly (string | number)[]; readonly message: string; readonly remedy: string }[] {
  const { channels, freezes, gates, downstreams } = settings;
  const names = channels.map(({ name }) => name);
  const after = gates.filter(({ when }) => when === 'after').map(({ name }) => name);
  const used = new Set(channels.flatMap((channel) => channel.gates ?? []));
  return [
    ...channels.flatMap(({ gates: needed = [] }, index) =>
      needed
        .filter((name) => !after.includes(name))
        .map((name) => ({
          at: ['channels', index, 'gates'],
          message: `there is no gate "${name}" with "when: after"`,
          remedy: after.length === 0 ? 'add it to "gates"' : `the fleet has ${after.join(', ')}`,
        })),
    ),
    ...downstreams.flatMap(({ channel }, index) =>
      channel === undefined || names.includes(channel)
        ? []
        : [
            {
              at: ['downstreams', index, 'channel'],
              message: `there is no channel "${channel}"`,
              remedy: names.length === 0 ? 'leave it out to follow the line' : `the fleet has ${names.join(', ')}`,
            },
          ],
    ),
    ...freezes.flatMap(({ channels: frozen = [] }, index) =>
      frozen
        .filter((name) => !names.includes(name))
        .map((name) => ({
          at: ['freezes', index, 'channels'],
          message: `there is no channel "${name}"`,
          remedy:
            names.length === 0 ? 'leave "channels" out to freeze everything' : `the fleet has ${names.join(', ')}`,
        })),
    ),
    ...gates.flatMap(({ name, when }, index) =>
      when === 'after' && !used.has(name)
        ? [
            {
              at: ['gates', index, 'when'],
              message: `no channel waits for the gate "${name}"`,
              remedy: `name it in a channel, as in { name: stable, gates: [${name}] }`,
            },
          ]
        : [],
    ),
  ];
}
