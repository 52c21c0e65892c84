import { Counter, Gauge, Registry } from 'prom-client';
import { runningBreaches } from '../domain/freshness-breaches.ts';
import { type FleetFacts, failuresOf, fixableOf, newestLags, pendingSince, timestamp } from './fleet-facts.ts';

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number | undefined];

/** Puts a metric and its samples of now beside the others; `undefined` is no sample. */
type Add = (name: string, help: string, samples: readonly Sample[]) => void;

/**
 * What is told of the whole fleet, in the text format of Prometheus. Made anew for each scrape: what is gone since
 * leaves no series behind.
 */
export async function fleetMetrics(facts: FleetFacts | undefined): Promise<string> {
  const registry = new Registry();
  const add: Add = (name, help, samples) => addSamples(name, help, samples, registry);
  add('ingot_fleet_up', 'Whether the state of the fleet could be read; told by one process.', [[{}, facts ? 1 : 0]]);
  if (facts !== undefined) {
    addDefinitions(facts, add);
    addImages(facts, add);
    addFreshness(facts, add);
    addQueues(facts, add);
    addBudgets(facts, add);
    addMessages(facts, add);
  }
  return registry.metrics();
}

function addDefinitions({ fleet, plan }: FleetFacts, add: Add): void {
  add('ingot_fleet_info', 'Which fleet; always 1.', [[{ fleet: fleet.name }, 1]]);
  add('ingot_definitions_refused', 'Whether the newest definitions are not used for mistakes in them.', [
    [{}, fleet.refused === undefined ? 0 : 1],
  ]);
  add('ingot_definitions_checked_timestamp_seconds', 'When the source of the definitions was last asked.', [
    [{}, timestamp(fleet.checkedAt)],
  ]);
  add('ingot_fleet_paused', 'Whether the whole fleet is paused.', [[{}, fleet.paused === undefined ? 0 : 1]]);
  add('ingot_plan_timestamp_seconds', 'When the last plan was made.', [[{}, plan && timestamp(plan.at)]]);
}

const STATES = ['fresh', 'rebuild', 'running', 'held', 'unknown'] as const;

function addImages({ plan }: FleetFacts, add: Add): void {
  const entries = plan?.entries ?? [];
  const count = (state: string) => entries.filter((entry) => entry.state === state).length;
  add(
    'ingot_images',
    'Images by what the last plan says of them.',
    STATES.map((state) => [{ state }, count(state)]),
  );
  const stale = entries.filter(({ state }) => state !== 'fresh');
  const ofImage = (kinds: (entry: (typeof entries)[number]) => readonly string[], label: string): readonly Sample[] =>
    stale.flatMap((entry) =>
      [...new Set(kinds(entry))].map((kind): Sample => [{ image: entry.image, [label]: kind }, 1]),
    );
  add(
    'ingot_image_stale',
    'Images that are not up to date, and why; 1 as long as it is so.',
    ofImage(({ reasons }) => reasons.map(({ kind }) => kind), 'reason'),
  );
  add(
    'ingot_image_held',
    'Images that wait, and what for; 1 as long as it is so.',
    ofImage(({ holds }) => holds.map(({ kind }) => kind), 'hold'),
  );
  add(
    'ingot_image_consecutive_failures',
    'How often an image failed in a row with the same inputs.',
    entries.map((entry) => [{ image: entry.image }, failuresOf(entry)]),
  );
}

function addFreshness({ plan, upstreams, freshness }: FleetFacts, add: Add): void {
  const entries = plan?.entries ?? [];
  add(
    'ingot_image_fixable_vulnerabilities',
    'Vulnerabilities of the release in use that the archive has a fix for.',
    entries.flatMap((entry) =>
      [...fixableOf(entry)].map(([severity, count]): Sample => [{ image: entry.image, severity }, count]),
    ),
  );
  add(
    'ingot_image_pending_change_timestamp_seconds',
    'Since when an upstream of the image offers what its release does not have; absent when there is nothing.',
    entries.map((entry) => [{ image: entry.image }, pendingSince(entry, upstreams)]),
  );
  add(
    'ingot_image_change_to_release_seconds',
    "From an upstream's change to the newest release that contains it.",
    [...newestLags(freshness)].map(([image, seconds]) => [{ image }, seconds]),
  );
  add(
    'ingot_image_freshness_breach_seconds',
    'How long a change takes that does not keep a goal of freshness, as long as it is not released.',
    runningBreaches(freshness.breaches).map(({ image, goal, seconds }) => [{ image, goal }, seconds]),
  );
  const unknown = upstreams.filter((each) => each.unknown !== undefined).length;
  add('ingot_upstreams', 'Upstreams that are watched, by whether the last question was answered.', [
    [{ state: 'known' }, upstreams.length - unknown],
    [{ state: 'unknown' }, unknown],
  ]);
}

