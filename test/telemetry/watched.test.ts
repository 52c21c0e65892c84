import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FactoryError } from '../../src/domain/errors.ts';
import type { Run, StepRecord } from '../../src/domain/run.ts';
import { createRedisLedger } from '../../src/ledger/redis.ts';
import { redisOptions } from '../../src/queue/connection.ts';
import type { Attestor } from '../../src/signer/signer.ts';
import { createProcessMetrics } from '../../src/telemetry/metrics.ts';
import { countRuns } from '../../src/telemetry/run-metrics.ts';
import { watchAttestor } from '../../src/telemetry/watched-attestor.ts';
import { watchLedger } from '../../src/telemetry/watched-ledger.ts';
import { readExposition } from '../support/exposition.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as const;
let redis: TestRedis;
let kept: ReturnType<typeof createRedisLedger>;

beforeAll(async () => {
  redis = await startRedis();
  kept = createRedisLedger({ connection: redisOptions({ url: redis.url }), prefix: 'test' });
});
afterAll(async () => {
  await kept?.close();
  await redis?.remove();
});

function watched() {
  const metrics = createProcessMetrics({ version: '1.0.0', dataDirectory: '.' });
  const ledger = watchLedger(kept, [countRuns(metrics)]);
  return { metrics, ledger, read: async () => readExposition(await metrics.registry.metrics()) };
}

function run(id: string): Run {
  const reasons: Run['reasons'] = [
    { kind: 'base-changed', name: 'debian', to: DIGEST, created: '2026-11-24T00:00:00.000Z' },
    { kind: 'requested', by: 'ada' },
  ];
  const startedAt = '2026-11-24T01:00:00.000Z';
  return { id, image: 'base', inputs: DIGEST, reasons, holds: [], platforms: ['linux/amd64'], startedAt, steps: [] };
}

describe('a ledger that is watched', () => {
  test('counts each run once, also when its end is written twice', async () => {
    const { ledger, read } = watched();
    await ledger.startRun(run('one'));
    const end = { outcome: 'released', endedAt: '2026-11-24T01:10:00.000Z' } as const;

    await ledger.finishRun('one', end);
    await ledger.finishRun('one', end); // its job was killed before it was done, and ran again
    await ledger.finishRun('nobody-knows', end);

    const scrape = await read();
    expect(scrape.sum('ingot_runs_total')).toBe(1);
    expect(scrape.value('ingot_runs_total', { outcome: 'released', reason: 'base-changed', image: 'base' })).toBe(1);
    expect(scrape.value('ingot_run_duration_seconds_sum', { outcome: 'released' })).toBe(600);
    expect(scrape.value('ingot_change_to_release_seconds_sum')).toBe(4200);
    expect(await ledger.run('one')).toMatchObject(end);
  });

  test('observes steps that were run, and none that were done before', async () => {
    const { ledger, read } = watched();
    await ledger.startRun(run('two'));
    const step = (name: string, more: Partial<StepRecord>): StepRecord => {
      return { name, state: 'done', startedAt: 1_000, external: false, ...more };
    };

    await ledger.recordStep('two', step('build', { platform: 'linux/amd64', state: 'running' }));
    await ledger.recordStep('two', step('build', { platform: 'linux/amd64', endedAt: 91_000 }));
    await ledger.recordStep('two', step('sign', { state: 'skipped', endedAt: 1_500 }));
    await ledger.recordStep('two', step('verify', { state: 'failed', endedAt: 1_500, error: 'no' }));

    const scrape = await read();
    const build = { step: 'build', platform: 'linux/amd64', result: 'done' };
    expect(scrape.value('ingot_step_duration_seconds_sum', build)).toBe(90);
    expect(scrape.value('ingot_step_duration_seconds_bucket', { ...build, le: '60' })).toBe(0);
    expect(scrape.value('ingot_step_duration_seconds_bucket', { ...build, le: '120' })).toBe(1);
    expect(scrape.value('ingot_step_duration_seconds_count', { step: 'verify', result: 'failed' })).toBe(1);
    expect(scrape.sum('ingot_step_duration_seconds_count')).toBe(2);
  });

  test('has the buckets that were asked for, and a first failure counts as an increase', async () => {
    const { read } = watched();

    const scrape = await read();

    expect(scrape.value('ingot_signature_verifications_total', { format: 'bundle', result: 'invalid' })).toBe(0);
    expect(scrape.value('ingot_run_duration_seconds_count', { outcome: 'failed' })).toBe(0);
    expect(scrape.value('ingot_data_size_bytes')).toBeGreaterThan(scrape.value('ingot_data_free_bytes')!);
    expect(scrape.value('process_start_time_seconds')).toBeGreaterThan(0);
  });
});

describe('an attestor that is watched', () => {
  const subject = { registry: 'r', repository: 'base', digest: DIGEST };
  const options = { createdAt: '2026-11-24T00:00:00Z' };
  const found = { digest: DIGEST, bundle: 'invalid', legacy: 'valid', attestations: [], problems: [] } as const;

  test('counts what is signed, what fails, and what is read back', async () => {
    const { metrics, read } = watched();
    let failure: Error | undefined;
    const sign = async () => {
      if (failure !== undefined) throw failure;
    };
    const attestor = watchAttestor({ sign, attest: sign, verify: async () => found } as Attestor, metrics);

    await attestor.sign(subject, options);
    await attestor.attest(subject, { predicateType: 'x', predicate: {} }, options);
    failure = new Error('the key is gone');
    await expect(attestor.sign(subject, options)).rejects.toThrow('the key is gone');
    failure = new FactoryError('cancelled', { code: 'cancelled' });
    await expect(attestor.sign(subject, options)).rejects.toThrow('cancelled');
    expect(await attestor.verify(subject)).toBe(found);

    const scrape = await read();
    expect(scrape.value('ingot_signatures_total', { kind: 'signature', result: 'done' })).toBe(1);
    expect(scrape.value('ingot_signatures_total', { kind: 'signature', result: 'failed' })).toBe(1);
    expect(scrape.value('ingot_signatures_total', { kind: 'attestation', result: 'done' })).toBe(1);
    expect(scrape.value('ingot_signature_verifications_total', { format: 'bundle', result: 'invalid' })).toBe(1);
    expect(scrape.value('ingot_signature_verifications_total', { format: 'legacy', result: 'valid' })).toBe(1);
  });
});
