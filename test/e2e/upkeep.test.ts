import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exitCodeOf } from '../../src/commands/run.ts';
import { runOnce } from '../../src/commands/run-once.ts';
import { planFleet } from '../../src/domain/plan.ts';
import { atDigest, atTag, parseReference } from '../../src/domain/reference.ts';
import { lookAtFacts } from '../../src/flows/gather.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { SILENT, withFleet } from '../support/run-fleet.ts';

const signal = new AbortController().signal;
let scene: FleetScene;
let factory: TestFactory;
let replica: string;

beforeAll(async () => {
  scene = await startFleetScene();
  replica = `${scene.host}/upkeep-replica`;
  factory = await scene.factory('upkeep', { only: 'base', settings: { replicas: [replica] } });
  await factory.publish('first');
});
afterAll(() => scene?.stop());

const cycle = () => withFleet(factory.root, (app) => runOnce(app, SILENT, signal));
const look = () => withFleet(factory.root, async (app) => planFleet(await lookAtFacts(app.cycle, signal)));
const inUse = async () => (await scene.registry.head(atTag(factory.repository('base'), '12')))!.digest;

test('a release is at its replica, with its signature, at the end of the cycle', async () => {
  const { replicas } = await cycle();

  const there = parseReference(`${replica}/base`);
  expect(replicas).toMatchObject([{ replica, copied: [{ image: 'base', version: '12.0.0' }], problems: [] }]);
  expect((await scene.registry.head(atTag(there, '12')))?.digest).toBe(await inUse());
  await withFleet(factory.root, async ({ attestor }) => {
    const verification = await attestor.verify(atDigest(there, await inUse()), { signal });
    expect(verification).toMatchObject({ bundle: 'valid', legacy: 'valid', problems: [] });
  });
});

test('a signature that is lost is seen by a look, and put back by the next cycle without a build', async () => {
  const repository = factory.repository('base');
  const tag = atTag(repository, signatureTag(await inUse()));
  await scene.registry.remove(atDigest(repository, (await scene.registry.head(tag))!.digest));

  const seen = await look();
  const looked = await scene.registry.head(tag);
  const result = await cycle();

  expect(seen[0]?.reasons).toMatchObject([{ kind: 'release-damaged' }]);
  expect(looked).toBeUndefined();
  expect([result.runs, result.plan[0]?.state]).toEqual([[], 'fresh']);
  expect(result.repairs).toMatchObject([{ image: 'base', version: '12.0.0', lost: [] }]);
  expect(result.repairs[0]?.restored).toEqual([expect.stringContaining('signature (legacy)')]);
  expect(await scene.registry.head(tag)).toBeDefined();
  expect((await cycle()).repairs).toEqual([]);
});

test('a platform that is lost comes back from the replica; with none, it is built again', async () => {
  const lose = async () => {
    const repository = factory.repository('base');
    const index = JSON.parse(`${Buffer.from((await scene.registry.manifest(atTag(repository, '12')))!.bytes)}`);
    const child = atDigest(repository, index.manifests[0].digest);
    await scene.registry.remove(child);
    await scene.registry.remove(atDigest(factory.repository('staging/base'), child.digest!));
    return child;
  };

  const first = await lose();
  const repaired = await cycle();
  expect([repaired.runs, repaired.repairs[0]?.lost]).toEqual([[], []]);
  expect(repaired.repairs[0]?.restored).toContain('the manifest of linux/amd64');
  expect(await scene.registry.head(first)).toBeDefined();

  await factory.configure({ replicas: [] });
  const second = await lose();
  const rebuilt = await cycle();
  expect(rebuilt.repairs[0]?.lost).toContain('the manifest of linux/amd64');
  expect(rebuilt.runs.map(({ outcome }) => outcome)).toEqual(['unchanged']);
  expect(rebuilt.plan[0]?.state).toBe('fresh');
  expect(await scene.registry.head(second)).toBeDefined();
  expect((await look())[0]?.state).toBe('fresh');
});

test('a replica that is down holds up no release, and catches up', async () => {
  const down = `127.0.0.1:${await freePort()}/golden`;
  await factory.configure({ replicas: [down, replica] });
  await factory.publish('second');

  const result = await cycle();

  expect(result.runs.map(({ outcome, version }) => [outcome, version])).toEqual([['released', '12.0.1']]);
  expect(result.replicas.map(({ unreachable }) => unreachable === undefined)).toEqual([false, true]);
  expect(exitCodeOf(result)).toBe(4);
  expect((await scene.registry.head(atTag(parseReference(`${replica}/base`), '12')))?.digest).toBe(await inUse());
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