function addQueues({ queues, workers }: FleetFacts, add: Add): void {
  const of = (value: (queue: (typeof queues)[number]) => number | undefined): readonly Sample[] =>
    queues.map((queue) => [{ queue: queue.name }, value(queue)]);
  const states = ['waiting', 'delayed', 'running', 'blocked'] as const;
  add(
    'ingot_queue_jobs',
    'Jobs in queues; blocked: releases that wait for their platforms.',
    queues.flatMap((queue) => states.map((state): Sample => [{ queue: queue.name, state }, queue[state]])),
  );
  add(
    'ingot_queue_stalled_jobs',
    'Running jobs that no worker speaks of.',
    of(({ stalled }) => stalled),
  );
  add(
    'ingot_queue_oldest_job_timestamp_seconds',
    'Since when the oldest job waits; absent when none does.',
    of(({ oldest }) => (oldest === undefined ? undefined : timestamp(oldest))),
  );
  add(
    'ingot_queue_workers',
    'Workers that take jobs of the queue.',
    queues.flatMap(({ name, role, workers: able }): Sample[] =>
      role === 'scheduler' ? [] : [[{ queue: name }, able]],
    ),
  );
  const roles = ['build', 'release', 'propose'] as const;
  add(
    'ingot_workers',
    'Workers that are there, by role.',
    roles.map((role) => [{ role }, workers.filter((worker) => worker.roles.includes(role) && !worker.stopping).length]),
  );
}

function addBudgets({ budgets }: FleetFacts, add: Add): void {
  const of = (value: (budget: (typeof budgets)[number]) => number | undefined): readonly Sample[] =>
    budgets.map((budget) => {
      const { host, kind, identity } = budget;
      return [{ host, kind, identity }, value(budget)];
    });
  add(
    'ingot_budget_limit_requests',
    'How many requests a host allows in its window.',
    of(({ limit }) => limit),
  );
  add(
    'ingot_budget_remaining_requests',
    'How many of them are left.',
    of(({ remaining }) => remaining),
  );
  add(
    'ingot_budget_waiting_requests',
    'Requests that wait for the host, in all processes.',
    of(({ waiting }) => waiting),
  );
  add(
    'ingot_budget_paused',
    'Whether nothing is sent to the host for now, since it said so.',
    of(({ pausedUntil }) => (pausedUntil === undefined ? 0 : 1)),
  );
}

function addMessages({ hooks, channels }: FleetFacts, add: Add): void {
  add(
    'ingot_webhooks_total',
    'Webhooks that came in, by sender and by what became of them.',
    hooks.flatMap(({ dialect, counts }) =>
      Object.entries(counts).map(([outcome, count]): Sample => [{ dialect, outcome }, count]),
    ),
  );
  const of = (value: (channel: (typeof channels)[number]) => number): readonly Sample[] =>
    channels.map((channel) => [{ channel: channel.name }, value(channel)]);
  add(
    'ingot_notifications_sent_total',
    'Messages to people that were sent.',
    of(({ sent }) => sent),
  );
  add(
    'ingot_notifications_failed_total',
    'Messages that were given up.',
    of(({ failed }) => failed),
  );
  add(
    'ingot_notifications_waiting',
    'Messages that wait for another try.',
    of(({ waiting }) => waiting),
  );
}

function addSamples(name: string, help: string, samples: readonly Sample[], registry: Registry): void {
  const known = samples.filter((sample): sample is readonly [Labels, number] => sample[1] !== undefined);
  if (known.length === 0 && samples.every(([labels]) => Object.keys(labels).length === 0)) return; // it would be 0
  const labelNames = [...new Set(samples.flatMap(([labels]) => Object.keys(labels)))];
  const configuration = { name, help, labelNames, registers: [registry] };
  if (name.endsWith('_total')) {
    const counter = new Counter(configuration);
    for (const [labels, value] of known) counter.inc(labels, value);
    return;
  }
  const gauge = new Gauge(configuration);
  for (const [labels, value] of known) gauge.set(labels, value);
}
