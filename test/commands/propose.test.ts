import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeDownstream } from '../../scripts/demo/downstream.ts';
import { readPinRepository } from '../../src/commands/pin-repository.ts';
import { pinsCommand } from '../../src/commands/pins.ts';
import { type ProposeOptions, proposeCommand } from '../../src/commands/propose.ts';
import { repositoryOf } from '../../src/domain/reference.ts';
import type { ForgeRepository } from '../../src/forge/forge.ts';
import { createLocalForge } from '../../src/forge/local.ts';
import { createStageScene, type StageScene } from '../support/stage-scene.ts';
import { type StandingScene, startStandingScene } from '../support/standing-scene.ts';

const { signal } = new AbortController();
let scene: StandingScene;
let folder: string;
let stages: StageScene;
let repository: ForgeRepository;
let image: string;

beforeAll(async () => {
  scene = await startStandingScene();
  folder = await mkdtemp(join(tmpdir(), 'ingot-propose-'));
  stages = createStageScene(scene, 'by-hand', '');
  await stages.release('12.0.0');
  await stages.release('12.0.1');
  image = repositoryOf(stages.repository);
  const path = join(folder, 'shop.git');
  await makeDownstream(path, { Dockerfile: `FROM ${image}:12.0.0\nRUN true\n`, 'logo.yaml': 'a\0b' });
  repository = createLocalForge({ now: () => new Date('2026-03-01T00:00:00Z') }).repository(path);
});
afterAll(async () => {
  await scene?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(options: Partial<ProposeOptions>) {
  const lines: string[] = [];
  const values: unknown[] = [];
  const unused = async () => {
    throw new Error('nothing of these releases was catalogued');
  };
  const { deps } = stages;
  const app = {
    ...{ registry: deps.registry, places: deps.places, fleet: { settings: deps.settings, images: [stages.image] } },
    downstreams: { list: async () => [repository], follows: () => undefined },
    cataloguer: { name: 'none', catalogue: unused, packages: () => [] },
    scanner: { name: 'none', scan: unused, database: unused },
  };
  const output = { line: (line: string) => void lines.push(line), json: (value: unknown) => void values.push(value) };
  const given = { images: [], repositories: [], dryRun: false, json: false, signal, ...options };
  const code = await proposeCommand(app as never, output as never, given);
  return { code, text: lines.join('\n'), values };
}

test('a dry run shows the diff and the text, and writes nothing', async () => {
  const { code, text } = await run({ dryRun: true, repositories: ['shop'] });

  expect(code).toBe(0);
  expect(text).toContain('would be opened: Bump golden base to 12.0.1');
  expect(text).toContain(`-FROM ${image}:12.0.0\n+FROM ${image}:12.0.1\n`);
  expect(text).toContain('<!-- ingot');
  expect(await repository.pulls()).toEqual([]);
  expect((await repository.look()).ours.size).toBe(0);
});

test('a dry run is there for programs as well', async () => {
  const { values } = await run({ dryRun: true, json: true });

  expect(values).toEqual([
    [
      {
        ...{ image: 'base', results: [expect.objectContaining({ action: 'opened' })] },
        previews: [
          {
            repository: repository.name,
            intents: [
              expect.objectContaining({ kind: 'commit', files: [{ path: 'Dockerfile', diff: expect.any(Array) }] }),
              expect.objectContaining({ kind: 'open', title: 'Bump golden base to 12.0.1' }),
            ],
          },
        ],
      },
    ],
  ]);
});

test('a downstream that the fleet does not have is a mistake that names those it has', async () => {
  await expect(run({ repositories: ['shpo'] })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining(repository.name),
  });
});

test('pins of a downstream are listed without a working copy', async () => {
  const lines: string[] = [];
  const output = { line: (line: string) => void lines.push(line), json: () => undefined };
  const read = await readPinRepository(repository, [], signal);
  await pinsCommand({ settings: [], releases: async () => [] }, output as never, { folder: read, json: false });

  expect(lines.join('\n')).toContain('Dockerfile:1');
  expect(lines.join('\n')).toContain('logo.yaml: it is no text');
});

test('for real, it is opened; a dry run of the same then shows nothing to do', async () => {
  expect((await run({})).text).toContain('opened: Bump golden base to 12.0.1');
  expect((await run({ dryRun: true })).text).toContain('#1: unchanged');
  expect(await repository.pulls()).toHaveLength(1);
});
