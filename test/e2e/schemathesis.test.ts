import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FleetScene, startFleetScene } from '../support/fleet-scene.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { runSchemathesis, schemathesis } from '../support/schemathesis.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');
const WORD = schemathesis === undefined ? ' (skipped: set-up could not install schemathesis)' : '';

describe.skipIf(schemathesis === undefined)(`schemathesis${WORD}`, () => {
  let scene: FleetScene;
  let redis: TestRedis;
  let folder: string;
  let service: ServiceProcess;
  let token: string;

  beforeAll(async () => {
    scene = await startFleetScene();
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), 'ingot-schemathesis-'));
    const access = { listen: '127.0.0.1:0', requestsPerMinute: 1_000_000 };
    const factory = await scene.factory('schemathesis', { settings: { access } });
    await factory.publish('first');
    const data = join(folder, 'data');
    const options = { root: factory.root, data, redis: redis.url, ready: /serving acme/ };
    service = await startService(['serve', '--no-workers'], options);
    const env = { ...process.env, INGOT_DATA: data };
    const args = [CLI, '-C', factory.root, 'token', 'create', 'tester', '--role', 'admin'];
    token = (await promisify(execFile)(process.execPath, args, { env })).stdout.trim();
  });
  afterAll(async () => {
    await service?.stop();
    await redis?.remove();
    await scene?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('finds nothing in the API of a served fleet', async () => {
    const server = /listening on (\S+)/.exec(service.output())![1]!;

    const found = await runSchemathesis(server, token, { maxExamples: 15, seed: 1 });

    expect(`${found ?? ''}${errorsIn(service.output())}`).toBe('');
  });
});

/** What the service itself thought to be wrong. */
function errorsIn(output: string): string {
  return output
    .split('\n')
    .filter((line) => /^request \S+ failed/.test(line))
    .join('\n');
}
