import { digestOf } from '../../src/domain/digest.ts';
import type { Fleet, Image } from '../../src/domain/fleet/model.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { candidateKey, type Inputs, RECIPE_VERSION } from '../../src/domain/inputs.ts';
import { mirrorTag, type Places, parseBase, placesBelow, stagingTag } from '../../src/domain/places.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { atDigest, atTag, formatReference, parseReference, type Reference } from '../../src/domain/reference.ts';
import type { Reason, Release } from '../../src/domain/staleness.ts';
import { createEvidenceStore } from '../../src/flows/evidence.ts';
import { type ReleaseDeps, releaseJob, releaseSteps } from '../../src/flows/release.ts';
import { readTag } from '../../src/flows/releases.ts';
import { type Ending, runSteps } from '../../src/flows/steps.ts';
import { createGateRunner } from '../../src/gates/by-kind.ts';
import { createCommandGate } from '../../src/gates/command.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { Cataloguer, Scanner } from '../../src/scanner/scanner.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { fleetFiles } from './fleet-files.ts';
import { pushImage } from './images.ts';
import type { StandingScene } from './standing-scene.ts';

const NEW: readonly Reason[] = [{ kind: 'never-released' }];
const UPSTREAM = 'docker.io/library/debian:12-slim';
const signal = new AbortController().signal;

/** A fleet that releases by its real steps; only builds, catalogues and scans are made up. */
export interface ReleaseScene {
  readonly fleet: Fleet;
  readonly places: Places;
  readonly deps: ReleaseDeps;
  readonly registry: Registry;
  image(name?: string): Image;
  repository(name?: string): Reference;
  /** What a content is built from, the upstream in our mirror included. */
  inputs(content: string, name?: string): Promise<Inputs>;
  /** Builds into staging, and releases. `content` decides the bytes. */
  release(content: string, options?: ReleaseOptions): Promise<{ ending: Ending | undefined; release: Release }>;
  setTime(time: string): void;
}

export interface ReleaseOptions {
  readonly name?: string;
  readonly reasons?: readonly Reason[];
  /** Of a golden parent; absent: the upstream. */
  readonly base?: Release;
}

export interface ReleaseSceneOptions {
  /** Host and path of the fleet. */
  readonly base: string;
  readonly registry: Registry;
  readonly ledger: StandingScene['ledger'];
  readonly settings?: string;
  /** Private key, PEM; default: a new one. */
  readonly key?: string;
  /** Further images: name to image.yaml. */
  readonly images?: Readonly<Record<string, string>>;
}

export function createReleaseScene(options: ReleaseSceneOptions): ReleaseScene {
  const { base, registry, ledger, settings = '', images = {}, key = generateKeyPair().privateKey } = options;
  const definitions = Object.entries({ base: BASE, ...images }).map(([name, text]) => [
    `images/${name}/image.yaml`,
    text,
  ]);
  const texts = { 'ingot.yaml': `fleet: acme\n${settings}`, ...Object.fromEntries(definitions) };
  const fleet = parseFleet(fleetFiles(texts));
  const places = placesBelow(parseBase(base));
  let now = new Date('2026-03-01T00:00:00Z');
  const command = createCommandGate({ root: '/' });
  const deps: ReleaseDeps = {
    ...{ registry, ledger, places, settings: fleet.settings, cataloguer, scanner },
    attestor: createAttestor({ registry, signer: createKeySigner(key) }),
    gates: createGateRunner({ command, webhook: command, consumer: command }),
    revision: async () => undefined,
    factory: { id: 'https://ingot.example/factories/acme', version: '0.0.0' },
    now: () => now,
  };
  const image = (name = 'base') => fleet.images.find((each) => each.name === name)!;
  const repository = (name = 'base') => places.release(name);
  const inputs = (content: string, name = 'base') => inputsOf(image(name), content, { registry, places });
  return {
    ...{ fleet, places, deps, registry, image, repository, inputs },
    setTime(time) {
      now = new Date(time);
    },
    async release(content, { name = 'base', reasons = NEW, base: parent } = {}) {
      const own = parent === undefined ? await inputs(content, name) : childInputs(image(name), content, parent);
      await pushCandidate(places.staging(name), own, content, deps);
      const job = releaseJob({ runId: 'run', image: image(name), inputs: own, reasons }, deps);
      const observer = { onStep: () => {} };
      const ending = await runSteps(releaseSteps(job, deps), { runId: 'run', observer, now: () => 0, signal });
      const release = await readTag(registry, atTag(repository(name), image(name).line), {});
      return { ending, release: release! };
    },
  };
}

async function inputsOf(
  { name, platforms, definition }: Image,
  content: string,
  { registry, places }: { registry: Registry; places: Places },
): Promise<Inputs> {
  const mirror = places.mirror(parseReference(UPSTREAM));
  const children = await Promise.all(
    platforms.map(async (platform) => {
      const { digest } = await pushImage(registry, mirror, { platforms: [platform], files: baseFiles(content) });
      await pushImage(registry, atTag(mirror, mirrorTag(digest)), {
        platforms: [platform],
        files: baseFiles(content),
      });
      return [platform, digest] as const;
    }),
  );
  const input = {
    role: 'base' as const,
    name: formatReference(parseReference(UPSTREAM)),
    digest: digestOf(`upstream ${content}`),
    platforms: Object.fromEntries(children),
    created: '2026-01-01T00:00:00Z',
  };
  return { image: name, recipe: RECIPE_VERSION, platforms, inputs: [input], definition };
}

function childInputs({ name, platforms, definition }: Image, content: string, parent: Release): Inputs {
  const { digest, version, platforms: children } = parent;
  const base = { role: 'base' as const, name: 'golden/base', digest, version, platforms: children };
  const definitions = { ...definition, content: digestOf(content) };
  return { image: name, recipe: RECIPE_VERSION, platforms, inputs: [base], definition: definitions };
}

function baseFiles(content: string) {
  return { 'etc/os-release': `ID=debian\n${content}\n` };
}

async function pushCandidate(staging: Reference, inputs: Inputs, content: string, { registry }: ReleaseDeps) {
  const key = candidateKey(inputs);
  for (const platform of inputs.platforms) {
    await pushImage(registry, atTag(staging, stagingTag.build(key, platform)), {
      platforms: [platform],
      files: [baseFiles(content), { 'etc/edition': content }],
      user: '10001',
      annotations: { 'org.opencontainers.image.base.digest': inputs.inputs[0]!.platforms[platform]! },
    });
  }
}

/** What there is of evidence about a candidate. */
export function evidenceOf({ registry, places }: ReleaseScene, name = 'base') {
  return createEvidenceStore(registry, places.staging(name));
}

/** Every manifest of a release by digest, the index first. */
export function manifestsOf(repository: Reference, { digest, platforms }: Release): readonly Reference[] {
  return [digest, ...Object.values(platforms)].map((each) => atDigest(repository, each!));
}

const BASE = 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n';

const cataloguer: Cataloguer = {
  name: 'made up',
  async catalogue({ digest }, { platform }: { platform: Platform }) {
    const native = Buffer.from(JSON.stringify({ digest, platform }));
    return { native, spdx: Buffer.from(JSON.stringify({ spdxVersion: 'SPDX-2.3', name: digest })) };
  },
  packages: () => [],
};

const scanner: Scanner = {
  name: 'made up',
  database: async () => ({ id: 'test', built: '2026-01-01T00:00:00Z' }),
  scan: async () => ({
    findings: [],
    database: { id: 'test', built: '2026-01-01T00:00:00Z' },
    scanner: { name: 'made up', version: '1' },
  }),
};
