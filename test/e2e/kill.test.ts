import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StepRecord } from '../../src/domain/run.ts';
import { exec } from '../../src/lib/exec.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { contentsOf } from '../support/registry-contents.ts';
import { runFleet, withFleet } from '../support/run-fleet.ts';

/** The steps of one image, as the product lists them: checked against a real run below. Of these nobody outside sees anything. */
const INSIDE = [
  ['mirror', 'linux/amd64'],
  ['build', 'linux/amd64'],
  ['smoke', 'linux/amd64'],
  ['compare', ''],
  ['admit', ''],
  ['sbom', 'linux/amd64'],
  ['scan', 'linux/amd64'],
  ['verdict', ''],
] as const;

/** These make the release. */
const OUTSIDE = [
  ['assemble', ''],
  ['gates', ''],
  ['promote', ''],
  ['sign', ''],
  ['attest', ''],
  ['record', ''],
  ['verify', ''],
  ['tag', ''],
  ['channels', ''],
] as const;

let scene: FleetScene;
let whole: unknown;
const seen = new Set<string>();

beforeAll(async () => {
  scene = await startFleetScene();
  const factory = await makeFactory('whole');
  await runFleet(factory.root, { onStep: (_run: string, step: StepRecord) => void seen.add(nameOf(step)), close() {} });
  whole = comparable(await contentsOf(scene.registry, factory.repository('base')), factory);
});
afterAll(() => scene?.stop());

test('every step of a run stands in the list of kills', () => {
  const names = [...seen].filter((name) => !name.endsWith('linux/arm64'));

  expect(names.sort()).toEqual([...INSIDE, ...OUTSIDE].map(([name, platform]) => `${name} ${platform}`).sort());
});

const WHEN = [
  ['before', 'running'],
  ['after', 'done'],
] as const;

test('a run killed before and after each step of its inside shows no tag, and goes on where it was', async () => {
  const factory = await makeFactory('inside');

  for (const [name, platform] of INSIDE) {
    for (const [when, state] of WHEN) {
      expect([when, name, await runKilled(factory, state, name, platform)]).toEqual([when, name, 'SIGKILL']);
      expect(await tagsOf(factory)).toEqual([]);
    }
  }

  await expectWholeAfterNextRun(factory);
});

describe.each(OUTSIDE)('a run killed at %s %s', (name, platform) => {
  test.each(WHEN)(
    '%s it shows no unfinished tag, and the next run ends as if nothing had happened',
    async (when, state) => {
      const factory = await makeFactory(`${when}-${name}`);

      expect(await runKilled(factory, state, name, platform)).toBe('SIGKILL');
      await expectTagsVerified(factory);

      await expectWholeAfterNextRun(factory);
    },
  );
});

async function expectWholeAfterNextRun(factory: TestFactory): Promise<void> {
  const { runs } = await runFleet(factory.root);
  expect(runs.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'released')).toEqual([]);
  expect(comparable(await contentsOf(scene.registry, factory.repository('base')), factory)).toEqual(whole);
}

/** One image is enough: what a second adds is tested by whole cycles. */
async function makeFactory(name: string): Promise<TestFactory> {
  const factory = await scene.factory(name, { only: 'base' });
  await factory.publish('first');
  return factory;
}

async function runKilled(factory: TestFactory, state: string, step: string, platform: string): Promise<string> {
  const script = join(import.meta.dirname, '..', 'support', 'killable-run.ts');
  const run = exec(process.execPath, [script, factory.root, 'base', state, step, platform], { timeout: 60_000 });
  return run.then(
    ({ exitCode, stderr }) => `ended with ${exitCode}: ${stderr}`,
    (error: Error) => (error.message.includes('SIGKILL') ? 'SIGKILL' : error.message),
  );
}

/** Promise 1: whatever tag a consumer finds, its index and platforms verify. */
async function expectTagsVerified(factory: TestFactory): Promise<void> {
  const tags = await tagsOf(factory);
  await withFleet(factory.root, async ({ registry, attestor }) => {
    for (const tag of tags) {
      const repository = factory.repository('base');
      const head = await registry.head({ ...repository, tag });
      const { bundle, legacy } = await attestor.verify({ ...repository, digest: head!.digest });
      expect({ tag, bundle, legacy }).toEqual({ tag, bundle: 'valid', legacy: 'valid' });
    }
  });
}

/** Those of releases: neither signatures and referrers, nor what marks hang on. */
async function tagsOf(factory: TestFactory): Promise<readonly string[]> {
  const tags = await scene.registry.tags(factory.repository('base'));
  return tags.filter((tag) => !/^(sha256-|ingot-)/.test(tag));
}

function nameOf({ name, platform }: StepRecord): string {
  return `${name} ${platform ?? ''}`;
}

/** Each factory has a path of its own in the registry, which nothing in an image may depend on. */
function comparable(contents: unknown, { base }: TestFactory): unknown {
  return JSON.parse(JSON.stringify(contents).replaceAll(base, 'BASE'));
}
