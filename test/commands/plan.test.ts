import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Output } from '../../src/commands/output.ts';
import { type PlanOptions, planCommand } from '../../src/commands/plan.ts';
import type { App } from '../../src/compose.ts';
import { inputsDigest } from '../../src/domain/inputs.ts';
import { type PlanEntry, planFleet } from '../../src/domain/plan.ts';
import { atDigest, atTag, parseReference } from '../../src/domain/reference.ts';
import type { Run, StepRecord } from '../../src/domain/run.ts';
import { gatherFacts } from '../../src/flows/gather.ts';
import { ANNOTATIONS, attachInputs } from '../../src/flows/releases.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { createTestRepository, type TestRepository } from '../support/git-repository.ts';
import { pushImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';
import { contentsOf } from '../support/registry-contents.ts';
import { withFleet as withWholeFleet } from '../support/run-fleet.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const signal = new AbortController().signal;
let root: string;
let host: TestRegistry;
let shop: TestRepository;
let printed: string[];

const output: Output = {
  line: (text) => void printed.push(stripVTControlCharacters(text)),
  json: (value) => void printed.push(JSON.stringify(value)),
  progress: process.stderr,
};

/** A fleet of three that was released a while ago, and a shop that pins two of them. Nothing here is ever built. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ingot-plan-'));
  host = await startDistribution();
  shop = await createTestRepository();
  await writeFleet();
  await withFleet(root, async (app) => {
    await publish(app, 'first');
    const released = await releaseAll(app);
    const pin = (name: string) => `FROM ${host.address}/acme/${name}:${released.get(name)}\n`;
    await shop.push('main', {
      Dockerfile: pin('python'),
      'job/Dockerfile': pin('python'),
      'b/Dockerfile': pin('debian'),
    });
  });
});

/** Releases are made by hand here, without signatures: nobody is to miss them. */
function withFleet<T>(folder: string, use: (app: App) => Promise<T>): Promise<T> {
  return withWholeFleet(folder, (app) => use({ ...app, cycle: { ...app.cycle, findDamage: async () => [] } }));
}

afterAll(async () => {
  await shop?.remove();
  await host?.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

beforeEach(() => {
  printed = [];
});

async function writeFleet(): Promise<void> {
  const files = {
    'ingot.yaml': stringify({
      fleet: 'acme',
      registry: `${host.address}/acme`,
      platforms: [...PLATFORMS],
      builders: Object.fromEntries(PLATFORMS.map((platform) => [platform, 'tcp://127.0.0.1:1'])),
      signing: { key: { file: 'fleet.key' } },
      upstreams: { 'docker.io/library': `${host.address}/upstream` },
      downstreams: [{ forge: 'local', path: shop.path }],
    }),
    'fleet.key': generateKeyPair().privateKey,
    'images/debian/image.yaml': 'line: "12"\n',
    'images/debian/Dockerfile': 'FROM debian:12-slim\nUSER 10001\n',
    'images/python/image.yaml': 'line: "3.11"\n',
    'images/python/Dockerfile': 'FROM golden/debian\n',
    'images/tool/image.yaml': 'line: "1"\n',
    'images/tool/Dockerfile': 'FROM busybox:1.37\nUSER 10001\n',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

async function publish(app: App, edition: string): Promise<void> {
  for (const name of ['debian:12-slim', 'busybox:1.37']) {
    const to = parseReference(`${host.address}/upstream/${name}`);
    await pushImage(app.registry, to, { platforms: [...PLATFORMS], files: { edition: `${edition} ${name}` } });
  }
}

/** Puts releases into the registry and runs into the ledger as cycles would, without building anything. */
async function releaseAll(app: App): Promise<ReadonlyMap<string, string>> {
  const released = new Map<string, string>();
  for (;;) {
    const due = planFleet(await gatherFacts(app.cycle, signal)).filter(({ state }) => state === 'rebuild');
    if (due.length === 0) return released;
    for (const entry of due) released.set(entry.image, await release(app, entry));
  }
}

async function release(app: App, { image: name, inputs }: PlanEntry): Promise<string> {
  const image = app.fleet.images.find((each) => each.name === name)!;
  const version = image.line.includes('.') ? `${image.line}.0` : `${image.line}.0.0`;
  const repository = app.places.release(name);
  const description = {
    platforms: [...PLATFORMS],
    files: { etc: name },
    annotations: { [ANNOTATIONS.version]: version },
  };
  for (const tag of [version, image.line]) await pushImage(app.registry, atTag(repository, tag), description);
  const head = await app.registry.head(atTag(repository, image.line));
  await attachInputs(app.registry, atDigest(repository, head!.digest), inputs!, { createdAt: '2026-11-01T00:00:00Z' });
  if (name !== 'tool') await app.ledger.startRun(runOf(name, inputsDigest(inputs!)));
  return `${version}@${head!.digest}`;
}

/** Two minutes for amd64, ten for arm64. */
function runOf(image: string, inputs: Run['inputs']): Run {
  const start = Date.parse('2026-11-01T00:00:00Z');
  const steps = [2, 10].map(
    (minutes, index): StepRecord => ({
      name: 'build',
      platform: PLATFORMS[index]!,
      state: 'done',
      startedAt: start + index,
      endedAt: start + minutes * 60_000,
      external: true,
    }),
  );
  const times = { startedAt: new Date(start).toISOString(), endedAt: new Date(start + 600_000).toISOString() };
  return {
    id: `run-${image}`,
    image,
    inputs,
    reasons: [],
    holds: [],
    platforms: [...PLATFORMS],
    outcome: 'released',
    ...times,
    steps,
  };
}

async function plan(options: Partial<PlanOptions> = {}): Promise<number> {
  let code = -1;
  const defaults = { json: false, all: false, images: [], whatIf: [], dot: false, signal };
  await withFleet(root, async (app) => {
    code = await planCommand(app, output, { ...defaults, ...options });
  });
  return code;
}

describe('a plan', () => {
  test('says in one line that nothing is to be done', async () => {
    expect(await plan()).toBe(0);
    expect(printed.join('\n')).toBe('3 images need nothing (--all shows them)\nnothing to do now');
  });

  test('of one image is of its ancestors and descendants', async () => {
    await plan({ images: ['python'], all: true });

    expect(printed.join('\n')).toMatch(/^debian 12\.0\.0 {2}fresh\n└─ python 3\.11\.0 {2}fresh\n/);
    expect(printed.join('\n')).not.toContain('tool');
  });

  test('of an image that is not there is refused with the nearest name', async () => {
    await expect(plan({ images: ['pyton'] })).rejects.toThrow('the fleet has no image pyton; did you mean "python"?');
  });

  test('is one JSON document of a shape that is described', async () => {
    await plan({ json: true });

    const report = JSON.parse(printed[0]!) as { summary: object; images: object[] };
    expect(report.summary).toMatchObject({ images: 3, fresh: 3, now: 0, waves: 0 });
    expect(report.images[1]).toMatchObject({
      image: 'python',
      state: 'fresh',
      parents: ['debian'],
      upstreams: [],
      platforms: [...PLATFORMS],
      version: '3.11.0',
      because: [],
      reasons: [],
      holds: [],
    });
  });

  test('is drawn as a graph, as text or into a file', async () => {
    await plan({ dot: true });
    await plan({ svg: join(root, 'graph.svg') });

    expect(printed[0]).toMatch(/^digraph plan \{/);
    expect(printed[1]).toContain('graph.svg');
    expect(await readFile(join(root, 'graph.svg'), 'utf8')).toContain('<title>python: fresh');
  });
});

describe('what if', () => {
  test('an upstream moved: images, time, pull requests', async () => {
    expect(await plan({ whatIf: ['debian:12-slim'] })).toBe(0);

    const text = printed.join('\n');
    expect(text).toContain('to any other digest:');
    expect(text).toMatch(/debian 12\.0\.0 {2}rebuild, wave 1\n.*its base debian:12-slim would move from/);
    expect(text).toMatch(/└─ python 3\.11\.0 {2}held, wave 2/);
    expect(text).toContain('1 image to rebuild now, 1 later: 2 waves, 4 builds of single platforms');
    expect(text).toContain(
      'about 20 min, by the median of past runs: linux/amd64 4 min for 2 builds, linux/arm64 20 min',
    );
    expect(text).toContain('2 pull requests in 1 repository');
    expect(text).toContain(`${shop.path}: debian (1 pin), python (2 pins)`);
    expect(text).not.toContain('tool');
  });

  test('says what was never built, and how it was reckoned', async () => {
    await plan({ whatIf: ['busybox:1.37'] });

    expect(printed.join('\n')).toContain('2 of 2 were never built');
    expect(printed.join('\n')).toContain('no downstream pins any of these images');
  });

  test('a digest that is there is looked at, and one that is not is taken for like today', async () => {
    const other = { platforms: ['linux/amd64'], index: true, files: { edition: 'third' } } as const;
    const to = parseReference(`${host.address}/upstream/debian:other`);
    let digest = '';
    await withFleet(root, async (app) => {
      digest = (await pushImage(app.registry, to, other)).digest;
    });

    await plan({ whatIf: [`debian:12-slim=${digest}`], json: true });
    await plan({ whatIf: [`debian:12-slim=sha256:${'0'.repeat(64)}`], json: true });

    const [there, absent] = printed.map((text) => JSON.parse(text));
    expect(there.images[0]).toMatchObject({ state: 'held', holds: [{ kind: 'waiting-for-platform' }] });
    expect(there.whatIf).toMatchObject({ images: 0, builds: 0, waves: [], pulls: [] });
    expect(absent.whatIf).toMatchObject({ images: 2, builds: 4, waves: [['debian'], ['python']] });
    expect(absent.whatIf.notes).toEqual([expect.stringContaining('could not be read')]);
  });

  test('leaves registry, ledger and downstream exactly as they were', async () => {
    const before = await state();

    await plan({ whatIf: ['debian:12-slim', 'busybox:1.37'] });
    await plan({ whatIf: ['debian:12-slim'], json: true, images: ['python'] });

    expect(await state()).toEqual(before);
  });

  test('an upstream that no image uses is refused', async () => {
    await expect(plan({ whatIf: ['debian:12'] })).rejects.toThrow('did you mean "debian:12-slim"?');
  });
});

/** All that a cycle could have left behind. */
async function state() {
  let found: unknown;
  await withFleet(root, async ({ registry, ledger, places, fleet }) => {
    const repositories = fleet.images.flatMap(({ name }) => [places.release(name), places.staging(name)]);
    found = {
      contents: await Promise.all(repositories.map((repository) => contentsOf(registry, repository))),
      mirrors: await registry.tags(places.mirror(parseReference('debian:12-slim'))),
      runs: await ledger.runs(),
      observed: await ledger.observation('docker.io/library/debian:12-slim'),
      refs: await shop.git('for-each-ref'),
    };
  });
  return found;
}
