import { describe, expect, test } from 'vitest';
import { type FleetFacts, readFleetFacts } from '../../src/telemetry/fleet-facts.ts';
import { fleetMetrics } from '../../src/telemetry/fleet-metrics.ts';
import { createFleetTeller, type TellerOptions } from '../../src/telemetry/fleet-teller.ts';
import { readExposition } from '../support/exposition.ts';
import { createFakeService } from '../support/fake-service.ts';
import { fleetFacts } from '../support/fleet-facts.ts';

const read = async (facts: FleetFacts | undefined) => readExposition(await fleetMetrics(facts));

describe('the metrics of a fleet', () => {
  test.each([
    ['ingot_fleet_up', {}, 1],
    ['ingot_fleet_info', { fleet: 'acme' }, 1],
    ['ingot_definitions_refused', {}, 1],
    ['ingot_fleet_paused', {}, 0],
    ['ingot_plan_timestamp_seconds', {}, Date.parse('2026-11-24T02:00:00Z') / 1000],
    ['ingot_images', { state: 'held' }, 1],
    ['ingot_images', { state: 'fresh' }, 1],
    ['ingot_images', { state: 'unknown' }, 0],
    ['ingot_image_stale', { image: 'base', reason: 'base-changed' }, 1],
    ['ingot_image_stale', { image: 'child' }, undefined],
    ['ingot_image_held', { image: 'base', hold: 'blocked' }, 1],
    ['ingot_image_consecutive_failures', { image: 'base' }, 4],
    ['ingot_image_consecutive_failures', { image: 'child' }, 0],
    ['ingot_image_fixable_vulnerabilities', { image: 'base', severity: 'critical' }, 2],
    // When it was seen, not when upstream says that it was made
    ['ingot_image_pending_change_timestamp_seconds', { image: 'base' }, Date.parse('2026-11-23T15:00:00Z') / 1000],
    ['ingot_image_pending_change_timestamp_seconds', { image: 'child' }, undefined],
    ['ingot_image_change_to_release_seconds', { image: 'base' }, 7200],
    ['ingot_image_freshness_breach_seconds', { image: 'base', goal: 'release' }, 7200],
    ['ingot_upstreams', { state: 'unknown' }, 1],
    ['ingot_queue_jobs', { queue: 'build-linux-amd64', state: 'waiting' }, 7],
    ['ingot_queue_workers', { queue: 'build-linux-amd64' }, 0],
    ['ingot_queue_workers', { queue: 'plan' }, undefined],
    ['ingot_queue_stalled_jobs', { queue: 'build-linux-amd64' }, 1],
    ['ingot_workers', { role: 'release' }, 0],
    ['ingot_budget_remaining_requests', { host: 'registry-1.docker.io', identity: 'anonymous' }, 0],
    ['ingot_budget_paused', { host: 'registry-1.docker.io' }, 1],
    ['ingot_webhooks_total', { dialect: 'harbor', outcome: 'accepted' }, 3],
    ['ingot_notifications_waiting', { channel: 'ops' }, 2],
  ])('%s %j is %s', async (name, labels, value) => {
    const scrape = await read(fleetFacts());

    expect(scrape.value(name, labels as Readonly<Record<string, string>>)).toBe(value);
  });

  test('say nothing of plans where there is none, so that nobody takes it for a new one', async () => {
    const scrape = await read(fleetFacts({ plan: undefined }));

    expect(scrape.value('ingot_plan_timestamp_seconds')).toBeUndefined();
    expect(scrape.value('ingot_fleet_up')).toBe(1);
  });

  test('are nothing but a zero when the fleet cannot be read', async () => {
    const scrape = await read(undefined);

    expect(scrape.samples).toEqual([{ name: 'ingot_fleet_up', labels: {}, value: 0 }]);
  });

  test('of 300 images are below 300 KiB', async () => {
    const [held] = fleetFacts().plan!.entries;
    const entries = Array.from({ length: 300 }, (_, index) => ({ ...held!, image: `an-image-${index}` }));

    const { text } = await read(fleetFacts({ plan: { at: '2026-11-24T02:00:00Z', entries } }));

    expect(text.length).toBeLessThan(300 * 1024);
  });

  test('escape what a label may hold', async () => {
    const name = 'a "quoted"\\name\nof two lines';
    const [channel] = fleetFacts().channels;

    const scrape = await read(fleetFacts({ channels: [{ ...channel!, name }] }));

    expect(scrape.value('ingot_notifications_waiting', { channel: name })).toBe(2);
  });
});

describe('who tells of a fleet', () => {
  const service = createFakeService();
  const sources = { service, lastPlan: async () => undefined };
  const teller = (options: Partial<TellerOptions>) =>
    createFleetTeller({ sources, isTeller: async () => true, waitMs: 50, keepMs: 0, now: () => 0, ...options });
  const upOf = async (tell: () => Promise<string>) => {
    const text = await tell();
    return text === '' ? undefined : readExposition(text).value('ingot_fleet_up');
  };

  test('asks the service, and never for a plan that would have to be made', async () => {
    const plan = () => Promise.reject(new Error('it was asked to plan'));

    await expect(readFleetFacts({ ...sources, service: { ...service, plan } })).resolves.toMatchObject({
      plan: undefined,
      fleet: { name: 'acme' },
    });
    expect(await upOf(teller({}))).toBe(1);
  });

  test('is silent when another process tells', async () => {
    expect(await upOf(teller({ isTeller: async () => false }))).toBeUndefined();
  });

  test('says so when nobody can be asked who tells, or that takes too long', async () => {
    const never = () => new Promise<boolean>(() => {});

    expect(await upOf(teller({ isTeller: () => Promise.reject(new Error('no Redis')) }))).toBe(0);
    expect(await upOf(teller({ isTeller: never }))).toBe(0);
  });

  test('begins no second question while the first has no answer', async () => {
    let asked = 0;
    const stuck = {
      ...service,
      queues: () => {
        asked += 1;
        return new Promise<never>(() => {});
      },
    };
    const tell = teller({ sources: { ...sources, service: stuck } });

    expect([await upOf(tell), await upOf(tell), await upOf(tell)]).toEqual([0, 0, 0]);
    expect(asked).toBe(1);
  });

  test('gives an answer again for a while', async () => {
    let asked = 0;
    let now = 0;
    const counting = {
      ...service,
      fleet: () => {
        asked += 1;
        return service.fleet();
      },
    };
    const tell = teller({ sources: { ...sources, service: counting }, keepMs: 5_000, now: () => now });

    await tell();
    now = 4_999;
    await tell();
    expect(asked).toBe(1);
    now = 5_000;
    await tell();
    expect(asked).toBe(2);
  });

  test('says so when the service fails, and tells again afterwards', async () => {
    const tell = teller({});
    service.failWith(new Error('no'));
    const failing = { ...sources, lastPlan: () => Promise.reject(new Error('no')) };

    expect(await upOf(teller({ sources: failing }))).toBe(0);
    expect(await upOf(tell)).toBe(1);
  });
});
