import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { traceOfRun } from '../../src/telemetry/run-trace.ts';
import { type Scrape, scrape } from '../support/exposition.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { type ServiceScene, startServiceScene } from '../support/service-scene.ts';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');
const COLLECTOR_TOKEN = 'collector-credential-4711';

let scene: FleetScene;
let service: ServiceScene;
let receiver: OtlpReceiver;
let factory: TestFactory;
let serving: ServiceProcess;
let working: ServiceProcess;

beforeAll(async () => {
  scene = await startFleetScene();
  receiver = await startOtlpReceiver();
  service = await startServiceScene(scene, {
    env: {
      INGOT_LOG_FORMAT: 'json',
      INGOT_METRICS_LISTEN: '127.0.0.1:0',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${COLLECTOR_TOKEN}`,
    },
  });
  factory = await scene.factory('telemetry');
  await factory.publish('first');
  serving = await service.serve(factory, ['--listen', '127.0.0.1:0']);
  working = await service.worker(factory, 'all', []);
  await service.until(async () => (await service.versions(factory, 'child')).length === 1, 'child is released');
  await service.settled(factory, 'child');
  await service.until(
    async () => (await scrape(metricsOf(serving))).value('ingot_images', { state: 'fresh' }) === 2,
    'a plan finds nothing to do',
  );
});
afterAll(async () => {
  await service?.stop();
  await receiver?.close();
  await scene?.stop();
});

describe('the metrics of a served fleet', () => {
  test('tell of runs and steps where they were done, and of the fleet where it is planned', async () => {
    const [planner, worker] = [await scrape(metricsOf(serving)), await scrape(metricsOf(working))];

    const released = { outcome: 'released', reason: 'never-released' };
    expect(worker.value('ingot_runs_total', { ...released, image: 'base' })).toBe(1);
    expect(worker.value('ingot_runs_total', { ...released, image: 'child' })).toBe(1);
    expect(worker.value('ingot_step_duration_seconds_count', { step: 'build', platform: 'linux/arm64' })).toBe(2);
    expect(worker.value('ingot_run_duration_seconds_count', { outcome: 'released' })).toBe(2);
    expect(worker.value('ingot_signatures_total', { kind: 'signature', result: 'done' })).toBeGreaterThan(0);
    expect(worker.value('ingot_signature_verifications_total', { format: 'bundle', result: 'valid' })).toBeGreaterThan(
      0,
    );
    expect(worker.sum('ingot_registry_requests_total', { registry: scene.host, method: 'HEAD' })).toBeGreaterThan(0);
    expect(worker.sum('ingot_fleet_up')).toBe(0);
    expect(planner.value('ingot_fleet_up')).toBe(1);
    expect(planner.value('ingot_images', { state: 'fresh' })).toBe(2);
    expect(planner.value('ingot_workers', { role: 'build' })).toBe(1);
    expect(planner.value('ingot_queue_jobs', { queue: 'build-linux-arm64', state: 'waiting' })).toBe(0);
    expect(planner.value('ingot_plan_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 120);
    expect(planner.sum('ingot_registry_requests_total')).toBeGreaterThan(0);
    expect(planner.value('ingot_definitions_refused')).toBe(0);
  });

  test('have no digest, no run and no address of a person in a label', async () => {
    const scrapes = [await scrape(metricsOf(serving)), await scrape(metricsOf(working))];

    const labels = scrapes.flatMap(({ samples }) => samples.flatMap((each) => Object.values(each.labels)));
    expect(labels.filter((label) => /sha256|[0-9a-f]{32}|[0-9A-HJKMNP-TV-Z]{26}/.test(label))).toEqual([]);
    expect(scrapes.every(({ samples }) => samples.length < 1_000)).toBe(true);
  });

  test('are told of the fleet by one of two that plan, and by the other when that one stops', async () => {
    const second = await service.serve(factory, ['--listen', '127.0.0.1:0']);
    const before = [await scrape(metricsOf(serving)), await scrape(metricsOf(second))];

    await serving.stop();
    const after = await scrape(metricsOf(second));
    serving = second;

    expect(before.map((each) => each.value('ingot_fleet_up'))).toEqual([1, undefined]);
    expect(namesOfFleet(before[1]!)).toEqual([]);
    expect(after.value('ingot_fleet_up')).toBe(1);
    expect(namesOfFleet(after)).toEqual(
      expect.arrayContaining(['ingot_images', 'ingot_queue_jobs', 'ingot_upstreams']),
    );
  });

  test('are answered beside health, by workers as well', async () => {
    const address = metricsOf(working).replace('/metrics', '');

    const [live, ready] = [await fetch(`${address}/healthz`), await fetch(`${address}/readyz`)];

    expect([live.status, ready.status]).toEqual([200, 200]);
    expect(await ready.json()).toMatchObject({ checks: { redis: 'ok', definitions: 'ok', registry: 'ok' } });
  });
});

describe('the log of a served fleet', () => {
  test('is one object a line, with run, image and step', async () => {
    const lines = linesOf(working);

    const ended = lines.find(({ event, image }) => event === 'run.ended' && image === 'child');
    expect(ended).toMatchObject({ level: 'info', outcome: 'released', process: 'worker', version: '3.11.0' });
    expect(ended!.trace_id).toBe(traceOfRun(`${ended!.run}`).traceId);
    const steps = lines.filter(({ event, run }) => event === 'run.step' && run === ended!.run);
    expect(steps).toContainEqual(
      expect.objectContaining({ image: 'child', step: 'build', platform: 'linux/arm64', state: 'done' }),
    );
    expect(lines.every(({ time, message }) => !Number.isNaN(Date.parse(`${time}`)) && message !== '')).toBe(true);
  });

  test('has the id of each request, and no query', async () => {
    const id = 'asked-by-a-test';
    const server = `${linesOf(serving).find(({ message }) => /^listening on/.test(`${message}`))!.message}`.split(
      ' ',
    )[2];

    await fetch(`${server}/v1/images?token=hunter2hunter2`, { headers: { 'x-request-id': id } });

    await service.until(async () => linesOf(serving).some(({ request }) => request === id), 'the request is logged');
    const line = linesOf(serving).find(({ request }) => request === id);
    expect(line).toMatchObject({ event: 'request', method: 'GET', path: '/v1/images', status: 401 });
    expect(serving.output()).not.toContain('hunter2');
  });
});

describe('the traces of a served fleet', () => {
  test('are one a run: from who asked, through the queue, to each step of both processes', async () => {
    const server = `${linesOf(serving).find(({ message }) => /^listening on/.test(`${message}`))!.message}`.split(
      ' ',
    )[2];
    const data = join(service.folder, 'scheduler');
    const env = { ...process.env, INGOT_DATA: data, REDIS_URL: service.redis.url };
    const create = [CLI, 'token', 'create', 'ci', '--role', 'operator', '-C', factory.root];
    const { stdout: token } = await promisify(execFile)(process.execPath, create, { env });
    await factory.write({ 'images/child/context/app': 'another app\n' });
    serving.kill('SIGHUP');
    const answer = await fetch(`${server}/v1/rebuilds`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({ images: ['child'], reason: 'to see its trace' }),
    });
    const { runs } = (await answer.json()) as { runs: readonly { id: string }[] };
    const { traceId, spanId } = traceOfRun(runs[0]!.id);
    const ofRun = () => receiver.spans.filter((span) => span.traceId === traceId);

    await service.until(async () => ofRun().some((span) => span.spanId === spanId), 'the run is traced');
    await service.until(async () => ofRun().some(({ name }) => name === 'addFlow release'), 'who planned it told');

    const spans = ofRun();
    const root = spans.find((span) => span.spanId === spanId)!;
    expect(root).toMatchObject({ name: 'run child', parentId: '', service: 'ingot' });
    expect(spans).toContainEqual(expect.objectContaining({ name: 'request rebuild', kind: 2, parentId: spanId }));
    const names = spans.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['addFlow release', 'process build-linux-amd64', 'process release']));
    const build = spans.find(
      ({ name, attributes }) => name === 'step build' && attributes['ingot.platform'] === 'linux/arm64',
    );
    expect(pathOf(build!, spans)).toEqual([
      'step build',
      'process build-linux-arm64',
      'addNode build-linux-arm64',
      'addNode release',
      'addFlow release',
      'run child',
    ]);
    expect(new Set(spans.map(({ instance }) => instance)).size).toBe(2);
    expect(spans.filter(({ startedAt, endedAt }) => endedAt < startedAt)).toEqual([]);
  });

  test('have nothing of empty queues, and the secret of the collector only where it belongs', () => {
    const runless = receiver.spans.filter(
      (span) => /getNextJob|stalled|Stalled/.test(span.name) && span.parentId === '',
    );

    expect(runless).toEqual([]);
    expect(receiver.raw[0]!.headers.authorization).toBe(`Bearer ${COLLECTOR_TOKEN}`);
    expect(receiver.raw.some(({ body }) => body.includes(COLLECTOR_TOKEN))).toBe(false);
    expect(serving.output() + working.output()).not.toContain(COLLECTOR_TOKEN);
  });
});

test('a process whose address for metrics is taken says so, and what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as { port: number };

  const start = service.serve(factory, ['--listen', '127.0.0.1:0', '--metrics-listen', `127.0.0.1:${port}`]);

  await expect(start).rejects.toThrow(
    /cannot listen on 127.0.0.1:\d+: it is taken; choose another with --metrics-listen/,
  );
  taken.close();
});

function metricsOf(process: ServiceProcess): string {
  return `${linesOf(process).find(({ message }) => /^metrics at /.test(`${message}`))!.message}`.slice(
    'metrics at '.length,
  );
}

function linesOf(process: ServiceProcess): readonly Readonly<Record<string, unknown>>[] {
  const whole = process.output().split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Record<string, unknown>);
}

function namesOfFleet({ types }: Scrape): readonly string[] {
  return [...types.keys()]
    .filter((name) => /^ingot_(fleet|image|queue|plan|definitions|budget|upstream)/.test(name))
    .sort();
}

/** Names from a span up to the first of its trace. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): readonly string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentId);
  return [span.name, ...(parent === undefined ? [] : pathOf(parent, spans))];
}
